// A slot: one linked instance with its memories, in which calls run one after another, each in a state
// that is exactly fresh.
//
// A slot is always in one phase. Only `idle` slots are in a pool. `trial` is the run of the
// initialisers at start-up, which ends at the first import whose answer may change.

import type { ValueType } from "../wasm/mod.ts";
import { wasmBacktrace } from "./backtrace.ts";
import { bindHostCall, failure, type HostCall } from "./bind.ts";
import type { Caller, WasmValue } from "./caller.ts";
import { GuestMemory } from "./guest-memory.ts";
import { type EndReason, type Invocation, TrapError } from "./invocation.ts";
import type { LinkedFunction } from "./linker.ts";
import { MemoryCell, type MemoryImage } from "./memory-cell.ts";
import { pairName, plainName, SHIM, waitName } from "./shim.ts";
import type { SlotPlan } from "./slot-plan.ts";
import type { Store } from "./store.ts";
import { type Ending, endingOf, isStackOverflow, trapObject } from "./trap.ts";

const PAGE_BYTES = 65_536;
/** Most time in code that cannot be suspended, such as an allocator called by the host. */
const UNSUSPENDABLE_MS_MAX = 500;
/** Most time that initialisers may take at start-up. */
const TRIAL_MS_MAX = 10_000;

type Phase = "idle" | "trial" | "first" | "second";
type GuestFunction = (...args: readonly WasmValue[]) => WasmValue;
type PromisingFunction = (...args: readonly WasmValue[]) => Promise<WasmValue>;

export class Slot<T> implements Caller<T> {
  readonly #plan: SlotPlan<T>;
  readonly #cells: readonly MemoryCell[];
  readonly #guestMemory: GuestMemory | undefined;
  /** The host's side of every import, kept when the instance is made anew. */
  readonly #imports: WebAssembly.Imports;
  #exports: WebAssembly.Instance["exports"] = {};
  #promising = new Map<string, PromisingFunction>();
  #restoreGlobals: (() => void) | undefined;
  readonly #shim: WebAssembly.Instance["exports"];
  readonly #flag: WebAssembly.Global;

  #phase: Phase = "idle";
  #store: Store<T> | undefined;
  /** A call is under way in second gear: its guest may go on in any later turn. */
  #isRunning = false;
  /** A host function is at work for the guest, which waits for it unless the call was ended meanwhile. */
  #isHostAtWork = false;
  /** One is at work for which the guest could not wait. Like the other it may touch the memory at any time. */
  #isAbandoned = false;
  /** Whether host functions call `beforeHostCall` first. */
  watched: boolean;
  #hostCalls = 0;
  /** performance.now() at which the present call, or the present unsuspendable part of it, must end. */
  #hardDeadline = 0;
  #suspendable = false;
  #pending: Promise<unknown> | undefined;
  /** Set once the call is to end; thrown at the next tick, or in place of what it waits for. */
  #ended: object | undefined;
  #rejectWait: ((trap: object) => void) | undefined;
  #abort: AbortController | undefined;

  constructor(plan: SlotPlan<T>) {
    this.#plan = plan;
    const { original } = plan.module.rewritten;
    this.#cells = original.memories.map((limits) => new MemoryCell(limits, plan.memoryPagesMax));
    this.#guestMemory = this.#viewMemory();
    this.watched = plan.engine.forcesShift !== undefined;
    this.#shim = this.#makeShim();
    // The shim exports its flag as a global.
    this.#flag = this.#shim[SHIM.FLAG] as WebAssembly.Global;
    this.#imports = this.#linkImports();
    this.#instantiate();
  }

