// Generates the code of a function type: once for each, whatever number of functions have it.

import type { FunctionType as CoreFunctionType } from "../../wasm/mod.ts";
import type { ComponentPlan } from "../plan.ts";
import type { CoreValue } from "../slot-access.ts";
import type { ByteLists, FunctionType, ValueType } from "../types.ts";
import type { CanonicalContext } from "./canonical-context.ts";
import { endLoan } from "./component-state.ts";
import { FLAT_RESULTS_MAX, type FlatType, type Layout, type RecordLayout } from "./layout.ts";
import { ValueCode } from "./value-code.ts";

export type Callee = (...values: never[]) => unknown;
export type CoreFunction = (...flat: CoreValue[]) => CoreValue | undefined | Promise<CoreValue | undefined>;

/** Code of a function that core code of a component calls. */
export interface LoweringCode {
  readonly coreType: CoreFunctionType;
  /** Binds it to a slot. */
  readonly bind: (cx: CanonicalContext, callee: Callee) => CoreFunction;
}

/** Code for calls of a core function of a component. */
export interface LiftingCode {
  readonly coreType: CoreFunctionType;
  readonly functions: () => LiftingFunctions;
}

export interface LiftingFunctions {
  lower(cx: CanonicalContext, values: readonly unknown[]): CoreValue[];
  lift(cx: CanonicalContext, result: CoreValue | undefined): unknown;
}

const codes: Readonly<Record<ByteLists, WeakMap<ComponentPlan, FunctionCode>>> = {
  arrays: new WeakMap(),
  text: new WeakMap(),
};

/** All code of one plan, for one form of its lists of bytes. */
export class FunctionCode {
  readonly #values: ValueCode;
  readonly #lowerings = new Map<string, LoweringCode>();
  readonly #liftings = new Map<string, LiftingCode>();

  private constructor(byteLists: ByteLists) {
    this.#values = new ValueCode({ endLoan }, byteLists);
  }

  static of(plan: ComponentPlan, byteLists: ByteLists = "arrays"): FunctionCode {
    const code = codes[byteLists].get(plan) ?? new FunctionCode(byteLists);
    codes[byteLists].set(plan, code);
    return code;
  }

  /** `isLent`: whether borrowed handles must be kept from being dropped or given away while the call lasts. */
  lowering(type: FunctionType, { isLent }: { readonly isLent: boolean }): LoweringCode {
    const signature = this.#signature(type);
    const lends = signature.params.hasBorrow && (isLent || signature.params.hasOwn);
    const key = `${signature.key} ${lends}`;
    const code = this.#lowerings.get(key) ?? this.#makeLowering(signature, lends ? "lends" : "keeps");
    this.#lowerings.set(key, code);
    return code;
  }

  lifting(type: FunctionType): LiftingCode {
    const signature = this.#signature(type);
    const code = this.#liftings.get(signature.key) ?? this.#makeLifting(signature);
    this.#liftings.set(signature.key, code);
    return code;
  }

