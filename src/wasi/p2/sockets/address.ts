// Addresses as guests have them, and as Node has them.

import { isIPv4, SocketAddress as NodeAddress } from "node:net";

import type { SocketAddress } from "../../sandbox/network.ts";
import { SocketFailure } from "./failure.ts";

/** `ip-address-family` */
export type Family = "ipv4" | "ipv6";

type Octets = readonly number[];
type Segments = readonly number[];

/** `ip-address` */
export type IpAddress =
  | { readonly tag: "ipv4"; readonly val: Octets }
  | { readonly tag: "ipv6"; readonly val: Segments };

/** `ip-socket-address` */
export type IpSocketAddress =
  | { readonly tag: "ipv4"; readonly val: { readonly port: number; readonly address: Octets } }
  | {
      readonly tag: "ipv6";
      readonly val: {
        readonly port: number;
        readonly flowInfo: number;
        readonly address: Segments;
        readonly scopeId: number;
      };
    };

/** An address that a guest gave, with what Node needs beyond it. */
export interface Endpoint extends SocketAddress {
  readonly family: Family;
  /** The address with its scope, if it has one. */
  readonly host: string;
}

/** Fails with `invalid-argument` for the other family, and for IPv4 addresses in the form of IPv6. */
export function endpointOf(given: IpSocketAddress, family: Family): Endpoint {
  if (given.tag !== family) throw new SocketFailure("invalid-argument");
  const { port } = given.val;
  if (given.tag === "ipv4") {
    const address = given.val.address.join(".");
    return { family, address, port, host: address };
  }
  const { address: segments, scopeId } = given.val;
  if (carriesIpv4(segments)) throw new SocketFailure("invalid-argument");
  const address = ipv6Text(segments);
  return { family, address, port, host: scopeId === 0 ? address : `${address}%${scopeId}` };
}

/** Mapped (`::ffff:a.b.c.d`) or compatible (`::a.b.c.d`), but not `::` and `::1`. */
function carriesIpv4(segments: Segments): boolean {
  if (segments.slice(0, 5).some((segment) => segment !== 0)) return false;
  const [fifth = 0, sixth = 0, seventh = 0] = segments.slice(5);
  return fifth === 0xffff || (fifth === 0 && (sixth !== 0 || seventh > 1));
}

/** Fails with `invalid-argument` for what nothing can be sent to. */
export function requireRemote({ address, port }: Endpoint): void {
  if (port === 0 || address === "0.0.0.0" || address === "::") throw new SocketFailure("invalid-argument");
}

/** Fails with `invalid-argument` for addresses of many. */
export function requireUnicast({ family, address }: Endpoint): void {
  const isOfMany =
    family === "ipv4"
      ? address === "255.255.255.255" || /^2(2[4-9]|3\d)\./.test(address)
      : address.startsWith("ff");
  if (isOfMany) throw new SocketFailure("invalid-argument");
}

export function isSameEndpoint(a: SocketAddress, b: SocketAddress): boolean {
  return a.address === b.address && a.port === b.port;
}

/** In the shortest form, as Node writes it. */
function ipv6Text(segments: Segments): string {
  const long = segments.map((segment) => segment.toString(16)).join(":");
  return new NodeAddress({ address: long, family: "ipv6" }).address;
}

/** @param address as Node writes it: without brackets, perhaps with a scope */
export function socketAddressValue(address: string, port: number): IpSocketAddress {
  const ip = ipAddressValue(address);
  if (ip.tag === "ipv4") return { tag: "ipv4", val: { port, address: ip.val } };
  const scopeId = Number(address.split("%")[1] ?? 0) || 0;
  return { tag: "ipv6", val: { port, flowInfo: 0, address: ip.val, scopeId } };
}

export function ipAddressValue(address: string): IpAddress {
  if (isIPv4(address)) return { tag: "ipv4", val: address.split(".").map(Number) };
  return { tag: "ipv6", val: ipv6Segments(address) };
}

function ipv6Segments(address: string): Segments {
  const [bare = ""] = address.split("%");
  // The tail may be written as IPv4: make it two segments.
  const plain = bare.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_tail, ...octets: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = octets.map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [head = "", tail] = plain.split("::");
  const left = segmentsIn(head);
  if (tail === undefined) return left;
  const right = segmentsIn(tail);
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
}

function segmentsIn(text: string): number[] {
  return text === "" ? [] : text.split(":").map((segment) => Number.parseInt(segment, 16));
}
