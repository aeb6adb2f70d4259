// The door of the manifest room: what an application is, and how its `spin.toml` is read.

export type {
  Application,
  ApplicationMetadata,
  BuildCommand,
  Component,
  Json,
  ModuleSource,
  MountSource,
  Trigger,
  Variable,
} from "./application.ts";
