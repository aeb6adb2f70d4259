// The door of the wasi room: what a guest may see of the world through WASI.

export { addWasiP1ToLinker } from "./p1/linker.ts";
export { err, ok, type Result } from "./p2/interfaces.ts";
export { addWasiP2ToLinker } from "./p2/linker.ts";
export type { GearedCaller } from "./sandbox/gears.ts";
export type { GuestNetwork, SocketAddress, SocketUse } from "./sandbox/network.ts";
export type { Clock, RandomSource, StdoutSink } from "./sandbox/sources.ts";
export { type InputStream, IoError, type OutputStream, type Pollable, Watchers } from "./sandbox/streams.ts";
export { systemClock, systemRandom } from "./sandbox/system-sources.ts";
export { Wasi, type WasiCall, type WasiLimits, type WasiOptions, WasiTemplate } from "./wasi.ts";