  #signature({ params, result }: FunctionType): Signature {
    const { layouts } = this.#values;
    const types: ValueType[] = params.map(({ type }) => type);
    const paramsLayout = layouts.tuple(types);
    const resultLayout = result === undefined ? undefined : layouts.of(result);
    const isFlat = (resultLayout?.flat?.length ?? Number.POSITIVE_INFINITY) <= FLAT_RESULTS_MAX;
    return {
      key: `${paramsLayout.id} ${resultLayout?.id}`,
      params: paramsLayout,
      result: resultLayout,
      resultPassing: resultLayout === undefined ? "none" : isFlat ? "flat" : "memory",
    };
  }

  #makeLowering(signature: Signature, borrows: "lends" | "keeps"): LoweringCode {
    const { params, result, resultPassing } = signature;
    const args = (params.flat ?? ["i32"]).map((_, index) => `a${index}`);
    const coreArgs = resultPassing === "memory" ? [...args, "ret"] : args;
    const lent = borrows === "lends" ? ", lent" : "";
    const source = `(cx, callee) => {
      const finish = (value${resultPassing === "memory" ? ", ret" : ""}${lent}) => {
        ${this.#lowerResult(signature)}
        ${lent && "endLoan(lent);"}
        ${result === undefined || resultPassing === "memory" ? "" : "return flat;"}
      };
      return (${coreArgs.join()}) => {
        cx.instance.checkLeave();
        ${params.hasSequence ? "cx.startLifting();" : ""}
        ${lent && "cx.instance.startLending();"}
        ${this.#liftParams(params, args)}
        ${lent && "const lent = cx.instance.stopLending();"}
        const value = callee(${params.fields.map((_, index) => `v${index}`).join()});
        return value instanceof Promise
          ? value.then((value) => finish(value${resultPassing === "memory" ? ", ret" : ""}${lent}))
          : finish(value${resultPassing === "memory" ? ", ret" : ""}${lent});
      };
    }`;
    const made = this.#values.later(source);
    return {
      coreType: coreType(signature, "lower"),
      // The source is that of such a function.
      bind: (cx, callee) => (made() as LoweringCode["bind"])(cx, callee),
    };
  }

  /** Statements that make `v0`, `v1` and so on of the core arguments. */
  #liftParams(params: Layout & RecordLayout, args: readonly string[]): string {
    const values = params.fields.map((field, index) => {
      if (params.flat === undefined) return this.#values.load(field, `at + ${params.offsets[index]}`);
      const start = params.fields.slice(0, index).reduce((sum, { flat }) => sum + (flat?.length ?? 0), 0);
      return this.#values.lift(field, args.slice(start, start + (field.flat?.length ?? 0)));
    });
    const area = `const at = cx.area(a0, ${params.size}, ${params.alignment}); const view = cx.memory.view;`;
    const declarations = values.map((value, index) => `const v${index} = ${value};`);
    return [params.flat === undefined ? area : "", ...declarations].join("\n");
  }

  /** Statements that make `flat` of `value`, or write it to memory at `ret`. */
  #lowerResult({ result, resultPassing }: Signature): string {
    if (result === undefined) return "";
    if (resultPassing === "memory")
      return `const at = cx.resultArea(ret, ${result.size}, ${result.alignment});
        let view = cx.memory.view; ${this.#values.store(result, "value", "at")}`;
    const one = this.#values.lowerOne(result, "value");
    if (one !== undefined) return `const flat = ${one};`;
    return `const out = [0]; ${this.#values.flatten(result, "value", "0")} const flat = out[0];`;
  }

  #makeLifting(signature: Signature): LiftingCode {
    const source = `{ lower: (cx, values) => {
        ${this.#lowerParams(signature.params)}
        return out;
      }, lift: (cx, result) => {
        ${this.#liftResult(signature)}
      } }`;
    const made = this.#values.later(source);
    // The source is that of such functions.
    return { coreType: coreType(signature, "lift"), functions: () => made() as LiftingFunctions };
  }

  #lowerParams(params: Layout & RecordLayout): string {
    const check = `list(values, ${params.fields.length});`;
    if (params.flat === undefined)
      return `${check} let at = cx.allocate(${params.alignment}, ${params.size});
        at = cx.resultArea(at, ${params.size}, ${params.alignment});
        let view = cx.memory.view; ${this.#values.store(params, "values", "at")}
        const out = [at];`;
    let next = 0;
    const statements = params.fields.map((field, index) => {
      const at = String(next);
      next += field.flat?.length ?? 0;
      return `{ const value = values[${index}]; ${this.#values.flatten(field, "value", at)} }`;
    });
    return `${check} const out = new Array(${next}); ${statements.join("\n")}`;
  }

  #liftResult({ result, resultPassing }: Signature): string {
    if (result === undefined) return "";
    const start = result.hasSequence ? "cx.startLifting();" : "";
    if (resultPassing === "flat") return `${start} return ${this.#values.lift(result, ["result"])};`;
    return `${start} const at = cx.area(result, ${result.size}, ${result.alignment});
      const view = cx.memory.view; return ${this.#values.load(result, "at")};`;
  }
}

interface Signature {
  readonly key: string;
  readonly params: Layout & RecordLayout;
  readonly result: Layout | undefined;
  readonly resultPassing: "none" | "flat" | "memory";
}

function coreType({ params, result, resultPassing }: Signature, side: "lift" | "lower"): CoreFunctionType {
  const flatParams: readonly FlatType[] = params.flat ?? ["i32"];
  switch (resultPassing) {
    case "none":
      return { params: flatParams, results: [] };
    case "flat":
      return { params: flatParams, results: result?.flat ?? [] };
    case "memory":
      return side === "lift"
        ? { params: flatParams, results: ["i32"] }
        : { params: [...flatParams, "i32"], results: [] };
  }
}
