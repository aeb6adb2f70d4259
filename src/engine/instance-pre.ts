// A module with everything linked that can be linked ahead of time, and the pool of its slots.

import type { FunctionType, Import } from "../wasm/mod.ts";
import type { CompiledModule, Engine } from "./engine.ts";
import { GearPolicy } from "./gears.ts";
import type { Invocation } from "./invocation.ts";
import type { Linker } from "./linker.ts";
import type { MemoryImage } from "./memory-cell.ts";
import { planShim, type ShimPlan } from "./shim.ts";
import { Slot } from "./slot.ts";
import type { LinkedImport, SlotPlan, StoreHooks } from "./slot-plan.ts";
import { SlotPool } from "./slot-pool.ts";
import { Store } from "./store.ts";
import { trapObject } from "./trap.ts";

/** Pages of 64 KiB that a memory may have if nobody says otherwise: 512 MiB. */
const MEMORY_PAGES_MAX_DEFAULT = 8_192;

export interface InstancePreOptions<T> {
  /** The component's id; for errors. */
  readonly name: string;
  readonly hooks: StoreHooks<T>;
  /** Most pages of each memory. */
  readonly memoryPagesMax?: number;
  /** Whether an import answers the same in every call of this component, so that an initialiser that asks it need run only once. */
  isStable?(module: string, name: string): boolean;
}

/** One import that cannot be satisfied, and why. */
export interface LinkProblem {
  readonly import: Import;
  readonly reason: "unknown" | "type";
  /** The type that the linker has under that name. */
  readonly expected?: FunctionType;
}

export class LinkError extends Error {
  override readonly name = "LinkError";
  readonly problems: readonly LinkProblem[];
  constructor(problems: readonly LinkProblem[]) {
    super(problems.map(({ import: { module, name } }) => `"${module}" "${name}"`).join(", "));
    this.problems = problems;
  }
}

export class InstancePre<T> implements SlotPlan<T>, Disposable {
  readonly engine: Engine;
  readonly module: CompiledModule;
  readonly name: string;
  readonly hooks: StoreHooks<T>;
  readonly memoryPagesMax: number;
  readonly plain: readonly LinkedImport<T>[];
  readonly suspending: readonly LinkedImport<T>[];
  readonly shim: ShimPlan;
  readonly gears: GearPolicy;
  readonly shiftTrap = trapObject({ kind: "shift" });
  readonly unstableTrap = trapObject({ kind: "unstable" });
  /** What the memories hold at the start of each call. */
  images: readonly MemoryImage[] = [];
  /** Exports to call at the start of each call, because they cannot be run ahead. */
  initializers: readonly string[] = [];
  readonly pool: SlotPool<Slot<T>>;
  readonly #frozenInitializers: readonly string[];

  /**
   * Links the module and makes its first slot.
   *
   * @throws LinkError with every import that cannot be satisfied
   * @throws WebAssembly.RuntimeError if a segment is out of bounds
   * @throws SlotsExhaustedError
   */
  constructor(engine: Engine, linker: Linker<T>, module: CompiledModule, options: InstancePreOptions<T>) {
    this.engine = engine;
    this.module = module;
    this.name = options.name;
    this.hooks = options.hooks;
    this.memoryPagesMax = options.memoryPagesMax ?? MEMORY_PAGES_MAX_DEFAULT;
    const linked = linkImports(linker, module, options);
    this.plain = linked.filter((item) => item.linked.kind === "plain");
    this.suspending = linked.filter((item) => item.linked.kind === "suspending");
    this.shim = planShim(this.suspending.map((item) => item.linked.type));
    this.gears = new GearPolicy(engine.gearing);
    // A slot without memories counts too: nothing may be had without end.
    const memories = Math.max(1, 2 * module.rewritten.original.memories.length);
    this.pool = new SlotPool({
      make: () => this.#makeSlot(),
      reserve: () => engine.reserve(memories),
      release: (grownBytes) => engine.release(memories, grownBytes),
    });
    this.#frozenInitializers = this.#makeFirstSlot();
    engine.addPool(this.pool);
  }

