// A slot for tests: core modules made of text, linked as a plan says, and not restored.

import { assembleText } from "../../wasm/mod.ts";
import type { ComponentPlan, CoreImport, CoreRef } from "../plan.ts";
import type { CanonicalMemory, CoreValue, SlotAccess } from "../slot-access.ts";
import type { ByteLists } from "../types.ts";
import { builtinFunction } from "./builtin-function.ts";
import { ComponentState } from "./component-state.ts";
import type { Callee, CoreFunction } from "./function-code.ts";
import { type BoundLifting, liftFunction } from "./lift-function.ts";
import { lowerFunction } from "./lower-function.ts";

/** A plan with what tests seldom care for left out. */
export type TestPlan = Partial<ComponentPlan> & { readonly texts?: readonly string[] };

/** A memory of two pages, and an allocator that gives out what follows 1024 and can be told what to answer. */
export const ALLOCATING_MODULE = `(module
  (memory (export "memory") 2 100)
  (global $next (mut i32) (i32.const 1024))
  (global $answer (export "answer") (mut i32) (i32.const 0))
  (global $calls (export "calls") (mut i32) (i32.const 0))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32)
    (local $start i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (if (global.get $answer) (then (return (global.get $answer))))
    (local.set $start (i32.and (i32.add (global.get $next) (i32.sub (local.get 2) (i32.const 1)))
                               (i32.sub (i32.const 0) (local.get 2))))
    (global.set $next (i32.add (local.get $start) (local.get 3)))
    (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
      (then (drop (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get 3) (i32.const 16)))))))
    (local.get $start)))`;

export const MEMORY: CoreRef = { instance: 0, name: "memory" };
export const REALLOC: CoreRef = { instance: 0, name: "realloc" };

export class TestSlot implements SlotAccess {
  readonly plan: ComponentPlan;
  readonly state: ComponentState;
  readonly #host: readonly Callee[];
  readonly #instances: WebAssembly.Instance[] = [];
  readonly #memories = new Map<string, TestMemory>();
  readonly #gear: "first" | "second";

  private constructor(plan: ComponentPlan, host: readonly Callee[], gear: "first" | "second") {
    this.plan = plan;
    this.#host = host;
    this.#gear = gear;
    this.state = new ComponentState(plan, this);
  }

  /** `host`: a function for each import of the plan. In second gear, guests may be suspended. */
  static async make(
    { texts = [ALLOCATING_MODULE], ...plan }: TestPlan,
    { host = [], gear = "first" }: { host?: readonly Callee[]; gear?: "first" | "second" } = {},
  ): Promise<TestSlot> {
    const modules = await Promise.all(texts.map(assembled));
    const full: ComponentPlan = {
      modules,
      instances: modules.map((_, module) => ({ module, imports: [] })),
      imports: [],
      importNames: [],
      importedResources: [],
      lifted: [],
      lowered: [],
      exports: [],
      componentInstances: 1,
      parents: [undefined],
      ...plan,
    };
    const slot = new TestSlot(full, host, gear);
    for (const { module, imports } of full.instances) slot.#instantiate(modules[module], imports);
    return slot;
  }

