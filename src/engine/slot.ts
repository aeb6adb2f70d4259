// A slot: linked instances with their memories, in which calls run one after another, each in a state
// that is exactly fresh.
//
// A slot is always in one phase. Only `idle` slots are in a pool. `trial` is the run of the
// initialisers at start-up, which ends at the first import whose answer may change.

import type { CoreRef, CoreValue, SlotAccess } from "../component/mod.ts";
import type { ValueType } from "../wasm/mod.ts";
import { wasmBacktrace } from "./backtrace.ts";
import { bindHostCall, failure, type HostCall } from "./bind.ts";
import type { BoundComponent } from "./bound-component.ts";
import { CallTime, UNSUSPENDABLE_MS_MAX } from "./call-time.ts";
import type { Caller, WasmValue } from "./caller.ts";
import { CoreInstance, type GuestFunction, type ImportSources } from "./core-instance.ts";
import { isHeapShort } from "./free-memory.ts";
import { GuestMemory } from "./guest-memory.ts";
import { type EndReason, type Invocation, TrapError } from "./invocation.ts";
import { MemoryCell, type MemoryContents } from "./memory-cell.ts";
import { MemoryClaim } from "./memory-claim.ts";
import { pairName, plainName, SHIM, waitName } from "./shim.ts";
import { type HostFunctionPlan, memoryIndex, type SlotPlan } from "./slot-plan.ts";
import type { Store } from "./store.ts";
import { type Ending, endingOf, isStackOverflow, messageOf, trapObject } from "./trap.ts";

const PAGE_BYTES = 65_536;
/** Most time that initialisers may take at start-up. */
const TRIAL_MS_MAX = 10_000;

/**
 * Bytes that a call may allocate on V8's heap, dead ones included: garbage-collected objects,
 * exceptions, elements of tables. V8 ends the process where its heap is full.
 */
const HEAP_BYTES_MAX = 1024 * 1024 * 1024;

/** The only instance of a core module. */
const FIRST = { instance: 0 };

type Phase = "idle" | "trial" | "first" | "second";

export class Slot<T> implements Caller<T>, Disposable {
  readonly component: BoundComponent | undefined;
  readonly #plan: SlotPlan<T>;
  readonly #cells: readonly MemoryCell[];
  readonly #memories: readonly GuestMemory[];
  readonly #instances: CoreInstance[] = [];
  readonly #claim: MemoryClaim;
  readonly #time: CallTime;
  /** Set by the shim when the plain half of a pair has left a promise. */
  #flag: WebAssembly.Global | undefined;

  #phase: Phase = "idle";
  /** Nothing has run in it since it was made like new. */
  #isFresh = true;
  #store: Store<T> | undefined;
  /** A call is under way in second gear: its guest may go on in any later turn. */
  #isRunning = false;
  /** A tick has found the call in first gear. */
  #hadTurn = false;
  /** Host functions that are at work for the guest, which waits for them unless the call was ended meanwhile. */
  #hostsAtWork = 0;
  /** One is at work for which the guest could not wait. Like the others it may touch the memory at any time. */
  #isAbandoned = false;
  /** Whether host functions call `beforeHostCall` first. */
  watched: boolean;
  wasCancelled = false;
  #hostCalls = 0;
  /** Allocated on V8's heap, or given in advance, beyond what each call begins with. */
  #heapBytes = 0;
  #suspendable = false;
  #pending: Promise<unknown> | undefined;
  /** Set once the call is to end; thrown at the next tick, or in place of what it waits for. */
  #ended: object | undefined;
  /** Ends each wait of the guest. A component that waits for another component waits twice. */
  readonly #waits = new Set<(trap: object) => void>();
  #abort: AbortController | undefined;