  /** Takes a slot for one call. Dispose the instance when the call is over. */
  instantiate(store: Store<T>): Instance<T> {
    return new Instance(this.pool, this.pool.take(), store);
  }

  /** Makes the first slot, takes its image, and returns the initialisers whose effect is in the image. */
  #makeFirstSlot(): readonly string[] {
    const initializers = initializersOf(this.module);
    const slot = this.pool.take();
    this.images = slot.capture();
    const frozen =
      initializers.length > 0 &&
      this.module.rewritten.verdict.kind === "recyclable" &&
      slot.tryInitializers(new Store(this.hooks.initialData()), initializers);
    if (frozen) this.images = slot.capture();
    else this.initializers = initializers;
    this.pool.give(slot);
    return frozen ? initializers : [];
  }

  #makeSlot(): Slot<T> {
    const slot = new Slot(this);
    slot.initializeData();
    const initializers = this.#frozenInitializers ?? [];
    if (initializers.length === 0) return slot;
    if (slot.tryInitializers(new Store(this.hooks.initialData()), initializers)) return slot;
    throw new Error(`The initialisers of "${this.name}" did not do the same twice`);
  }

  [Symbol.dispose](): void {
    this.engine.removePool(this.pool);
    this.pool.releaseIdle();
  }
}

/** An instance in a slot, for one call. */
export class Instance<T> implements Disposable {
  readonly #pool: SlotPool<Slot<T>>;
  readonly #store: Store<T>;
  #slot: Slot<T> | undefined;

  constructor(pool: SlotPool<Slot<T>>, slot: Slot<T>, store: Store<T>) {
    this.#pool = pool;
    this.#slot = slot;
    this.#store = store;
  }

  /**
   * Runs the invocation. Returns at once if the guest never waited, else a promise.
   *
   * @throws TrapError (thrown or rejected) if the guest ended by anything but a return
   */
  run<R>(invocation: Invocation<T, R>): R | Promise<R> {
    if (!this.#slot) throw new Error("The instance was given back");
    const result = this.#slot.run(this.#store, invocation);
    if (result instanceof Promise) this.#pool.replenish();
    return result;
  }

  /** Gives the slot back; it is made like new for the next call. */
  [Symbol.dispose](): void {
    const slot = this.#slot;
    this.#slot = undefined;
    if (slot) this.#pool.give(slot);
  }
}

function linkImports<T>(
  linker: Linker<T>,
  module: CompiledModule,
  options: InstancePreOptions<T>,
): LinkedImport<T>[] {
  const problems: LinkProblem[] = [];
  const linked: LinkedImport<T>[] = [];
  for (const item of module.rewritten.original.imports) {
    const found = item.kind === "func" ? linker.get(item.module, item.name) : undefined;
    if (item.kind !== "func" || !found) problems.push({ import: item, reason: "unknown" });
    else if (!sameType(item.type, found.type)) {
      problems.push({ import: item, reason: "type", expected: found.type });
    } else {
      const stable = options.isStable?.(item.module, item.name) ?? false;
      linked.push({ module: item.module, name: item.name, linked: found, stable });
    }
  }
  if (problems.length > 0) throw new LinkError(problems);
  return linked;
}

function sameType(a: FunctionType, b: FunctionType): boolean {
  return a.params.join() === b.params.join() && a.results.join() === b.results.join();
}

/** The start function, and `_initialize` where it is exported; `_start` is a command's main function, not an initialiser. */
function initializersOf(module: CompiledModule): string[] {
  const { hooks, original } = module.rewritten;
  const reactor = original.exports.find((item) => item.kind === "func" && item.name === "_initialize");
  return [...(hooks.start === undefined ? [] : [hooks.start]), ...(reactor ? ["_initialize"] : [])];
}
