// A module, or the modules of a component, with everything linked that can be linked ahead of time, and
// the pool of their slots.

import type { CoreRef } from "../component/mod.ts";
import { TABLE_ELEMENTS_MAX } from "../wasm/mod.ts";
import type { Share } from "./budget.ts";
import type { CompiledModule } from "./compiled-module.ts";
import type { Engine } from "./engine.ts";
import { freeLater } from "./free-memory.ts";
import { GearPolicy } from "./gears.ts";
import type { Invocation } from "./invocation.ts";
import { linkModule } from "./link-module.ts";
import type { Linker } from "./linker.ts";
import type { MemoryImage } from "./memory-cell.ts";
import { checkMinima, heapBytesOf } from "./minima.ts";
import { Slot } from "./slot.ts";
import type { LinkedGroup, SlotPlan, StoreHooks } from "./slot-plan.ts";
import { SlotPool } from "./slot-pool.ts";
import { Store } from "./store.ts";
import { trapObject } from "./trap.ts";
import type { Turn } from "./turns.ts";

const PAGE_BYTES = 65_536;
/** Pages of 64 KiB that a memory may have if nobody says otherwise: 512 MiB. */
const MEMORY_PAGES_MAX_DEFAULT = 8_192;
/** One short of 4 GiB: the bytes that a mark covers must not reach round the end of all addresses (see src/wasm/known-marks.ts). */
const MEMORY_PAGES_MAX = 65_535;

export interface InstancePreOptions<T> {
  /** The component's id; for errors. */
  readonly name: string;
  readonly hooks: StoreHooks<T>;
  /** Most pages of each memory. */
  readonly memoryPagesMax?: number;
  /** Most elements that the tables of an instance grow to. */
  readonly tableElementsMax?: number;
  /** Its part of turns and of memory, beside others of weight 1. Default 1. */
  readonly weight?: number;
  /** Whether an import answers the same in every call of this component, so that an initialiser that asks it need run only once. */
  isStable?(module: string, name: string): boolean;
}

export class InstancePre<T> implements SlotPlan<T>, Disposable {
  readonly engine: Engine;
  readonly name: string;
  readonly hooks: StoreHooks<T>;
  readonly group: LinkedGroup<T>;
  readonly gears: GearPolicy;
  readonly turn: Turn;
  readonly memoryShare: Share;
  readonly tableElementsMax: number;
  readonly isRecyclable: boolean;
  readonly shiftTrap = trapObject({ kind: "shift", cause: "wait" });
  readonly lateTrap = trapObject({ kind: "shift", cause: "tick" });
  readonly unstableTrap = trapObject({ kind: "unstable" });
  /** What the memories hold at the start of each call. */
  images: readonly MemoryImage[] = [];
  /** Exports to call at the start of each call, because they cannot be run ahead. */
  initializers: readonly CoreRef[] = [];
  readonly pool: SlotPool<Slot<T>>;
  readonly #frozenInitializers: readonly CoreRef[];
  /** Memories of all slots, by number. */
  readonly #places: Share;
  readonly #heapShare: Share;

  /**
   * Links a core module and makes its first slot.
   *
   * @throws LinkError with every import that cannot be satisfied
   * @throws MemoryLimitError or TableLimitError
   * @throws WebAssembly.RuntimeError if a segment is out of bounds
   * @throws SlotsExhaustedError
   */
  static ofModule<T>(
    { engine, linker }: { readonly engine: Engine; readonly linker: Linker<T> },
    module: CompiledModule,
    options: InstancePreOptions<T>,
  ): InstancePre<T> {
    const group = linkModule(linker, module, linkOptions(options));
    return new InstancePre(engine, group, { ...options, initializers: initializersOf(module) });
  }

  /** Makes the first slot of what is linked. @throws as `ofModule`, but for LinkError */
  constructor(
    engine: Engine,
    group: LinkedGroup<T>,
    options: InstancePreOptions<T> & { readonly initializers: readonly CoreRef[] },
  ) {
    this.tableElementsMax = options.tableElementsMax ?? TABLE_ELEMENTS_MAX;
    checkMinima(group, this.tableElementsMax);
    this.engine = engine;
    this.group = group;
    this.name = options.name;
    this.hooks = options.hooks;
    const codeBytes = group.instances.reduce((sum, { module }) => sum + module.rewritten.bytes.length, 0);
    this.gears = new GearPolicy(engine.gearing, codeBytes);
    const { weight = 1 } = options;
    this.turn = engine.turns.component({ weight });
    const shares = engine.shares(weight);
    this.memoryShare = shares.memoryBytes;
    this.#places = shares.memories;
    this.#heapShare = shares.heapBytes;
    this.isRecyclable = group.instances.every(({ module }) => module.rewritten.verdict.kind === "recyclable");
    // Each memory has a card table. A slot without memories counts too: nothing may be had without end.
    const memories = Math.max(1, 2 * group.memories.length);
    const heapBytes = heapBytesOf(group);
    this.pool = new SlotPool({
      make: () => this.#makeSlot(),
      reserve: (need) => this.#reserve({ memories, heapBytes }, need),
      release: (memoryBytes) => {
        this.#places.change(-memories);
        this.#heapShare.change(-heapBytes);
        freeLater(memoryBytes);
      },
      isComputing: () => this.turn.waiting.length > 0,
    });
    try {
      this.#frozenInitializers = this.#makeFirstSlot(options.initializers);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
    engine.addPool(this.pool);
    if (!engine.keepsUnused) this.pool.releaseIdle();
  }

  /** Where there is no room, idle slots of others are thrown away first. */
  #reserve(
    { memories, heapBytes }: { readonly memories: number; readonly heapBytes: number },
    need: "now" | "ahead",
  ): boolean {
    const bytes = this.group.memories.reduce((sum, { limits }) => sum + limits.min * PAGE_BYTES, 0);
    const hasRoom = () =>
      this.#places.room >= memories && this.memoryShare.room >= bytes && this.#heapShare.room >= heapBytes;
    if (!hasRoom() && need === "now") this.engine.releaseIdle(hasRoom);
    if (!hasRoom()) return false;
    this.#places.change(memories);
    this.#heapShare.change(heapBytes);
    return true;
  }

