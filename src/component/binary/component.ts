// A component as it stands in its binary: definitions in order, which name each other by index.
//
// Nothing is resolved here. Each definition adds to the index space of its sort; indices are checked
// where they are resolved, in link/.

import type { FunctionType, GlobalType, Limits, TableType } from "../../wasm/mod.ts";
import type { StringEncoding } from "../plan.ts";
import type { PrimitiveKind } from "../types.ts";

export interface Component {
  readonly definitions: readonly Definition[];
  readonly customSections: readonly ComponentCustomSection[];
  /** Of the first byte, in the outermost component. */
  readonly offset: number;
}

export interface ComponentCustomSection {
  readonly name: string;
  readonly contents: Uint8Array;
}

export type CoreSort = "func" | "table" | "memory" | "global" | "tag" | "type" | "module" | "instance";
export type ComponentSort = "func" | "value" | "type" | "component" | "instance";
export type Sort = ComponentSort | `core ${CoreSort}`;

export interface ItemIndex {
  readonly sort: Sort;
  readonly index: number;
}

export type Definition = { readonly offset: number } & (
  | CoreModuleDefinition
  | { readonly kind: "core instantiate"; readonly module: number; readonly args: readonly CoreArgument[] }
  | { readonly kind: "core exports"; readonly exports: readonly NamedItem[] }
  | { readonly kind: "core type"; readonly type: CoreTypeDefinition }
  | { readonly kind: "component"; readonly component: Component }
  | { readonly kind: "instantiate"; readonly component: number; readonly args: readonly NamedItem[] }
  | { readonly kind: "exports"; readonly exports: readonly NamedItem[] }
  | AliasDefinition
  | { readonly kind: "type"; readonly type: TypeDefinition }
  | CanonDefinition
  | { readonly kind: "start"; readonly function: number }
  | { readonly kind: "value" }
  | { readonly kind: "import"; readonly name: string; readonly type: ExternType }
  | { readonly kind: "export"; readonly name: string; readonly item: ItemIndex; readonly type?: ExternType }
);

export interface CoreModuleDefinition {
  readonly kind: "core module";
  readonly bytes: Uint8Array;
  /** Where `bytes` begin. */
  readonly offset: number;
}

export interface CoreArgument {
  readonly name: string;
  readonly instance: number;
}

export interface NamedItem {
  readonly name: string;
  readonly item: ItemIndex;
}

export interface AliasDefinition {
  readonly kind: "alias";
  readonly sort: Sort;
  readonly target:
    | { readonly kind: "export" | "core export"; readonly instance: number; readonly name: string }
    /** `scopes` outward from here; 0 is the scope of the alias itself. */
    | { readonly kind: "outer"; readonly scopes: number; readonly index: number };
}

export type CanonDefinition =
  | {
      readonly kind: "lift";
      readonly coreFunction: number;
      readonly type: number;
      readonly options: CanonOptions;
    }
  | { readonly kind: "lower"; readonly function: number; readonly options: CanonOptions }
  | { readonly kind: "resource-new" | "resource-drop" | "resource-rep"; readonly resource: number }
  /** A built-in that makes a core function which we cannot give; `name` as in the text format. */
  | { readonly kind: "unsupported canon"; readonly name: string };

export interface CanonOptions {
  readonly stringEncoding: StringEncoding;
  /** Index of a core memory. */
  readonly memory?: number;
  /** Indices of core functions. */
  readonly realloc?: number;
  readonly postReturn?: number;
  readonly callback?: number;
  /** Options that we cannot honour, as in the text format. */
  readonly unsupported: readonly string[];
}

/** An index into the types, or a primitive type. */
export type TypeReference = number | PrimitiveKind | "error-context";

export interface NamedType {
  readonly name: string;
  readonly type: TypeReference;
}

export type TypeDefinition =
  | { readonly kind: "primitive"; readonly type: Exclude<TypeReference, number> }
  | { readonly kind: "record"; readonly fields: readonly NamedType[] }
  | {
      readonly kind: "variant";
      readonly cases: readonly { readonly name: string; readonly type?: TypeReference }[];
    }
  | { readonly kind: "list"; readonly element: TypeReference; readonly length?: number }
  | { readonly kind: "tuple"; readonly elements: readonly TypeReference[] }
  | { readonly kind: "flags" | "enum"; readonly names: readonly string[] }
  | { readonly kind: "option"; readonly payload: TypeReference }
  | { readonly kind: "result"; readonly ok?: TypeReference; readonly error?: TypeReference }
  | { readonly kind: "own" | "borrow"; readonly resource: number }
  | { readonly kind: "stream" | "future"; readonly payload?: TypeReference }
  | { readonly kind: "map"; readonly key: TypeReference; readonly value: TypeReference }
  | {
      readonly kind: "func";
      readonly params: readonly NamedType[];
      readonly result?: TypeReference;
      readonly async: boolean;
    }
  | { readonly kind: "component" | "instance"; readonly declarations: readonly Declaration[] }
  | { readonly kind: "resource"; readonly destructor?: number };

/** What a component type or an instance type is made of. */
export type Declaration =
  | Extract<Definition, { readonly kind: "core type" | "type" | "alias" | "import" }>
  | {
      readonly kind: "declared export";
      readonly name: string;
      readonly type: ExternType;
      readonly offset: number;
    };

export type ExternType =
  /** Index of a core type, which is that of a module. */
  | { readonly kind: "core module"; readonly type: number }
  | { readonly kind: "func" | "component" | "instance"; readonly type: number }
  | { readonly kind: "type"; readonly bound: "resource" | { readonly equal: number } };

export type CoreTypeDefinition =
  | { readonly kind: "func"; readonly type: FunctionType }
  /** Struct or array. */
  | { readonly kind: "other" }
  | { readonly kind: "module"; readonly declarations: readonly CoreDeclaration[] };

export type CoreDeclaration =
  | { readonly kind: "type"; readonly type: CoreTypeDefinition }
  | { readonly kind: "alias"; readonly scopes: number; readonly index: number }
  | {
      readonly kind: "import";
      readonly module: string;
      readonly name: string;
      readonly type: CoreExternReference;
    }
  | { readonly kind: "export"; readonly name: string; readonly type: CoreExternReference };

/** The type of an import or export of a core module; functions and tags by the index of a core type. */
export type CoreExternReference =
  | { readonly kind: "func"; readonly type: number }
  | { readonly kind: "tag"; readonly type: number }
  | { readonly kind: "table"; readonly type: TableType }
  | { readonly kind: "memory"; readonly type: Limits }
  | { readonly kind: "global"; readonly type: GlobalType };
