// The door of the manifest room: what an application is, and how its `spin.toml` is read.

export {
  type AllowedHost,
  AllowedHostSyntaxError,
  AllowedHosts,
  type HostPattern,
  type OutboundUrl,
  type PortPattern,
  parseAllowedHost,
  parseOutboundUrl,
  SERVICE_CHAINING_DOMAIN,
} from "./allowed-hosts.ts";
export type {
  Application,
  ApplicationMetadata,
  BuildCommand,
  Component,
  Dependency,
  Inheritable,
  Json,
  ModuleSource,
  MountSource,
  Trigger,
  Variable,
} from "./application.ts";
export { INHERITABLE } from "./application.ts";
export {
  type ComponentLimits,
  componentLimits,
  DEFAULT_COMPONENT_LIMITS,
  type LimitKey,
  readLimit,
} from "./component-limits.ts";
export type { KeyPath } from "./findings.ts";
export { readHttpTriggerOptions } from "./http-trigger.ts";
export { kebabMistake } from "./identifiers.ts";
export type { Manifest, ManifestComponent, ManifestTrigger } from "./manifest.ts";
export { type ParseManifestOptions, parseManifest } from "./parse.ts";
export { describeSize, readDurationMs, readSize } from "./quantities.ts";
export {
  type ComponentDependency,
  type ComponentSource,
  type FilesMount,
  type HttpTriggerOptions,
  manifestVersion1,
  manifestVersion2,
  sharedShapes,
} from "./schema.ts";
export { expandTemplate, parseTemplate, type TemplatePart } from "./template.ts";
export { locate } from "./toml.ts";
