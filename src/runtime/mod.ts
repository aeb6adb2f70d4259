// The door of the runtime room: an Application made ready to run.

export { Builder, type ExecutionContextConfiguration } from "./builder.ts";
export type { CallOptions, Prepared, RuntimeContext } from "./context.ts";
export { ExecutionContext } from "./execution-context.ts";
export type { Handler } from "./handlers.ts";
export {
  type InspectedExport,
  type InspectedFunction,
  type InspectedImport,
  type InspectedModule,
  type Inspection,
  inspectBinary,
  type Provider,
} from "./inspection.ts";
export type { Preparation } from "./preparation.ts";
export type { Program } from "./program.ts";
export { ApplicationVariables, environmentProvider, type VariableProvider } from "./variables.ts";
