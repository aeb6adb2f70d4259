// Networks that no guest may connect to, whatever its allow-list says.
//
// The check is made on addresses, after DNS, so that a public name which points into a private
// network gains nothing. Node's BlockList sees an IPv4 address through its IPv4-mapped IPv6 form.

import { BlockList, isIP } from "node:net";
import { SpindleError } from "../errors/mod.ts";

export interface BlockedNetworksOptions {
  /** CIDR blocks or single addresses, such as `10.0.0.0/8` or `fd00::/8`. */
  readonly networks?: readonly string[];
  /** Blocks all that is not globally routable: loopback, private, link-local, documentation, multicast. */
  readonly private?: boolean;
}

/**
 * What the registries of IANA for special-purpose addresses list as not globally reachable, and
 * multicast. The IPv6 blocks that carry an IPv4 address inside (compatible, NAT64, 6to4) are blocked
 * whole: they would be a way around the first half of the list.
 */
const NOT_GLOBAL: readonly string[] = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
  "::/96",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "100::/64",
  "2001::/23",
  "2001:db8::/32",
  "2002::/16",
  "3fff::/20",
  "fc00::/7",
  "fe80::/9",
  "ff00::/8",
];

export class BlockedNetworks {
  readonly #list = new BlockList();
  readonly isEmpty: boolean;

  /** @throws SpindleError OUTBOUND_NETWORK_INVALID for an entry of `networks` that is no network */
  constructor(options: BlockedNetworksOptions = {}) {
    const networks = [...(options.networks ?? []), ...(options.private ? NOT_GLOBAL : [])];
    for (const network of networks) addNetwork(this.#list, network);
    this.isEmpty = networks.length === 0;
  }

  /** Whether an IP address, as text without brackets, is in a blocked network. */
  blocks(address: string): boolean {
    if (this.isEmpty) return false;
    const [bare = ""] = address.split("%");
    return this.#list.check(bare, isIP(bare) === 6 ? "ipv6" : "ipv4");
  }
}

function addNetwork(list: BlockList, network: string): void {
  const [address = "", prefix, ...rest] = network.split("/");
  const version = isIP(address);
  const bitsMax = version === 6 ? 128 : 32;
  const bits = prefix === undefined ? bitsMax : Number(prefix);
  const isPrefix = (prefix === undefined || /^\d+$/.test(prefix)) && bits <= bitsMax;
  if (version === 0 || !isPrefix || rest.length > 0) {
    throw new SpindleError(
      "OUTBOUND_NETWORK_INVALID",
      `Cannot block the network "${network}": it is not an IP address or a CIDR block`,
      { hint: 'Write it as "10.0.0.0/8" or "fd00::/8".' },
    );
  }
  list.addSubnet(address, bits, version === 6 ? "ipv6" : "ipv4");
}