  get memory(): GuestMemory {
    if (!this.#guestMemory) throw new Error("The guest has no memory");
    return this.#guestMemory;
  }

  get data(): T {
    if (!this.#store) throw new Error("A host function was called outside of a call");
    return this.#store.data;
  }

  get canSuspend(): boolean {
    return this.#suspendable;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  /** What the memories hold now, as the image that they are restored to from now on. */
  capture(): MemoryImage[] {
    return this.#cells.map((cell) => cell.capture());
  }

  shift(): void {
    if (this.#phase === "first") throw this.#plan.shiftTrap;
    if (this.#phase === "trial") throw this.#plan.unstableTrap;
    if (this.#ended) throw this.#ended;
  }

  exit(code: number): never {
    throw trapObject({ kind: "exit", code });
  }

  call(name: string, ...args: readonly WasmValue[]): WasmValue {
    const fn = this.#guestFunction(name);
    if (!this.#suspendable) return fn(...args);
    // JavaScript frames cannot be suspended, and this call stands on one.
    this.#suspendable = false;
    const hardDeadline = this.#hardDeadline;
    this.#hardDeadline = Math.min(hardDeadline, performance.now() + UNSUSPENDABLE_MS_MAX);
    // A host function may call while its guest waits for it: then the clock is not running.
    const isWaiting = this.#rejectWait !== undefined;
    if (isWaiting) this.#enter();
    try {
      return fn(...args);
    } finally {
      if (isWaiting) this.#leave();
      this.#suspendable = true;
      this.#hardDeadline = hardDeadline;
    }
  }

  // --- Start-up.

  /** Writes the data segments. @throws WebAssembly.RuntimeError where one is out of bounds */
  initializeData(): void {
    this.#callHook(this.#plan.module.rewritten.hooks.initializeData);
    this.#callHook(this.#plan.module.rewritten.hooks.save);
  }

  /**
   * Runs initialisers whose effect is to become part of the image.
   *
   * @returns false if one asked for something that may differ from call to call, or failed: then the
   *   slot is as before, and they must run in each call
   */
  tryInitializers(store: Store<T>, names: readonly string[]): boolean {
    this.#store = store;
    this.#phase = "trial";
    this.watched = true;
    this.#hardDeadline = performance.now() + TRIAL_MS_MAX;
    this.#enter();
    try {
      for (const name of names) this.#callHook(name);
      this.#callHook(this.#plan.module.rewritten.hooks.save);
      return true;
    } catch {
      // Whatever it was, the first call meets it again and tells it.
      this.#restore();
      return false;
    } finally {
      this.#leave();
      this.#phase = "idle";
      this.#store = undefined;
      this.watched = this.#plan.engine.forcesShift !== undefined;
    }
  }

  // --- One call.

  run<R>(store: Store<T>, invocation: Invocation<T, R>): R | Promise<R> {
    this.#store = store;
    this.#hostCalls = 0;
    if (!this.#plan.gears.startsInFirst()) return this.#runSecond(store, invocation);
    let value: R;
    this.#phase = "first";
    this.#enter();
    try {
      for (const name of this.#plan.initializers) this.#callHook(name);
      const args = invocation.lower(this);
      value = invocation.lift(this, this.#guestFunction(invocation.exportName)(...args));
    } catch (thrown) {
      this.#leave();
      return this.#afterFirst(store, invocation, thrown);
    }
    this.#leave();
    this.#plan.gears.stayed();
    this.#plan.hooks.commit(store.data);
    return value;
  }

  #afterFirst<R>(store: Store<T>, invocation: Invocation<T, R>, thrown: unknown): R | Promise<R> {
    const ending = endingOf(thrown);
    const overflow =
      isStackOverflow(thrown) || (ending?.kind === "failed" && ending.reason === "stack-overflow");
    // The stacks of the gears differ: what overflows in first gear may fit in second.
    if (ending?.kind === "shift" || overflow) {
      this.#plan.gears.shifted();
      this.#restore();
      this.#plan.hooks.rewind(store.data);
      return this.#runSecond(store, invocation);
    }
    this.#plan.hooks.commit(store.data);
    return this.#finish(invocation, thrown, ending);
  }

  async #runSecond<R>(store: Store<T>, invocation: Invocation<T, R>): Promise<R> {
    this.#phase = "second";
    this.#isRunning = true;
    this.#ended = undefined;
    const cancel = () =>
      this.#end({ kind: "failed", reason: "cancelled", message: "Nobody waits for the answer" });
    const timer = setTimeout(() => this.#end(pastDeadline(store.wallTimeMs)), store.wallTimeMs);
    store.signal?.addEventListener("abort", cancel, { once: true });
    try {
      if (store.signal?.aborted) cancel();
      return await this.#suspendably(store, invocation);
    } catch (thrown) {
      return this.#finish(invocation, thrown, endingOf(thrown));
    } finally {
      this.#isRunning = false;
      clearTimeout(timer);
      store.signal?.removeEventListener("abort", cancel);
      this.#plan.hooks.commit(store.data);
    }
  }

  async #suspendably<R>(store: Store<T>, invocation: Invocation<T, R>): Promise<R> {
    const wallDeadline = performance.now() + store.wallTimeMs;
    for (const name of this.#plan.initializers) await this.#callSuspendable(name, [], wallDeadline);
    const args = this.#unsuspendably(() => invocation.lower(this));
    const result = await this.#callSuspendable(invocation.exportName, args, wallDeadline);
    return this.#unsuspendably(() => invocation.lift(this, result));
  }

  async #callSuspendable(name: string, args: readonly WasmValue[], wallDeadline: number): Promise<WasmValue> {
    let promising = this.#promising.get(name);
    if (!promising) {
      // promising() wraps a guest's function, whose arguments and result are WebAssembly values.
      promising = WebAssembly.promising(this.#guestFunction(name)) as PromisingFunction;
      this.#promising.set(name, promising);
    }
    this.#hardDeadline = wallDeadline;
    this.#suspendable = true;
    this.#enter();
    try {
      const result = promising(...args);
      this.#leave();
      return await result;
    } finally {
      this.#leave();
      this.#suspendable = false;
    }
  }

  #unsuspendably<R>(step: () => R): R {
    if (this.#ended) throw this.#ended;
    this.#hardDeadline = performance.now() + UNSUSPENDABLE_MS_MAX;
    this.#enter();
    try {
      return step();
    } finally {
      this.#leave();
    }
  }

  /** Ends a call that did not return: by an exit that its invocation expects, or by an error. */
  #finish<R>(invocation: Invocation<T, R>, thrown: unknown, ending: Ending | undefined): R {
    if (ending?.kind === "exit" && invocation.exited) {
      try {
        return invocation.exited(this, ending.code);
      } catch (error) {
        throw this.#failure(invocation.exportName, error, undefined);
      }
    }
    this.#abort?.abort();
    throw this.#failure(invocation.exportName, thrown, ending);
  }

  #failure(exportName: string, thrown: unknown, ending: Ending | undefined): TrapError {
    const cause = ending?.kind === "failed" ? (ending.cause ?? thrown) : thrown;
    const { message, reason } = explain(thrown, ending);
    return new TrapError(message, {
      reason,
      componentId: this.#plan.name,
      exportName,
      backtrace: wasmBacktrace(cause, (offset) => this.#plan.module.originalOffset(offset)),
      cause,
    });
  }

  /**
   * Makes the slot like new, off the response path. False: it must be thrown away.
   *
   * A call that trapped leaves nothing either: its stack is gone, and all else is restored. The slot
   * keeps its memories, which V8 would be late to free.
   */
  recycle(): boolean {
    if (this.#isRunning) this.#end({ kind: "failed", reason: "cancelled", message: "The call was given up" });
    this.#abort?.abort();
    this.#abort = undefined;
    if (this.#isRunning || this.#isHostAtWork || this.#isAbandoned) return false;
    this.#phase = "idle";
    this.#store = undefined;
    this.#restore();
    return true;
  }

  /** Bytes that the memories have, beyond those that every slot of the module has. */
  get grownBytes(): number {
    const { images } = this.#plan;
    return this.#cells.reduce(
      (sum, cell, index) => sum + cell.realBytes - (images[index]?.pages ?? 0) * PAGE_BYTES,
      0,
    );
  }

  #restore(): void {
    const { images, module } = this.#plan;
    for (const [index, cell] of this.#cells.entries()) {
      const image = images[index];
      if (image) cell.restore(image);
    }
    this.#suspendable = false;
    this.#pending = undefined;
    this.#ended = undefined;
    this.#rejectWait = undefined;
    if (module.rewritten.verdict.kind === "fresh") this.#instantiate();
    else this.#restoreGlobals?.();
  }

  // --- Ticks, waits, ends.

  #enter(): void {
    this.#plan.engine.clock.enter();
  }

  #leave(): void {
    this.#plan.engine.clock.leave();
  }

  /** Called by the guest at a tick; returns 1 if it is to give way. */
  #late(): number {
    const { clock } = this.#plan.engine;
    if (!clock.takeTick()) return 0;
    if (this.#phase === "first") throw this.#plan.shiftTrap;
    if (this.#ended) throw this.#ended;
    if (performance.now() > this.#hardDeadline) {
      if (this.#phase === "trial") throw this.#plan.unstableTrap;
      throw trapObject(this.#overdue());
    }
    clock.enter();
    return this.#suspendable ? 1 : 0;
  }

  #overdue(): Ending {
    // The error is made here, below the guest's frames, for its backtrace.
    const cause = new Error("The guest ran too long");
    if (this.#suspendable) return { ...pastDeadline(this.#store?.wallTimeMs ?? 0), cause };
    const message = `The guest ran longer than ${UNSUSPENDABLE_MS_MAX} ms in code that cannot be suspended`;
    return { kind: "failed", reason: "deadline", message, cause };
  }

  /** Waits for a promise of the host on behalf of the guest, and ends early if the call is ended. */
  #wait(promise: Promise<unknown>, waitsFor: "host" | "turn"): Promise<unknown> {
    this.#leave();
    this.#isHostAtWork = waitsFor === "host";
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        if (this.#rejectWait !== reject) return;
        this.#rejectWait = undefined;
        this.#isHostAtWork = false;
        this.#enter();
        act();
      };
      this.#rejectWait = reject;
      if (this.#ended) settle(() => reject(this.#ended));
      promise.then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(failure(error))),
      );
    });
  }

  #end(ending: Ending): void {
    this.#ended ??= trapObject(ending);
    this.#abort?.abort();
    const reject = this.#rejectWait;
    this.#rejectWait = undefined;
    if (!reject) return;
    this.#enter();
    reject(this.#ended);
  }

  // --- Linking.

  #viewMemory(): GuestMemory | undefined {
    const { exports } = this.#plan.module.rewritten.original;
    const exported = exports.find((item) => item.kind === "memory" && item.name === "memory");
    const cell = this.#cells[exported?.index ?? 0];
    return cell && new GuestMemory(cell.memory, cell.cards);
  }

  #linkImports(): WebAssembly.Imports {
    const { rewritten } = this.#plan.module;
    const imports: WebAssembly.Imports = {};
    const put = (module: string, name: string, value: unknown) => {
      imports[module] ??= {};
      imports[module][name] = value;
    };
    this.#cells.forEach((cell, index) => {
      put(rewritten.importModule, `memory${index}`, cell.memory);
      put(rewritten.importModule, `cards${index}`, cell.cards);
    });
    put(rewritten.importModule, "epoch", this.#plan.engine.clock.memory);
    let memories = 0;
    for (const item of rewritten.original.imports) {
      if (item.kind === "memory") put(item.module, item.name, this.#cells[memories++]?.memory);
    }
    for (const { module, name, linked, stable } of this.#plan.plain)
      put(module, name, this.#bind(linked, stable));
    this.#plan.suspending.forEach(({ module, name }, index) => {
      put(module, name, this.#shim[pairName(index)]);
    });
    return imports;
  }

  /** The functions that may wait, and the two of the tick table, by way of the shim. */
  #makeShim(): WebAssembly.Instance["exports"] {
    const { shim, suspending, engine } = this.#plan;
    const host: Record<string, unknown> = {
      [SHIM.LATE]: () => this.#late(),
      [SHIM.YIELD]: new WebAssembly.Suspending(() => this.#wait(engine.turns.next(), "turn")),
    };
    for (const type of shim.waits) {
      host[waitName(type)] = new WebAssembly.Suspending(() => this.#takePending());
    }
    suspending.forEach(({ linked, stable }, index) => {
      host[plainName(index)] = this.#bind(linked, stable);
    });
    return new WebAssembly.Instance(shim.module, { [SHIM.MODULE]: host }).exports;
  }

  #takePending(): Promise<unknown> {
    const pending = this.#pending ?? Promise.reject(new Error("Nothing is waited for"));
    this.#pending = undefined;
    return this.#wait(pending, "host");
  }

  /** What a host function returned to the plain half: a value, or a promise to wait for. */
  #deliver(result: unknown, type: ValueType | undefined): unknown {
    if (!(result instanceof Promise)) return result;
    if (!this.#suspendable) {
      this.#isAbandoned = true;
      result.catch(() => undefined);
      throw new Error(
        this.#phase === "second"
          ? "A host function waited where the guest cannot be suspended"
          : "A host function returned a promise in first gear: it must call shift() before, outside of any async function",
      );
    }
    this.#isHostAtWork = true;
    this.#pending = result;
    this.#flag.value = 1;
    return type === "i64" ? 0n : 0;
  }

  /** Binds a host function to this slot. */
  #bind(linked: LinkedFunction<T>, stable: boolean): (...args: never[]) => unknown {
    const { type } = linked;
    // The linker checked the number and types of the arguments against the guest's import.
    const fn = linked.fn as HostCall<T>;
    const call: HostCall<T> =
      linked.kind === "plain" ? fn : (caller, ...args) => this.#deliver(fn(caller, ...args), type.results[0]);
    return bindHostCall(this, call, { arity: type.params.length, stable });
  }

  /** Called before a host function while `watched`: at start-up, and in tests that force shifts. */
  beforeHostCall(stable: boolean): void {
    if (this.#phase === "trial" && !stable) throw this.#plan.unstableTrap;
    if (this.#phase === "first" && this.#plan.engine.forcesShift?.(this.#hostCalls++))
      throw this.#plan.shiftTrap;
  }

  #instantiate(): void {
    const { hooks } = this.#plan.module.rewritten;
    const { exports } = new WebAssembly.Instance(this.#plan.module.compiled, this.#imports);
    this.#exports = exports;
    this.#promising.clear();
    if (hooks.ticks !== undefined) {
      // The rewriter promises a table under this name.
      const ticks = exports[hooks.ticks] as WebAssembly.Table;
      ticks.set(0, this.#shim[SHIM.LATE]);
      ticks.set(1, this.#shim[SHIM.YIELD]);
    }
    // As above, with a function.
    this.#restoreGlobals = hooks.restore === undefined ? undefined : (exports[hooks.restore] as () => void);
  }

  #guestFunction(name: string): GuestFunction {
    const value = this.#exports[name];
    if (typeof value !== "function") throw new Error(`The guest exports no function "${name}"`);
    // An exported function takes and returns WebAssembly values; it checks them itself.
    return value as GuestFunction;
  }

  #callHook(name: string | undefined): void {
    if (name !== undefined) this.#guestFunction(name)();
  }
}

function pastDeadline(wallTimeMs: number): Ending & { kind: "failed" } {
  return { kind: "failed", reason: "deadline", message: `The call took longer than ${wallTimeMs} ms` };
}

function explain(thrown: unknown, ending: Ending | undefined): { message: string; reason: EndReason } {
  if (ending?.kind === "exit")
    return { message: `The guest exited with code ${ending.code}`, reason: "exit" };
  if (ending?.kind === "failed") return ending;
  if (isStackOverflow(thrown)) return { message: "The guest ran out of stack", reason: "stack-overflow" };
  return { message: thrown instanceof Error ? thrown.message : String(thrown), reason: "trap" };
}
