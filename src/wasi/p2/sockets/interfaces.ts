// wasi:sockets, all of it.

import type { VersionName, WasiInterface } from "../interfaces.ts";
import { nameLookupInterface } from "./name-lookup.ts";
import { networkInterfaces } from "./network.ts";
import { tcpInterfaces } from "./tcp.ts";
import { udpInterfaces } from "./udp.ts";

export function socketInterfaces(version: VersionName): WasiInterface[] {
  return [
    ...networkInterfaces(version),
    nameLookupInterface(version),
    ...tcpInterfaces(version),
    ...udpInterfaces(version),
  ];
}
