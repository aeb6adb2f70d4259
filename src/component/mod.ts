// The door of the component room: what a component is made of, and how values cross its boundary.

export type {
  Builtin,
  CanonicalOptions,
  ComponentPlan,
  CoreImport,
  CoreInstancePlan,
  CoreRef,
  CoreSource,
  ExportedItem,
  ImportedFunction,
  LiftedFunction,
  LoweredFunction,
  StringEncoding,
} from "./plan.ts";
export type { CanonicalMemory, CoreValue, SlotAccess } from "./slot-access.ts";
export type { Case, Field, FunctionType, ResourceType, ValueType } from "./types.ts";