  /**
   * Takes a slot for one call, or a place among those who wait for one. Dispose the instance when the call is over.
   *
   * @throws SlotsExhaustedError
   */
  instantiate(store: Store<T>): Instance<T> {
    return new Instance(this.pool, this.pool.take(), store);
  }

  /** Makes the first slot, takes its image, and returns the initialisers whose effect is in the image. */
  #makeFirstSlot(initializers: readonly CoreRef[]): readonly CoreRef[] {
    const slot = this.pool.take();
    if (!slot) throw new Error(`Guests of "${this.name}" compute before there is one`);
    const capture = () => slot.capture().map((contents) => this.engine.images.of(contents));
    this.images = capture();
    const frozen =
      initializers.length > 0 &&
      this.isRecyclable &&
      slot.tryInitializers(new Store(this.hooks.initialData()), initializers);
    if (frozen) this.images = capture();
    else this.initializers = initializers;
    this.pool.give(slot);
    return frozen ? initializers : [];
  }

  #makeSlot(): Slot<T> {
    using made = new DisposableStack();
    const slot = made.use(new Slot(this));
    slot.initializeData();
    const initializers = this.#frozenInitializers ?? [];
    if (initializers.length > 0 && !slot.tryInitializers(new Store(this.hooks.initialData()), initializers)) {
      throw new Error(`The initialisers of "${this.name}" did not do the same twice`);
    }
    made.move();
    return slot;
  }

  [Symbol.dispose](): void {
    this.engine.removePool(this.pool);
    this.pool.releaseIdle();
    this.#places[Symbol.dispose]();
    this.#heapShare[Symbol.dispose]();
    this.memoryShare[Symbol.dispose]();
  }
}

/** An instance in a slot, for one call. */
export class Instance<T> implements Disposable {
  readonly #pool: SlotPool<Slot<T>>;
  readonly #store: Store<T>;
  /** Absent while it is waited for, and once it was given back. */
  #slot: Slot<T> | undefined;
  #isDisposed = false;

  constructor(pool: SlotPool<Slot<T>>, slot: Slot<T> | undefined, store: Store<T>) {
    this.#pool = pool;
    this.#slot = slot;
    this.#store = store;
  }

  /**
   * Runs the invocation. Returns at once if nothing had to be waited for, else a promise. Another call of the same
   * instance sees what the one before has left; it cannot be replayed, so it gives a promise.
   *
   * @throws SlotsExhaustedError (rejected), or what the store's signal says, if no slot came
   * @throws TrapError (thrown or rejected) if the guest ended by anything but a return
   */
  run<R>(invocation: Invocation<T, R>): R | Promise<R> {
    if (this.#isDisposed) throw new Error("The instance was given back");
    if (!this.#slot) return this.#runLater(invocation);
    const result = this.#slot.run(this.#store, invocation);
    if (result instanceof Promise) this.#pool.kept();
    return result;
  }

  /** Waits for the slot, if it is not there; `undefined`: it is. `run` waits, too, but starts in second gear then. */
  ready(): Promise<void> | undefined {
    return this.#slot ? undefined : this.#awaitSlot();
  }

  async #awaitSlot(): Promise<void> {
    const slot = await this.#pool.next(this.#store.signal);
    if (!this.#isDisposed) this.#slot = slot;
    else this.#pool.give(slot);
  }

  /** In second gear at once: whoever got a promise may pass on what the guest says, and a replay would say it again. */
  async #runLater<R>(invocation: Invocation<T, R>): Promise<R> {
    await this.ready();
    if (!this.#slot) throw new Error("The instance was given back before its slot came");
    const result = this.#slot.runSecond(this.#store, invocation);
    this.#pool.kept();
    return result;
  }

  /** Gives the slot back; it is made like new for the next call. */
  [Symbol.dispose](): void {
    const slot = this.#slot;
    this.#slot = undefined;
    this.#isDisposed = true;
    if (slot) this.#pool.give(slot);
  }
}

export function linkOptions<T>(options: Omit<InstancePreOptions<T>, "hooks">): {
  readonly memoryPagesMax: number;
  isStable(module: string, name: string): boolean;
} {
  return {
    memoryPagesMax: Math.min(options.memoryPagesMax ?? MEMORY_PAGES_MAX_DEFAULT, MEMORY_PAGES_MAX),
    isStable: (module, name) => options.isStable?.(module, name) ?? false,
  };
}

/** The start function, and `_initialize` where it is exported; `_start` is a command's main function, not an initialiser. */
export function initializersOf(module: CompiledModule, instance = 0): CoreRef[] {
  const { hooks, original } = module.rewritten;
  const reactor = original.exports.some((item) => item.kind === "func" && item.name === "_initialize");
  const names = [...(hooks.start === undefined ? [] : [hooks.start]), ...(reactor ? ["_initialize"] : [])];
  return names.map((name) => ({ instance, name }));
}