  constructor(plan: SlotPlan<T>) {
    this.#plan = plan;
    const { group, engine } = plan;
    this.#cells = group.memories.map(({ limits, pagesMax }) => new MemoryCell(limits, pagesMax));
    this.#memories = this.#cells.map((cell) => new GuestMemory(cell.memory, cell.cards));
    this.watched = engine.forcesShift !== undefined;
    this.component = group.bindComponent?.(this.#access(), this);
    const sources = this.#importSources();
    for (const linked of group.instances)
      this.#instances.push(new CoreInstance(linked, sources, plan.tableElementsMax));
    // Last: nobody would give back what a slot claims that could not be made.
    this.#claim = new MemoryClaim(this.#cells, plan.memoryShare, (share) => engine.makeRoom(share));
    this.#time = new CallTime(engine.clock, this.#claim);
  }

  get memory(): GuestMemory {
    const memory = this.#memories[this.#plan.group.callerMemory ?? -1];
    if (!memory) throw new Error("The guest has no memory");
    return memory;
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

  /** What the memories hold, to make the images of that they are restored to from now on. */
  capture(): MemoryContents[] {
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
    return this.#call({ instance: 0, name }, args);
  }

  function(name: string): GuestFunction {
    const ref = { instance: 0, name };
    return this.#suspendable ? (...args) => this.#call(ref, args) : this.#function(ref);
  }

  // --- Start-up.

  /** Writes the data segments. @throws WebAssembly.RuntimeError where one is out of bounds */
  initializeData(): void {
    for (const instance of this.#instances) instance.initializeData();
    this.#save();
  }

  /**
   * Runs initialisers whose effect is to become part of the image.
   *
   * @returns false if one asked for something that may differ from call to call, or failed: then the
   *   slot is as before, and they must run in each call
   */
  tryInitializers(store: Store<T>, initializers: readonly CoreRef[]): boolean {
    this.#store = store;
    this.#phase = "trial";
    this.watched = true;
    this.#time.begin({ wallTimeMs: TRIAL_MS_MAX, cpuTimeMs: TRIAL_MS_MAX });
    this.#time.enter();
    try {
      for (const initializer of initializers) this.#function(initializer)();
      this.#save();
      return true;
    } catch {
      // Whatever it was, the first call meets it again and tells it.
      this.#restore();
      return false;
    } finally {
      this.#time.leave();
      this.#time.reset();
      this.#phase = "idle";
      this.#store = undefined;
      this.watched = this.#plan.engine.forcesShift !== undefined;
    }
  }

  #save(): void {
    for (const instance of this.#instances) instance.saveGlobals();
    this.component?.state.save();
  }

  // --- One call.

  run<R>(store: Store<T>, invocation: Invocation<T, R>): R | Promise<R> {
    this.#store = store;
    this.#hostCalls = 0;
    // In a replay, what an earlier call of the same instance has left would be lost.
    if (!this.#isFresh || !this.#plan.gears.startsInFirst()) return this.runSecond(store, invocation);
    let value: R;
    this.#isFresh = false;
    this.#hadTurn = false;
    this.#phase = "first";
    this.#time.enter();
    try {
      for (const initializer of this.#plan.initializers) this.#function(initializer)();
      const args = invocation.lower(this);
      value = invocation.lift(this, this.#entry(invocation)(...args));
    } catch (thrown) {
      this.#time.leave();
      return this.#afterFirst(store, invocation, thrown);
    }
    this.#time.leave();
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
      this.#plan.gears.shifted(ending?.kind === "shift" ? ending.cause : "wait");
      this.#restore();
      this.#plan.hooks.rewind(store.data);
      return this.runSecond(store, invocation);
    }
    this.#plan.hooks.commit(store.data);
    return this.#finish(invocation, thrown, ending);
  }

  /** The same without an attempt in first gear. */
  async runSecond<R>(store: Store<T>, invocation: Invocation<T, R>): Promise<R> {
    this.#store = store;
    this.#phase = "second";
    this.#isRunning = true;
    this.#ended = undefined;
    this.wasCancelled = false;
    const cancel = () =>
      this.#end({ kind: "failed", reason: "cancelled", message: "Nobody waits for the answer" });
    const timer = setTimeout(() => this.#end(pastWallTime(store.wallTimeMs)), store.wallTimeMs);
    store.signal?.addEventListener("abort", cancel, { once: true });
    try {
      if (store.signal?.aborted) cancel();
      this.#time.begin(store);
      return await this.#suspendably(invocation);
    } catch (thrown) {
      return this.#finish(invocation, thrown, endingOf(thrown));
    } finally {
      this.#isRunning = false;
      this.#time.reset();
      clearTimeout(timer);
      store.signal?.removeEventListener("abort", cancel);
      this.#plan.hooks.commit(store.data);
    }
  }

  async #suspendably<R>(invocation: Invocation<T, R>): Promise<R> {
    const initializers = this.#isFresh ? this.#plan.initializers : [];
    this.#isFresh = false;
    for (const initializer of initializers) await this.#callSuspendable(initializer, []);
    const args = this.#unsuspendably(() => invocation.lower(this));
    const entry = invocation.entry ?? { instance: 0, name: invocation.exportName };
    const result = await this.#callSuspendable(entry, args);
    return this.#unsuspendably(() => invocation.lift(this, result));
  }

  async #callSuspendable(ref: CoreRef, args: readonly WasmValue[]): Promise<WasmValue> {
    this.#suspendable = true;
    this.#time.enter();
    try {
      const result = this.#instance(ref).promising(ref.name)(...args);
      this.#time.leave();
      return await result;
    } finally {
      this.#time.leave();
      this.#suspendable = false;
    }
  }

  #unsuspendably<R>(step: () => R): R {
    if (this.#ended) throw this.#ended;
    return this.#time.unsuspendably(step);
  }

  /** Calls the guest from a host function. JavaScript frames cannot be suspended, and this call stands on one. */
  #call(ref: CoreRef, args: readonly WasmValue[]): WasmValue {
    const fn = this.#function(ref);
    if (!this.#suspendable) return fn(...args);
    this.#suspendable = false;
    try {
      return this.#time.unsuspendably(() => fn(...args));
    } finally {
      this.#suspendable = true;
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
    const note = reason === "trap" || reason === "exit" ? this.#refusal() : "";
    const [first, ...others] = this.#plan.group.instances;
    const only = others.length === 0 ? first?.module : undefined;
    return new TrapError(message + note, {
      reason,
      componentId: this.#plan.name,
      exportName,
      backtrace: wasmBacktrace(cause, only),
      cause,
    });
  }

  /** Few guests say that they have no memory left: they trap. */
  #refusal(): string {
    const beyond = this.#cells.map((cell) => cell.refusedBeyond).find((bytes) => bytes !== undefined);
    return beyond === undefined ? "" : `; its memory was not let grow beyond ${beyond / 2 ** 20} MiB`;
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
    if (this.#isRunning || this.#hostsAtWork > 0 || this.#isAbandoned) return false;
    this.#phase = "idle";
    this.#restore();
    this.#store = undefined;
    return true;
  }

  /** Bytes that the memories have. */
  get memoryBytes(): number {
    return this.#cells.reduce((sum, cell) => sum + cell.realBytes, 0);
  }

  /** Bytes that the memories have, beyond those that every slot of the module has. */
  get grownBytes(): number {
    const { images } = this.#plan;
    return this.#cells.reduce(
      (sum, cell, index) => sum + cell.realBytes - (images[index]?.pages ?? 0) * PAGE_BYTES,
      0,
    );
  }

  /** It is thrown away: what it has taken of the process counts no more. */
  [Symbol.dispose](): void {
    this.#claim[Symbol.dispose]();
  }

  #restore(): void {
    const { images, isRecyclable } = this.#plan;
    for (const [index, cell] of this.#cells.entries()) {
      const image = images[index];
      if (image) cell.restore(image);
    }
    this.#isFresh = true;
    this.#suspendable = false;
    this.#heapBytes = 0;
    this.#pending = undefined;
    this.#ended = undefined;
    this.component?.state.restore();
    for (const instance of this.#instances) {
      if (isRecyclable) instance.restoreGlobals();
      else instance.instantiate();
    }
  }

  // --- Ticks, waits, ends.

  /** Called by the guest at a tick; returns 1 if it is to give way. */
  #late(): number {
    if (!this.#time.takeTick()) return 0;
    if (this.#phase === "first") return this.#lateInFirst();
    if (this.#ended) throw this.#ended;
    const exceeded = this.#time.exceeded();
    if (exceeded)
      throw this.#phase === "trial" ? this.#plan.unstableTrap : trapObject(this.#overdue(exceeded));
    if (this.#suspendable) return 1;
    this.#nextTurn();
    return 0;
  }

  /** The system may have taken the core away for as long as the guest seemed to run: it gets a second turn. */
  #lateInFirst(): number {
    if (this.#hadTurn) throw this.#plan.lateTrap;
    this.#hadTurn = true;
    this.#nextTurn();
    return 0;
  }

  #nextTurn(): void {
    this.#time.leave();
    this.#time.enter();
  }

  /** Called by a guest that has allocated all that it may for now; returns if it may have more. */
  #spent(): void {
    for (const instance of this.#instances) this.#heapBytes += instance.allowHeap();
    const isTooMuch = this.#heapBytes > HEAP_BYTES_MAX;
    if (!isTooMuch && !isHeapShort()) return;
    const message = isTooMuch
      ? `The guest allocated more than ${HEAP_BYTES_MAX} bytes of objects and table elements`
      : "The guest asked for objects or table elements while the memory of the host is short";
    throw trapObject({ kind: "failed", reason: "limit", message, cause: new Error(message) });
  }

  #overdue(exceeded: "wall-time" | "cpu-time"): Ending {
    const store = this.#store;
    // The error is made here, below the guest's frames, for its backtrace.
    const cause = new Error("The guest ran too long");
    if (exceeded === "cpu-time") {
      const message = `The guest computed for more than ${store?.cpuTimeMs} ms`;
      return { kind: "failed", reason: "limit", message, cause };
    }
    if (this.#suspendable) return { ...pastWallTime(store?.wallTimeMs ?? 0), cause };
    const message = `The guest ran longer than ${UNSUSPENDABLE_MS_MAX} ms in code that cannot be suspended`;
    return { kind: "failed", reason: "deadline", message, cause };
  }

  /** Waits for a promise on behalf of the guest, and ends early if the call is ended. */
  #wait(promise: Promise<unknown>, waitsFor: "host" | "turn"): Promise<unknown> {
    this.#time.leave();
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        if (!this.#waits.delete(reject)) return;
        if (waitsFor === "host") this.#hostsAtWork--;
        this.#time.enter();
        act();
      };
      if (this.#ended) reject(this.#ended);
      else this.#waits.add(reject);
      promise.then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(failure(error))),
      );
    });
  }

  #giveWay(): Promise<unknown> {
    this.#plan.engine.clock.hurry();
    return this.#wait(this.#plan.turn.next(), "turn");
  }

