// Spindle as a library: load an application, serve it, end it.
//
// The parts below it have entry points of their own: `spindle/loader`, `spindle/runtime`, `spindle/engine`, ...

export {
  type Diagnostic,
  describeError,
  type ErrorCode,
  formatDiagnostic,
  SpindleError,
} from "./errors/mod.ts";
export { type OutputSink, ServedApplication, type ServeOptions } from "./host/mod.ts";
export {
  createWorkingDirectory,
  type LoadedApplication,
  type LoadOptions,
  loadApplication,
  type WorkingDirectory,
} from "./loader/mod.ts";
export type { Application, Component, Trigger } from "./manifest/mod.ts";
