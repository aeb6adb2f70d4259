// What the rewriter adds to a module behind the guest's own: types, functions, globals, exports.
//
// Indices are given out at once and never change, since everything is appended.

import { ByteWriter } from "./byte-writer.ts";
import type { Layout } from "./layout.ts";
import type { ValueType } from "./module.ts";
import { type EXTERN, OP } from "./opcodes.ts";
import { encodeFunctionType } from "./value-types.ts";

export class Appendix {
  readonly types: Uint8Array[] = [];
  /** Type index of each added function. */
  readonly functions: number[] = [];
  /** Locals and code of each added function. */
  readonly bodies: Uint8Array[] = [];
  readonly globals: Uint8Array[] = [];
  readonly exports: Uint8Array[] = [];
  readonly #layout: Layout;
  readonly #typeIndices = new Map<string, number>();
  readonly #exportNames: Set<string>;

  constructor(layout: Layout) {
    this.#layout = layout;
    this.#exportNames = new Set(layout.exports.map(({ name }) => name));
  }

  /** The index of a function type; equal types are added once. */
  type(params: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${params} -> ${results}`;
    let index = this.#typeIndices.get(key);
    if (index === undefined) {
      index = this.#layout.types.length + this.types.length;
      this.types.push(encodeFunctionType({ params, results }));
      this.#typeIndices.set(key, index);
    }
    return index;
  }

  /** Adds a function; `body` begins with its locals. */
  func(type: number, body: Uint8Array): number {
    this.functions.push(type);
    this.bodies.push(body);
    return this.#layout.functions.length + this.functions.length - 1;
  }

  /** Adds a mutable global; type and initialiser (without its `end`) are in binary form. */
  global(type: Uint8Array, initialiser: Uint8Array): number {
    const encoded = new ByteWriter().append(type).u8(1).append(initialiser).u8(OP.END);
    this.globals.push(encoded.take());
    return this.#layout.globals.length + this.globals.length - 1;
  }

  /** Exports something under a name that the guest does not use, and returns the name. */
  export(name: string, kind: (typeof EXTERN)[keyof typeof EXTERN], index: number): string {
    const unused = unusedName(`spindle:${name}`, this.#exportNames);
    this.#exportNames.add(unused);
    this.exports.push(new ByteWriter().name(unused).u8(kind).u32(index).take());
    return unused;
  }
}

export function unusedName(wanted: string, used: ReadonlySet<string>): string {
  let name = wanted;
  while (used.has(name)) name += "_";
  return name;
}