  #end(ending: Ending): void {
    this.#ended ??= trapObject(ending);
    if (ending.kind === "failed" && ending.reason === "cancelled") this.wasCancelled = true;
    this.#abort?.abort();
    for (const reject of this.#waits) reject(this.#ended);
    this.#waits.clear();
  }

  // --- Linking.

  #importSources(): ImportSources {
    const { group, engine } = this.#plan;
    const shim = this.#makeShim();
    // The shim exports its flag as a global.
    this.#flag = shim[SHIM.FLAG] as WebAssembly.Global;
    let pairs = 0;
    const functions = group.functions.map((plan) =>
      plan.kind === "plain" ? this.#bind(plan) : shim[pairName(pairs++)],
    );
    return {
      function: (index) => functions[index],
      memory: (index) => this.#cell(index),
      export: (ref) => this.#instance(ref).export(ref.name),
      epoch: engine.clock.memory,
      ticks: [shim[SHIM.LATE], shim[SHIM.YIELD], shim[SHIM.SPENT]],
    };
  }

  /** The functions that may wait, and those of the tick table, by way of the shim. */
  #makeShim(): WebAssembly.Instance["exports"] {
    const { group } = this.#plan;
    const host: Record<string, unknown> = {
      [SHIM.LATE]: () => this.#late(),
      [SHIM.SPENT]: () => this.#spent(),
      [SHIM.YIELD]: new WebAssembly.Suspending(() => this.#giveWay()),
    };
    for (const type of group.shim.waits) {
      host[waitName(type)] = new WebAssembly.Suspending(() => this.#takePending());
    }
    const suspending = group.functions.filter(({ kind }) => kind === "suspending");
    for (const [index, plan] of suspending.entries()) host[plainName(index)] = this.#bind(plan);
    return new WebAssembly.Instance(group.shim.module, { [SHIM.MODULE]: host }).exports;
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
    this.#hostsAtWork++;
    this.#pending = result;
    if (this.#flag) this.#flag.value = 1;
    return type === "i64" ? 0n : 0;
  }

  /** Binds a host function to this slot. */
  #bind(plan: HostFunctionPlan<T>): (...args: never[]) => unknown {
    const { type, stable } = plan;
    const fn = plan.bind(this, this.component);
    const call: HostCall<T> =
      plan.kind === "plain" ? fn : (caller, ...args) => this.#deliver(fn(caller, ...args), type.results[0]);
    return bindHostCall(this, call, { arity: type.params.length, stable });
  }

  /** Called before a host function while `watched`: at start-up, and in tests that force shifts. */
  beforeHostCall(stable: boolean): void {
    if (this.#phase === "trial" && !stable) throw this.#plan.unstableTrap;
    if (this.#phase === "first" && this.#plan.engine.forcesShift?.(this.#hostCalls++))
      throw this.#plan.shiftTrap;
  }

  /** How canonical code reaches the instances. */
  #access(): SlotAccess {
    return {
      memory: (ref) => {
        const memory = this.#memories[memoryIndex(this.#plan.group.instances, ref)];
        if (!memory) throw new Error(`Instance ${ref.instance} exports no memory "${ref.name}"`);
        return memory;
      },
      // Canonical code calls functions of numbers only.
      call: (ref, ...args) => this.#call(ref, args) as CoreValue | undefined,
      callSuspendable: (ref, args) => {
        const called = this.#suspendable
          ? this.#instance(ref).promising(ref.name)(...args)
          : this.#function(ref)(...args);
        // As above.
        return called as CoreValue | undefined | Promise<CoreValue | undefined>;
      },
    };
  }

  #cell(index: number): MemoryCell {
    const cell = this.#cells[index];
    if (!cell) throw new Error(`The slot has no memory ${index}`);
    return cell;
  }

  #instance(ref: { readonly instance: number }): CoreInstance {
    const instance = this.#instances[ref.instance];
    if (!instance) throw new Error(`The slot has no instance ${ref.instance}`);
    return instance;
  }

  #entry(invocation: Invocation<T, unknown>): GuestFunction {
    const { entry, exportName } = invocation;
    return entry ? this.#function(entry) : this.#instance(FIRST).function(exportName);
  }

  #function(ref: CoreRef): GuestFunction {
    return this.#instance(ref).function(ref.name);
  }
}

function pastWallTime(wallTimeMs: number): Ending & { kind: "failed" } {
  return { kind: "failed", reason: "deadline", message: `The call took longer than ${wallTimeMs} ms` };
}

function explain(thrown: unknown, ending: Ending | undefined): { message: string; reason: EndReason } {
  if (ending?.kind === "exit")
    return { message: `The guest exited with code ${ending.code}`, reason: "exit" };
  if (ending?.kind === "failed") return ending;
  if (isStackOverflow(thrown)) return { message: "The guest ran out of stack", reason: "stack-overflow" };
  return { message: messageOf(thrown), reason: "trap" };
}
