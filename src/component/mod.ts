// The door of the component room: what a component is made of, and how values cross its boundary.

export { MalformedComponentError, UnsupportedComponentError } from "./binary/component-error.ts";
export { type BuiltinCode, builtinFunction } from "./canonical/builtin-function.ts";
export { CanonicalError } from "./canonical/canonical-error.ts";
export { ComponentState } from "./canonical/component-state.ts";
export type { Callee, CoreFunction } from "./canonical/function-code.ts";
export { GuestResource } from "./canonical/guest-resource.ts";
export { type BoundLifting, type LiftedCode, liftFunction } from "./canonical/lift-function.ts";
export { type LoweredCode, lowerFunction } from "./canonical/lower-function.ts";
export { type ComponentNames, readComponentNames } from "./link/component-names.ts";
export { readBindingsProducers } from "./link/component-type.ts";
export { CompositionError, type Misfit } from "./link/composition-error.ts";
export { hasComponentType } from "./link/has-component-type.ts";
export { type Binary, type BinaryDependency, dependencyOf, planBinary } from "./link/plan-binary.ts";
export {
  composeComponents,
  type Dependencies,
  type Dependency,
  type DependencyExport,
  planComponent,
  planCoreModule,
} from "./link/plan-component.ts";
export { type Producer, readProducers } from "./link/producers.ts";
export { versionTrack } from "./link/version-track.ts";
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
export type { ByteLists, Case, Field, FunctionType, ResourceType, ValueType } from "./types.ts";
export { describeFunction, describeType } from "./wit/describe.ts";
export { functionDifference, type SameResource } from "./wit/function-difference.ts";
export { findOnTrack, type InterfaceTrack, isOnTrack, trackOf } from "./wit/interface-name.ts";
export { type HostInterfaceType, parseInterface } from "./wit/parse-interface.ts";
export { WitError } from "./wit/tokens.ts";
