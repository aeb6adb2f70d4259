// The door of the wasi room: what a guest may see of the world through WASI.

export { addWasiP1ToLinker } from "./p1/linker.ts";
export { WasiP1, type WasiP1Call, type WasiP1Options, WasiP1Template } from "./p1/wasi-p1.ts";
export type { Clock, RandomSource, StdoutSink } from "./sandbox/sources.ts";
export { systemClock, systemRandom } from "./sandbox/system-sources.ts";
