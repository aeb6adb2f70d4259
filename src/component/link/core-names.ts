// How core modules name what their world imports and exports.
//
// The names of old are what all bindings generators use; the standard ones begin with `cm32p2`.
// Facts: crates/wit-component/src/validation.rs in bytecodealliance/wasm-tools; BuildTargets.md in
// WebAssembly/component-model.

import { versionTrack } from "./version-track.ts";

export type ResourceOperation = "resource-new" | "resource-drop" | "resource-rep";

/** What a core import is of the world. */
export interface WorldImport {
  /** Name of the interface; `undefined` for what the world imports by itself. */
  readonly interface: string | undefined;
  /** Whether it belongs to an interface that the module exports: then it is about a resource. */
  readonly isOfExport: boolean;
  /** Absent for a function. */
  readonly operation?: ResourceOperation;
  /** Of the function or resource. */
  readonly name: string;
}

export interface CoreNames {
  readonly memory: string;
  readonly initialize: string;
  /** In order of preference. */
  readonly reallocs: { readonly lift: readonly string[]; readonly lower: readonly string[] };
  function(interfaceName: string | undefined, name: string): string;
  postReturn(interfaceName: string | undefined, name: string): string;
  destructor(interfaceName: string, resource: string): string;
}

const OLD_NAMES: CoreNames = {
  memory: "memory",
  initialize: "_initialize",
  reallocs: {
    lift: ["cabi_export_realloc", "cabi_realloc", "canonical_abi_realloc"],
    lower: ["cabi_import_realloc", "cabi_realloc", "canonical_abi_realloc"],
  },
  function: (interfaceName, name) => (interfaceName === undefined ? name : `${interfaceName}#${name}`),
  postReturn: (interfaceName, name) => `cabi_post_${OLD_NAMES.function(interfaceName, name)}`,
  destructor: (interfaceName, resource) => `${interfaceName}#[dtor]${resource}`,
};

const STANDARD_NAMES: CoreNames = {
  memory: "cm32p2_memory",
  initialize: "cm32p2_initialize",
  reallocs: { lift: ["cm32p2_realloc"], lower: ["cm32p2_realloc"] },
  function: (interfaceName = "", name) => `cm32p2|${versionTrack(interfaceName)}|${name}`,
  postReturn: (interfaceName, name) => `${STANDARD_NAMES.function(interfaceName, name)}_post`,
  destructor: (interfaceName, resource) => `${STANDARD_NAMES.function(interfaceName, resource)}_dtor`,
};

/** The names that a module with these exports uses. */
export function namesOfExports(exports: readonly { readonly name: string }[]): CoreNames {
  return exports.some(({ name }) => name.startsWith("cm32p2")) ? STANDARD_NAMES : OLD_NAMES;
}

/** Reads the names of a core import, which need not be one of the world. */
export function readImportNames(module: string, name: string): WorldImport {
  return module === "cm32p2" || module.startsWith("cm32p2|")
    ? readStandardNames(module.slice("cm32p2|".length), name)
    : readOldNames(module, name);
}

function readOldNames(module: string, name: string): WorldImport {
  const isOfExport = module.startsWith("[export]");
  const interfaceName = module.slice(isOfExport ? "[export]".length : 0);
  // Dropping was two functions in 2023.
  const [, operation, resource] = /^\[resource-(new|rep|drop)(?:-own|-borrow)?\](.*)$/.exec(name) ?? [];
  return {
    interface: interfaceName === "$root" ? undefined : interfaceName,
    isOfExport,
    name: resource ?? name,
    ...operationOf(operation),
  };
}

function readStandardNames(path: string, name: string): WorldImport {
  const isOfExport = path.startsWith("_ex_");
  const interfaceName = path.slice(isOfExport ? "_ex_".length : 0);
  const [, resource, operation] = /^(.*)_(new|rep|drop)$/.exec(name) ?? [];
  return {
    interface: interfaceName === "" ? undefined : interfaceName,
    isOfExport,
    name: resource ?? name,
    ...operationOf(operation),
  };
}

function operationOf(operation: string | undefined): { readonly operation?: ResourceOperation } {
  switch (operation) {
    case "new":
      return { operation: "resource-new" };
    case "rep":
      return { operation: "resource-rep" };
    case "drop":
      return { operation: "resource-drop" };
    default:
      return {};
  }
}
