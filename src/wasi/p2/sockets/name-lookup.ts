// wasi:sockets/ip-name-lookup: the addresses of a name, where the network lets guests ask for them.

import { isIP } from "node:net";

import type { OpenThings } from "../../sandbox/open-things.ts";
import { type Pollable, Watchers } from "../../sandbox/streams.ts";
import type { Wasi } from "../../wasi.ts";
import { dispose, type GuestCaller, Version, type VersionName, type WasiInterface } from "../interfaces.ts";
import { type Family, type IpAddress, ipAddressValue } from "./address.ts";
import { answer, codeOf, type ErrorCode, SocketFailure } from "./failure.ts";

/** Of the domain name system. */
const NAME_LENGTH_MAX = 253;

/** Of one name; the rest is left out. */
const ADDRESSES_MAX = 256;

export function nameLookupInterface(version: VersionName): WasiInterface {
  const isOctober = version === Version.OCTOBER;
  return {
    wit: `interface wasi:sockets/ip-name-lookup@${version} {
      use wasi:io/poll@${version}.{pollable};
      use wasi:sockets/network@${version}.{network, error-code, ip-address, ip-address-family};
      resource resolve-address-stream {
        resolve-next-address: func() -> result<option<ip-address>, error-code>;
        subscribe: func() -> pollable;
      }
      resolve-addresses: func(network: borrow<network>, name: string
        ${isOctober ? ", address-family: option<ip-address-family>, include-unavailable: bool" : ""}
      ) -> result<resolve-address-stream, error-code>;
    }`,
    functions: {
      "resolve-addresses": resolveAddresses,

      /** Errors: `would-block`, `name-unresolvable`, `temporary-resolver-failure`. */
      "[method]resolve-address-stream.resolve-next-address": (_wasi, _caller, self: NameLookup) =>
        answer(() => self.next()),

      "[method]resolve-address-stream.subscribe": (_wasi, _caller, self: Pollable) => self,
    },
    resources: { "resolve-address-stream": dispose },
  };
}

/** Errors: `access-denied`, `invalid-argument` for what is no name, `new-socket-limit` with too many under way. */
function resolveAddresses(wasi: Wasi, caller: GuestCaller, _network: unknown, name: string, family?: Family) {
  return answer(() => {
    const { network } = wasi.template;
    if (!network.lookUp) throw new SocketFailure("access-denied");
    if (name === "" || name.length > NAME_LENGTH_MAX || /[\s\0/:@]/.test(name) !== (isIP(name) === 6)) {
      throw new SocketFailure("invalid-argument");
    }
    if (wasi.openSockets.isFull) throw new SocketFailure("new-socket-limit");
    wasi.shift(caller);
    return new NameLookup(wasi.openSockets, (signal) => lookUp(name, family, signal));
  });

  async function lookUp(name: string, family: Family | undefined, signal: AbortSignal): Promise<IpAddress[]> {
    const texts = isIP(name) !== 0 ? [name] : await wasi.template.network.lookUp?.(name, signal);
    const addresses = (texts ?? []).slice(0, ADDRESSES_MAX).map(ipAddressValue);
    return family ? addresses.filter(({ tag }) => tag === family) : addresses;
  }
}

class NameLookup implements Pollable, Disposable {
  readonly #watchers = new Watchers();
  readonly #end = new AbortController();
  readonly #holder: OpenThings;
  #found: IpAddress[] | ErrorCode | undefined;
  #next = 0;

  constructor(holder: OpenThings, lookUp: (signal: AbortSignal) => Promise<IpAddress[]>) {
    this.#holder = holder;
    holder.add(this);
    lookUp(this.#end.signal).then(
      (addresses) => this.#finish(addresses.length > 0 ? addresses : "name-unresolvable"),
      (error) => this.#finish(codeOf(error)),
    );
  }

  #finish(found: IpAddress[] | ErrorCode): void {
    this.#found = found;
    this.#watchers.notify();
  }

  next(): IpAddress | undefined {
    if (this.#found === undefined) throw new SocketFailure("would-block");
    if (typeof this.#found === "string") throw new SocketFailure(this.#found);
    return this.#found[this.#next++];
  }

  isReady(): boolean {
    return this.#found !== undefined;
  }

  watch(wake: () => void): () => void {
    return this.#watchers.add(wake);
  }

  [Symbol.dispose](): void {
    this.#holder.delete(this);
    this.#end.abort();
  }
}
