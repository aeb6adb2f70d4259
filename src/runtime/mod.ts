// The door of the runtime room: an Application made ready to run.

export { Builder, type ExecutionContextConfiguration } from "./builder.ts";
export type { CallOptions, Prepared, RuntimeContext } from "./context.ts";
export { ExecutionContext } from "./execution-context.ts";
export type { Program } from "./program.ts";
