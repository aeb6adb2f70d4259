// The door of the engine room: compile, link, and run core modules in slots that are like new.

export { fairRoom } from "./budget.ts";
export type { Caller, HostFunction, SuspendingHostFunction, WasmValue } from "./caller.ts";
export type { CompiledModule } from "./compiled-module.ts";
export { ComponentLinkError, type ComponentLinkProblem } from "./component-link-error.ts";
export {
  type ComponentCaller,
  ComponentLinker,
  type HostComponentFunction,
  type HostInterface,
  type HostResource,
  type SuspendingFunction,
  suspending,
} from "./component-linker.ts";
export {
  type ComponentCall,
  ComponentPre,
  type ComponentPreOptions,
  exportedFunction,
} from "./component-pre.ts";
export {
  type CompiledModules,
  Engine,
  type EngineOptions,
  MEMORIES_MAX,
  machineMemoryBytes,
  TypesExhaustedError,
} from "./engine.ts";
export type { Gearing } from "./gears.ts";
export { GuestMemory, GuestMemoryFault, GuestTextFault } from "./guest-memory.ts";
export { Instance, InstancePre, type InstancePreOptions } from "./instance-pre.ts";
export {
  type EndReason,
  type Invocation,
  SlotsExhaustedError,
  TrapError,
} from "./invocation.ts";
export type { ComponentLinkers } from "./link-component.ts";
export { LinkError, type LinkProblem } from "./link-module.ts";
export { type LinkedFunction, Linker } from "./linker.ts";
export { MemoryLimitError, TableLimitError } from "./minima.ts";
export type { StoreHooks } from "./slot-plan.ts";
export { Store, type StoreOptions, WALL_TIME_MS_DEFAULT } from "./store.ts";
