// The link plan of a component: what is instantiated, in which order, and what is connected to what.
//
// Instantiation in the component model is static, so it is done once, at load, on names and numbers:
// nested components, instances, aliases and inline exports are gone from a plan. What is left are core
// modules, core functions that the host makes, and the functions that the component imports and exports.

import type { CoreRef } from "./core-ref.ts";
import type { FunctionType, ResourceType } from "./types.ts";

export type { CoreRef } from "./core-ref.ts";

export interface ComponentPlan {
  /** The core modules, each once, as they stand in the binary. */
  readonly modules: readonly Uint8Array[];
  /** Core instances, in the order of their instantiation. */
  readonly instances: readonly CoreInstancePlan[];
  /** The functions that the host is to provide; each once, and only if something uses it. */
  readonly imports: readonly ImportedFunction[];
  /** Everything that the component imports by name, used or not: interfaces, functions, types. */
  readonly importNames: readonly string[];
  /** Resource types of the host that something uses; each once. */
  readonly importedResources: readonly Extract<ResourceType, { readonly kind: "imported" }>[];
  /** `canon lift`s that are reached. */
  readonly lifted: readonly LiftedFunction[];
  /** `canon lower`s that are reached. */
  readonly lowered: readonly LoweredFunction[];
  readonly exports: readonly ExportedItem[];
  /** Number of component instances, the root included (it is number 0): each has a handle table. */
  readonly componentInstances: number;
  /** Which instance each of them was instantiated by: to enter one is to enter those around it. The host's have none. */
  readonly parents: readonly (number | undefined)[];
}

export interface CoreInstancePlan {
  /** Index into `modules`. */
  readonly module: number;
  /** One for each import of the module, in its order. */
  readonly imports: readonly CoreImport[];
}

export interface CoreImport {
  readonly module: string;
  readonly name: string;
  readonly source: CoreSource;
}

export type CoreSource =
  | { readonly kind: "export"; readonly ref: CoreRef }
  | { readonly kind: "builtin"; readonly builtin: Builtin }
  /** A core function that the host has under this name, such as one of WASI preview 1: core modules that carry a component type may import them. */
  | { readonly kind: "host"; readonly module: string; readonly name: string };

/** A core function that the host makes. */
export type Builtin =
  /** `index` into `lowered`. */
  | { readonly kind: "lower"; readonly index: number }
  | {
      readonly kind: "resource-new" | "resource-drop" | "resource-rep";
      readonly resource: ResourceType;
      /** The component instance whose handle table is meant. */
      readonly componentInstance: number;
    };

export type StringEncoding = "utf8" | "utf16" | "latin1+utf16";

export interface CanonicalOptions {
  readonly memory?: CoreRef;
  readonly realloc?: CoreRef;
  readonly postReturn?: CoreRef;
  readonly stringEncoding: StringEncoding;
}

export interface ImportedFunction {
  /** Full name of the interface with its version; `undefined` for a function that the world imports by itself. */
  readonly interface: string | undefined;
  /** As in the binary: `get-random-bytes`, `[method]input-stream.read`, `[resource-drop]...` never. */
  readonly name: string;
  readonly type: FunctionType;
  /** Which dependency imports it, by the label that the composition gave it; `undefined` for the component itself. */
  readonly importer: string | undefined;
}

/** A function of a component, given to others or exported: a core function behind `canon lift`. */
export interface LiftedFunction {
  readonly core: CoreRef;
  readonly type: FunctionType;
  readonly options: CanonicalOptions;
  readonly componentInstance: number;
}

/** A function as core code of a component calls it. */
export interface LoweredFunction {
  readonly callee: { readonly kind: "import" | "lifted"; readonly index: number };
  readonly type: FunctionType;
  readonly options: CanonicalOptions;
  readonly componentInstance: number;
}

export type ExportedItem =
  /** `index` into `lifted`; an import that is exported again is `reexport`, an index into `imports`. */
  | { readonly kind: "function"; readonly name: string; readonly index: number }
  | { readonly kind: "reexport"; readonly name: string; readonly index: number }
  | { readonly kind: "instance"; readonly name: string; readonly items: readonly ExportedItem[] }
  /** Core modules, components and types that are exported have no use for a host, and are told by name only. */
  | {
      readonly kind: "other";
      readonly name: string;
      readonly what: "type" | "component" | "module" | "value";
    };
