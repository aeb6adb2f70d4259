// The door of the engine room: compile, link, and run core modules in slots that are like new.

export type { Caller, HostFunction, SuspendingHostFunction, WasmValue } from "./caller.ts";
export { type CompiledModule, Engine, type EngineOptions } from "./engine.ts";
export type { Gearing } from "./gears.ts";
export { GuestMemory, GuestMemoryFault, GuestTextFault } from "./guest-memory.ts";
export {
  Instance,
  InstancePre,
  type InstancePreOptions,
  LinkError,
  type LinkProblem,
} from "./instance-pre.ts";
export { type EndReason, type Invocation, SlotsExhaustedError, TrapError } from "./invocation.ts";
export { type LinkedFunction, Linker } from "./linker.ts";
export type { StoreHooks } from "./slot-plan.ts";
export { Store, type StoreOptions, WALL_TIME_MS_DEFAULT } from "./store.ts";
