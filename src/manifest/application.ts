// The canonical form of an application, whatever it was loaded from.
//
// It is plain data: immutable, serialisable as JSON, the same for the same app. Paths in it are
// absolute paths of files that the loader has checked. The loader makes it; everything else reads it.

/** A JSON value, as trigger options and tool tables hold them. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface Application {
  readonly metadata: ApplicationMetadata;
  /** Application variables by name. */
  readonly variables: Readonly<Record<string, Variable>>;
  /** `[application.trigger.TYPE]` by trigger type. */
  readonly triggerDefaults: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  /** In the order of the manifest, which routing needs. */
  readonly triggers: readonly Trigger[];
  /** In the order of the manifest. */
  readonly components: readonly Component[];
}

export interface ApplicationMetadata {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly authors: readonly string[];
  /** Where it came from: a file URL, or the reference of a registry. */
  readonly origin: string;
}

export interface Variable {
  readonly description: string;
  /** Absent: a provider must give the value. */
  readonly default?: string;
  readonly secret: boolean;
}

export interface Trigger {
  readonly id: string;
  /** "http", "redis", "timer", ... */
  readonly type: string;
  /** Absent where a trigger needs none, as for a `static_response`. */
  readonly componentId?: string;
  /** By role, as `middleware` of an HTTP trigger; absent where there are none. */
  readonly dependencies?: Readonly<Record<string, Json>>;
  /** Everything else in the trigger's table; its trigger type validates it. */
  readonly options: Readonly<Record<string, Json>>;
}

export interface Component {
  readonly id: string;
  readonly description: string;
  readonly source: ModuleSource;
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: readonly MountSource[];
  /** As in manifest v2, with templates; hosts of older manifests are converted. */
  readonly allowedOutboundHosts: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  readonly keyValueStores: readonly string[];
  readonly sqliteDatabases: readonly string[];
  readonly aiModels: readonly string[];
  /** Components that give this one what it imports, by the dependency's name. */
  readonly dependencies: Readonly<Record<string, Dependency>>;
  readonly build?: BuildCommand;
  /** `[component.ID.tool.NAME]`: carried, never interpreted here. */
  readonly tool: Readonly<Record<string, Json>>;
}

/** Parts of a component's configuration that a dependency may use if it is allowed to. */
export const INHERITABLE = [
  "ai_models",
  "allowed_outbound_hosts",
  "environment",
  "files",
  "key_value_stores",
  "sqlite_databases",
  "variables",
] as const;

export type Inheritable = (typeof INHERITABLE)[number];

export interface Dependency {
  readonly source: ModuleSource;
  /** The export to use, if its name differs from that of the import. */
  readonly export?: string;
  readonly inherits: readonly Inheritable[];
}

export interface BuildCommand {
  readonly commands: readonly string[];
  readonly workdir: string;
  readonly watch: readonly string[];
}

/** A WebAssembly binary on disk, checked: text has been assembled, downloads have been verified. */
export interface ModuleSource {
  /** Absolute path of the binary. */
  readonly path: string;
  /** `sha256:` and 64 hexadecimal digits of the bytes at `path`. */
  readonly digest: string;
  /** What the manifest said: a path, a URL, a package reference. For messages. */
  readonly described: string;
}

/** What a component sees as files below one guest path. */
export interface MountSource {
  /** Absolute, normalised guest path: "/" or "/data". */
  readonly guestPath: string;
  /** Absolute host path of a directory. */
  readonly hostPath: string;
  /** A snapshot cannot change while the app runs; a live mount is the user's own directory, or writable. */
  readonly kind: "snapshot" | "live";
  readonly access: "read" | "write";
}
