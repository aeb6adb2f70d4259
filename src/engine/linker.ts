// Names to host functions: what a guest may import, and with which type.
//
// A linker is filled at start-up and read when a module is pre-instantiated. It holds no state of a
// call: each host function gets the caller, whose `data` is that of the present call.

import type { FunctionType, ValueType } from "../wasm/mod.ts";
import type { HostFunction, SuspendingHostFunction } from "./caller.ts";

export type LinkedFunction<T> =
  | { readonly kind: "plain"; readonly type: FunctionType; readonly fn: HostFunction<T> }
  | { readonly kind: "suspending"; readonly type: FunctionType; readonly fn: SuspendingHostFunction<T> };

export class Linker<T> {
  readonly #modules = new Map<string, Map<string, LinkedFunction<T>>>();

  /**
   * Defines a host function that never waits.
   *
   * @param type parameters and results as text: `"i32 i32 -> i32"`, `"-> i64"`, `"i32 ->"`
   * @throws Error if the name is defined already
   */
  func(module: string, name: string, type: string, fn: HostFunction<T>): this {
    return this.#define(module, name, { kind: "plain", type: parseFunctionType(type), fn });
  }

  /** Defines a host function that may wait; it calls `caller.shift()` before it does. */
  suspending(module: string, name: string, type: string, fn: SuspendingHostFunction<T>): this {
    return this.#define(module, name, { kind: "suspending", type: parseFunctionType(type), fn });
  }

  get(module: string, name: string): LinkedFunction<T> | undefined {
    return this.#modules.get(module)?.get(name);
  }

  /** All names defined below a module name; for messages that suggest the nearest. */
  names(module: string): string[] {
    return [...(this.#modules.get(module)?.keys() ?? [])];
  }

  moduleNames(): string[] {
    return [...this.#modules.keys()];
  }

  #define(module: string, name: string, linked: LinkedFunction<T>): this {
    const names = this.#modules.get(module) ?? new Map<string, LinkedFunction<T>>();
    this.#modules.set(module, names);
    if (names.has(name)) throw new Error(`The linker has "${module}" "${name}" already`);
    names.set(name, linked);
    return this;
  }
}

const NUMBER_TYPES: ReadonlySet<string> = new Set(["i32", "i64", "f32", "f64"]);

function parseFunctionType(text: string): FunctionType {
  const [params, results, ...rest] = text.split("->").map((side) => side.split(" ").filter(Boolean));
  if (!params || !results || rest.length > 0) throw new Error(`"${text}" is not a function type`);
  return { params: params.map(parseValueType), results: results.map(parseValueType) };
}

function parseValueType(text: string): ValueType {
  if (!NUMBER_TYPES.has(text)) throw new Error(`"${text}" is not a type that host functions take`);
  // The set above holds members of ValueType only.
  return text as ValueType;
}