  #instantiate(bytes: Uint8Array = new Uint8Array(), imports: readonly CoreImport[]): void {
    const all: Record<string, Record<string, unknown>> = {};
    for (const { module, name, source } of imports) {
      const names = all[module] ?? {};
      names[name] = source.kind === "export" ? this.core(source.ref) : this.#imported(source);
      all[module] = names;
    }
    this.#instances.push(new WebAssembly.Instance(new WebAssembly.Module(bytes), all));
  }

  #imported(source: CoreImport["source"]): unknown {
    if (source.kind !== "builtin") throw new Error(`A ${source.kind} is not in the tests`);
    const { builtin } = source;
    const fn =
      builtin.kind === "lower" ? this.lowered(builtin.index) : builtinFunction(builtin).bind(this.state);
    if (this.#gear === "first") return fn;
    return new WebAssembly.Suspending(fn);
  }

  lowered(index: number, byteLists?: ByteLists): CoreFunction {
    const callee = this.plan.lowered[index]?.callee;
    const host = callee?.kind === "import" ? this.#host[callee.index] : undefined;
    return lowerFunction(this.plan, index, byteLists).bind(this.state, host);
  }

  lifting(index: number): BoundLifting {
    return liftFunction(this.plan, index).bind(this.state);
  }

  /** Calls an exported function of the component, as the engine does. */
  invoke(index: number, ...values: readonly unknown[]): unknown {
    const core = this.plan.lifted[index]?.core;
    if (core === undefined) throw new Error(`There is no lifted function ${index}`);
    const lifting = this.lifting(index);
    const result = this.callSuspendable(core, lifting.lower(values));
    return result instanceof Promise ? result.then(lifting.lift) : lifting.lift(result);
  }

  /** What a core instance exports. */
  core({ instance, name }: CoreRef): WebAssembly.Exported {
    const found = this.#instances[instance]?.exports[name];
    if (found === undefined) throw new Error(`Instance ${instance} exports no "${name}"`);
    return found;
  }

  global(name: string, instance = 0): WebAssembly.Global {
    const found = this.core({ instance, name });
    if (!(found instanceof WebAssembly.Global)) throw new Error(`"${name}" is no global`);
    return found;
  }

  memory(ref: CoreRef = MEMORY): TestMemory {
    const key = `${ref.instance} ${ref.name}`;
    const found = this.#memories.get(key) ?? new TestMemory(this.core(ref));
    this.#memories.set(key, found);
    return found;
  }

  call(ref: CoreRef, ...args: readonly CoreValue[]): CoreValue | undefined {
    const fn = this.core(ref);
    if (typeof fn !== "function") throw new Error(`"${ref.name}" is no function`);
    // Core functions return numbers or nothing.
    return fn(...args) as CoreValue | undefined;
  }

  callSuspendable(
    ref: CoreRef,
    args: readonly CoreValue[],
  ): CoreValue | undefined | Promise<CoreValue | undefined> {
    if (this.#gear === "first") return this.call(ref, ...args);
    // Core functions return numbers or nothing.
    return WebAssembly.promising(this.core(ref))(...args) as Promise<CoreValue | undefined>;
  }
}

const binaries = new Map<string, Promise<Uint8Array>>();

function assembled(text: string): Promise<Uint8Array> {
  const binary = binaries.get(text) ?? assembleText(text);
  binaries.set(text, binary);
  return binary;
}

/** A memory that knows what was marked. */
export class TestMemory implements CanonicalMemory {
  readonly #memory: WebAssembly.Memory;
  readonly #marked: { readonly start: number; readonly end: number }[] = [];

  constructor(memory: WebAssembly.Exported) {
    if (!(memory instanceof WebAssembly.Memory)) throw new Error("It is no memory");
    this.#memory = memory;
  }
  get byteLength(): number {
    return this.#memory.buffer.byteLength;
  }
  get bytes(): Buffer {
    return Buffer.from(this.#memory.buffer);
  }
  get view(): DataView {
    return new DataView(this.#memory.buffer);
  }
  check(pointer: number, length: number): number {
    if ((pointer >>> 0) + length > this.byteLength) throw new RangeError("Outside of memory");
    return pointer >>> 0;
  }
  writable(pointer: number, length: number): Buffer {
    const start = this.check(pointer, length);
    this.mark(start, length);
    return this.bytes.subarray(start, start + length);
  }
  mark(pointer: number, length: number): void {
    this.#marked.push({ start: pointer, end: pointer + length });
  }

  /** Whether nothing but what was marked is other than it was. */
  isChangedWhereMarked(before: Uint8Array): boolean {
    const expected = Buffer.alloc(this.byteLength);
    expected.set(before);
    for (const { start, end } of this.#marked) this.bytes.copy(expected, start, start, end);
    return expected.equals(this.bytes);
  }
}
