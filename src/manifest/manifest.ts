// A manifest in one form, whichever version it was written in.
//
// Defaults are filled in, ids are made up where they were left out, components in triggers have been
// moved out of them. Each part keeps the path that it was read from, so that whoever finds a mistake
// later (a file that is not there) can point at it with locate().

import type { SourceText } from "../errors/mod.ts";
import type { ApplicationMetadata, BuildCommand, Json, Variable } from "./application.ts";
import type { KeyPath } from "./findings.ts";
import type { ComponentDependency, ComponentSource, FilesMount } from "./schema.ts";

export interface Manifest {
  readonly source: SourceText;
  /** The version that it was written in. */
  readonly version: 1 | 2;
  readonly application: Omit<ApplicationMetadata, "origin">;
  readonly targets: readonly Json[];
  readonly tool: Readonly<Record<string, Json>>;
  readonly variables: Readonly<Record<string, Variable>>;
  readonly triggerDefaults: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly triggers: readonly ManifestTrigger[];
  readonly components: readonly ManifestComponent[];
}

export interface ManifestTrigger {
  readonly path: KeyPath;
  readonly id: string;
  readonly type: string;
  readonly componentId?: string;
  readonly dependencies?: Readonly<Record<string, Json>>;
  readonly options: Readonly<Record<string, Json>>;
}

export interface ManifestComponent {
  readonly path: KeyPath;
  readonly id: string;
  readonly description: string;
  readonly source: ComponentSource;
  readonly environment: Readonly<Record<string, string>>;
  readonly files: readonly FilesMount[];
  readonly excludeFiles: readonly string[];
  /** With those of `allowed_http_hosts`, converted, at the end. */
  readonly allowedOutboundHosts: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  readonly keyValueStores: readonly string[];
  readonly sqliteDatabases: readonly string[];
  readonly aiModels: readonly string[];
  readonly targets?: readonly Json[];
  readonly build?: BuildCommand;
  readonly tool: Readonly<Record<string, Json>>;
  /** Those that are components of the application have been replaced by their sources. */
  readonly dependencies: Readonly<Record<string, ComponentDependency>>;
  readonly dependenciesInheritConfiguration?: boolean;
  readonly profiles: readonly string[];
}
