// What a core module says about itself, as far as the engine and the linker need to know.
//
// Indices are those of the binary and of the specification: imports come first in each index space.

export type ValueType =
  | "i32"
  | "i64"
  | "f32"
  | "f64"
  | "v128"
  /** Every reference type, nullable or not, abstract or concrete, in the notation of the text format. */
  | `ref ${string}`;

export interface FunctionType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

export type CompositeType =
  | { readonly kind: "func"; readonly type: FunctionType }
  | { readonly kind: "struct"; readonly fields: number; readonly bytes: number }
  | { readonly kind: "array"; readonly elementBytes: number };

export interface Limits {
  /** Pages of 64 KiB for memories, elements for tables. */
  readonly min: number;
  readonly max?: number;
  readonly is64: boolean;
  readonly shared: boolean;
}

export interface GlobalType {
  readonly type: ValueType;
  readonly mutable: boolean;
}

export interface TableType {
  readonly type: ValueType;
  readonly limits: Limits;
}

export type ExternType =
  | { readonly kind: "func"; readonly type: FunctionType }
  | { readonly kind: "table"; readonly type: TableType }
  | { readonly kind: "memory"; readonly type: Limits }
  | { readonly kind: "global"; readonly type: GlobalType }
  | { readonly kind: "tag"; readonly type: FunctionType };

export type Import = ExternType & { readonly module: string; readonly name: string };
export type Export = ExternType & { readonly name: string; readonly index: number };

export interface CustomSection {
  readonly name: string;
  readonly contents: Uint8Array;
}

export interface CoreModule {
  readonly imports: readonly Import[];
  readonly exports: readonly Export[];
  /** All memories in index order, imported ones first. */
  readonly memories: readonly Limits[];
  /** Elements that the tables which it defines begin with. */
  readonly tableElements: number;
  readonly typeCount: number;
  /** Number of functions, imported ones included. */
  readonly functionCount: number;
  readonly hasStart: boolean;
  readonly customSections: readonly CustomSection[];
}
