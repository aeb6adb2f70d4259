// One core module in a slot: its instance, its exports, and what the rewriter added to it.

import { HEAP_STEP_BYTES, TABLE_ELEMENTS_MAX } from "../wasm/mod.ts";
import type { WasmValue } from "./caller.ts";
import type { LinkedInstance } from "./slot-plan.ts";

export type GuestFunction = (...args: readonly WasmValue[]) => WasmValue;
type PromisingFunction = (...args: readonly WasmValue[]) => Promise<WasmValue>;

/** Where the imports of an instance come from. */
export interface ImportSources {
  function(index: number): unknown;
  memory(index: number): { readonly memory: WebAssembly.Memory; readonly cards: WebAssembly.Memory };
  /** An export of another instance. */
  export(ref: { readonly instance: number; readonly name: string }): unknown;
  readonly epoch: WebAssembly.Memory;
  /** The functions of the tick table. */
  readonly ticks: readonly [late: unknown, giveWay: unknown, spent: unknown];
}

export class CoreInstance {
  readonly #linked: LinkedInstance;
  readonly #sources: ImportSources;
  readonly #tableElementsMax: number;
  #exports: WebAssembly.Instance["exports"] = {};
  #promising = new Map<string, PromisingFunction>();
  #restore: (() => void) | undefined;

  constructor(linked: LinkedInstance, sources: ImportSources, tableElementsMax: number) {
    this.#linked = linked;
    this.#sources = sources;
    this.#tableElementsMax = tableElementsMax;
    this.instantiate();
  }

  /** Makes the instance, or makes it anew. Data segments and the start function have not run yet. */
  instantiate(): void {
    const { compiled, rewritten } = this.#linked.module;
    const { exports } = new WebAssembly.Instance(compiled, this.#imports());
    this.#exports = exports;
    this.#promising.clear();
    const { ticks, restore, tableElementsLeft } = rewritten.hooks;
    if (ticks !== undefined) {
      // The rewriter promises a table under this name.
      const table = exports[ticks] as WebAssembly.Table;
      for (const [index, tick] of this.#sources.ticks.entries()) table.set(index, tick);
    }
    if (tableElementsLeft !== undefined) {
      // As above, with a mutable global of i64, which the tables' first elements have been taken from.
      const left = exports[tableElementsLeft] as WebAssembly.Global & { value: bigint };
      const value = left.value - BigInt(TABLE_ELEMENTS_MAX - this.#tableElementsMax);
      left.value = value > 0n ? value : 0n;
    }
    // As above, with a function.
    this.#restore = restore === undefined ? undefined : (exports[restore] as () => void);
  }

  /** Writes the data segments. @throws WebAssembly.RuntimeError where one is out of bounds */
  initializeData(): void {
    this.#callHook(this.#linked.module.rewritten.hooks.initializeData);
  }

  /** Keeps the globals as they are, as those at the start of each call. */
  saveGlobals(): void {
    this.#callHook(this.#linked.module.rewritten.hooks.save);
  }

  restoreGlobals(): void {
    this.#restore?.();
  }

  /**
   * Lets the guest allocate more on V8's heap, if it may allocate nothing for now.
   *
   * @returns bytes that it has been given in advance or taken beyond that
   */
  allowHeap(): number {
    const { heapBytesLeft } = this.#linked.module.rewritten.hooks;
    if (heapBytesLeft === undefined) return 0;
    // The rewriter promises a mutable global of i64 under this name.
    const left = this.#exports[heapBytesLeft] as WebAssembly.Global & { value: bigint };
    if (left.value >= 0n) return 0;
    const bytes = HEAP_STEP_BYTES - Number(left.value);
    left.value = BigInt(HEAP_STEP_BYTES);
    return bytes;
  }

  export(name: string): unknown {
    return this.#exports[name];
  }

  function(name: string): GuestFunction {
    const value = this.#exports[name];
    if (typeof value !== "function") throw new Error(`The guest exports no function "${name}"`);
    // An exported function takes and returns WebAssembly values; it checks them itself.
    return value as GuestFunction;
  }

  /** The same function on a stack of its own, which can be suspended. */
  promising(name: string): PromisingFunction {
    let promising = this.#promising.get(name);
    if (!promising) {
      // promising() wraps a guest's function, whose arguments and result are WebAssembly values.
      promising = WebAssembly.promising(this.function(name)) as PromisingFunction;
      this.#promising.set(name, promising);
    }
    return promising;
  }

  #callHook(name: string | undefined): void {
    if (name !== undefined) this.function(name)();
  }

  #imports(): WebAssembly.Imports {
    const { module, imports, memories } = this.#linked;
    const { importModule } = module.rewritten;
    const made: WebAssembly.Imports = {};
    const put = (moduleName: string, name: string, value: unknown) => {
      made[moduleName] ??= {};
      made[moduleName][name] = value;
    };
    for (const [index, cell] of memories.entries()) {
      const { memory, cards } = this.#sources.memory(cell);
      put(importModule, `memory${index}`, memory);
      put(importModule, `cards${index}`, cards);
    }
    put(importModule, "epoch", this.#sources.epoch);
    for (const { module: moduleName, name, source } of imports) {
      put(moduleName, name, this.#import(source));
    }
    return made;
  }

  #import(source: LinkedInstance["imports"][number]["source"]): unknown {
    switch (source.kind) {
      case "function":
        return this.#sources.function(source.index);
      case "memory":
        return this.#sources.memory(source.index).memory;
      case "export":
        return this.#sources.export(source.ref);
    }
  }
}
