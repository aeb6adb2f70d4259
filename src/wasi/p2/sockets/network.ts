// wasi:sockets/network and instance-network: the capability, of which there is one, and the shared types.

import type { VersionName, WasiInterface } from "../interfaces.ts";
import { ERROR_CODES } from "./failure.ts";

/** The resource `network`. What it allows is asked elsewhere: see `GuestNetwork`. */
const INSTANCE_NETWORK = {};

export function networkInterfaces(version: VersionName): WasiInterface[] {
  return [
    {
      wit: `interface wasi:sockets/network@${version} {
        resource network;
        enum error-code { ${ERROR_CODES.join(", ")} }
        enum ip-address-family { ipv4, ipv6 }
        type ipv4-address = tuple<u8, u8, u8, u8>;
        type ipv6-address = tuple<u16, u16, u16, u16, u16, u16, u16, u16>;
        variant ip-address { ipv4(ipv4-address), ipv6(ipv6-address) }
        record ipv4-socket-address { port: u16, address: ipv4-address }
        record ipv6-socket-address { port: u16, flow-info: u32, address: ipv6-address, scope-id: u32 }
        variant ip-socket-address { ipv4(ipv4-socket-address), ipv6(ipv6-socket-address) }
      }`,
      functions: {},
    },
    {
      wit: `interface wasi:sockets/instance-network@${version} {
        use wasi:sockets/network@${version}.{network};
        instance-network: func() -> network;
      }`,
      functions: { "instance-network": () => INSTANCE_NETWORK },
    },
  ];
}
