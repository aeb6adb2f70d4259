// The door of the engine room: compile, link, and run core modules in slots that are like new.

export type { Caller, HostFunction, SuspendingHostFunction, WasmValue } from "./caller.ts";
export { GuestMemory, GuestMemoryFault, GuestTextFault } from "./guest-memory.ts";
export { type EndReason, type Invocation, SlotsExhaustedError, TrapError } from "./invocation.ts";
export { type LinkedFunction, Linker } from "./linker.ts";
