// Where the modules of a script live: two worlds which differ only in what they make of a module.
//
// The original world gives modules to V8 as they are, the other gives it rewritten ones.

import {
  type FunctionType,
  type GlobalType,
  type Limits,
  MalformedModuleError,
  ModuleBuilder,
  OP,
  type RewrittenModule,
  readModule,
  rewrite,
} from "../../src/wasm/mod.ts";
import { HarnessInstance, HarnessMemory } from "./wasm-harness.ts";
import { invoker, type Result } from "./wasm-invoke.ts";
import type { Constant } from "./wasm-script.ts";

export interface WorldInstance {
  readonly exports: Record<string, unknown>;
  invoke(field: string, args: readonly Constant[]): Result[];
  get(field: string): Result[];
  /** Present for rewritten modules that import nothing but what cannot change. */
  readonly recyclable?: HarnessInstance;
}

export interface World {
  /** Throws if the bytes are not a valid module. */
  compile(bytes: Uint8Array): void;
  instantiate(bytes: Uint8Array): WorldInstance;
  register(name: string, instance: WorldInstance): void;
}

type Modules = Record<string, Record<string, unknown>>;

/** What `spectest` holds beside its memory, by the suite's own README. */
function spectest(memory: WebAssembly.Memory): Record<string, unknown> {
  const print = (): void => {};
  return {
    print,
    print_i32: print,
    print_i64: print,
    print_f32: print,
    print_f64: print,
    print_i32_f32: print,
    print_f64_f64: print,
    global_i32: new WebAssembly.Global({ value: "i32" }, 666),
    global_i64: new WebAssembly.Global({ value: "i64" }, 666n),
    global_f32: new WebAssembly.Global({ value: "f32" }, 666.6),
    global_f64: new WebAssembly.Global({ value: "f64" }, 666.6),
    table: new WebAssembly.Table({ element: "anyfunc", initial: 10, maximum: 20 }),
    table64: table64(),
    memory,
  };
}

/** Tables with addresses of 64 bits; the declarations of the API do not have them yet. */
function table64(): unknown {
  const descriptor = { element: "anyfunc", address: "i64", initial: 10n, maximum: 20n };
  // V8 takes bigints here if `address` is "i64".
  return new WebAssembly.Table(descriptor as unknown as { element: string; initial: number });
}

const SPECTEST_MEMORY: Limits = { min: 1, max: 2, is64: false, shared: false };

export class OriginalWorld implements World {
  readonly #modules: Modules = { spectest: spectest(new WebAssembly.Memory({ initial: 1, maximum: 2 })) };

  compile(bytes: Uint8Array): void {
    new WebAssembly.Module(bytes);
  }

  instantiate(bytes: Uint8Array): WorldInstance {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), this.#modules);
    return accessors(exports, bytes);
  }

  register(name: string, instance: WorldInstance): void {
    this.#modules[name] = instance.exports;
  }
}

export class RewrittenWorld implements World {
  /** By the memory that the guest sees, so that whoever imports it gets its card table too. */
  readonly #memories = new Map<unknown, HarnessMemory>();
  readonly #modules: Modules;
  #polls = 0;

  constructor() {
    const memory = new HarnessMemory(SPECTEST_MEMORY);
    this.#memories.set(memory.memory, memory);
    this.#modules = { spectest: spectest(memory.memory) };
  }

  compile(bytes: Uint8Array): void {
    new WebAssembly.Module(rewrite(bytes).bytes);
  }

  instantiate(bytes: Uint8Array): WorldInstance {
    const rewritten = rewrite(bytes);
    const harness = this.#link(rewritten);
    harness.initialize();
    const instance = accessors(harness.instance.exports, bytes);
    if (!isSelfContained(rewritten)) return instance;
    harness.takeImage();
    return { ...instance, recyclable: harness };
  }

  /** A fresh instance of a module that there is an instance of already. */
  fresh(rewritten: RewrittenModule): HarnessInstance {
    const harness = this.#link(rewritten);
    harness.initialize();
    harness.takeImage();
    return harness;
  }

  #link(rewritten: RewrittenModule): HarnessInstance {
    const harness = new HarnessInstance(rewritten, this.#modules, {
      importedMemories: this.#importedMemories(rewritten),
      // Every other tick waits, so that both functions of the table are called.
      poll: () => this.#polls++ & 1,
    });
    for (const memory of harness.memories) this.#memories.set(memory.memory, memory);
    harness.tickAlways();
    return harness;
  }

  /** Checks what V8 cannot check for us: a memory that we made always has a maximum. */
  #importedMemories(rewritten: RewrittenModule): HarnessMemory[] {
    return rewritten.original.imports.flatMap((wanted) => {
      if (wanted.kind !== "memory") return [];
      const given = this.#memories.get(this.#modules[wanted.module]?.[wanted.name]);
      if (!given || !fits(given, wanted.type)) {
        throw new WebAssembly.LinkError(`Import "${wanted.module}" "${wanted.name}" is no such memory`);
      }
      return [given];
    });
  }

  register(name: string, instance: WorldInstance): void {
    this.#modules[name] = instance.exports;
  }
}

function fits(given: HarnessMemory, wanted: Limits): boolean {
  const { is64, shared, max = Number.POSITIVE_INFINITY } = given.limits;
  if (is64 !== wanted.is64 || shared !== wanted.shared || given.pages < wanted.min) return false;
  return wanted.max === undefined || max <= wanted.max;
}

function isSelfContained({ original, verdict }: RewrittenModule): boolean {
  if (verdict.kind !== "recyclable") return false;
  return original.imports.every(
    (imported) =>
      (imported.kind === "func" && imported.module === "spectest") ||
      (imported.kind === "global" && !imported.type.mutable),
  );
}

function accessors(exports: Record<string, unknown>, bytes: Uint8Array): WorldInstance {
  const types = new Map(readModule(bytes).exports.map((entry) => [entry.name, entry]));
  const invokers = new Map<string, (args: readonly Constant[]) => Result[]>();
  return {
    exports,
    invoke(field, args) {
      let invoke = invokers.get(field);
      if (!invoke) {
        invoke = invoker(exports[field], functionType(types.get(field)));
        invokers.set(field, invoke);
      }
      return invoke(args);
    },
    get(field) {
      const entry = types.get(field);
      if (entry?.kind !== "global") throw new Error(`No global "${field}"`);
      return readGlobal(exports[field], entry.type);
    },
  };
}

function functionType(entry: ReturnType<typeof readModule>["exports"][number] | undefined): FunctionType {
  if (entry?.kind !== "func") throw new Error("No such function");
  return entry.type;
}

/** Reads a global through a module that imports it, so that no bits are lost. */
function readGlobal(global: unknown, type: GlobalType): Result[] {
  const builder = new ModuleBuilder();
  const index = builder.importGlobal("", "g", type);
  const getter = builder.func({ params: [], results: [type.type] }, [], (code) =>
    code.u8(OP.GLOBAL_GET).u32(index),
  );
  builder.exportFunction("get", getter);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(builder.build()), {
    "": { g: global },
  });
  return invoker(exports.get, { params: [], results: [type.type] })([]);
}

/** Whether both say no to a module, each in its own way. */
export function isRejection(error: unknown): boolean {
  return error instanceof WebAssembly.CompileError || error instanceof MalformedModuleError;
}
