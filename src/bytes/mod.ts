// The door of the bytes room: bytes on their way from one side to another.

export { BytePipe, type PipeState } from "./byte-pipe.ts";
export { type Drain, type DrainTarget, drain } from "./drain.ts";
export { type FillOptions, fill } from "./fill.ts";
export { collectGarbage } from "./garbage.ts";
export { SpareBytes, spareBytes } from "./spare-bytes.ts";
