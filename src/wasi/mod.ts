// The door of the wasi room: what a guest may see of the world through WASI.

export { addWasiP1ToLinker } from "./p1/linker.ts";
export { addWasiP2ToLinker } from "./p2/linker.ts";
export type { Clock, RandomSource, StdoutSink } from "./sandbox/sources.ts";
export { systemClock, systemRandom } from "./sandbox/system-sources.ts";
export { Wasi, type WasiCall, type WasiOptions, WasiTemplate } from "./wasi.ts";
