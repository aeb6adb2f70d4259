// The scripts of the WebAssembly test suite, in the JSON form that `wasm-tools json-from-wast` writes.

export interface Script {
  readonly commands: readonly Command[];
}

/** A constant in a script. Numbers are the decimal value of their bits, or a pattern of NaN. */
export type Constant =
  | { readonly type: "i32" | "i64" | "f32" | "f64"; readonly value: string }
  | { readonly type: "v128"; readonly lane_type: LaneType; readonly value: readonly string[] }
  | { readonly type: "either"; readonly values: readonly Constant[] }
  /** References: `value` is "null", the number of a host object, or absent for "any that is not null". */
  | { readonly type: ReferenceKind; readonly value?: string };

export type LaneType = "i8" | "i16" | "i32" | "i64" | "f32" | "f64";

export type ReferenceKind =
  | "externref"
  | "funcref"
  | "anyref"
  | "eqref"
  | "i31ref"
  | "structref"
  | "arrayref"
  | "exnref"
  | "refnull"
  | "nullref"
  | "nullfuncref"
  | "nullexternref"
  | "nullexnref";

export interface Action {
  readonly type: "invoke" | "get";
  readonly module?: string;
  readonly field: string;
  readonly args?: readonly Constant[];
}

interface Line {
  readonly line: number;
}

interface ModuleFile {
  readonly filename: string;
  /** Only binary modules are of interest here. */
  readonly module_type: "binary" | "text";
}

export type Command = Line &
  (
    | ({ readonly type: "module"; readonly name?: string } & ModuleFile)
    | ({ readonly type: "module_definition"; readonly name?: string } & ModuleFile)
    | { readonly type: "module_instance"; readonly instance?: string; readonly module?: string }
    | { readonly type: "register"; readonly name?: string; readonly as: string }
    | { readonly type: "action"; readonly action: Action }
    | { readonly type: "assert_return"; readonly action: Action; readonly expected: readonly Constant[] }
    | { readonly type: "assert_trap" | "assert_exhaustion" | "assert_exception"; readonly action: Action }
    | ({ readonly type: "assert_invalid" | "assert_malformed" } & ModuleFile)
    | ({ readonly type: "assert_unlinkable" | "assert_uninstantiable" } & ModuleFile)
  );
