// The free slots of one component: taken and given back by calls, made by need, let go after a peak.
//
// A component whose slots cannot be made, or have to be thrown away one after the other, has to rest
// before it gets new ones: making them in a hot loop would cost the others more than they can bear.
//
// Guests that compute do so one at a time, and a slot of a large component takes longer to make than many
// calls: while guests of a component compute, others wait for their slots, and new ones are made now and then.

import { SlotsExhaustedError } from "./invocation.ts";

/** An idle slot that has grown by more than this is not worth keeping. */
const GROWN_BYTES_MAX = 16 * 1024 * 1024;

/** Slots in a row that fail before there is a rest. */
const FAILURES_MAX = 16;
/** The first rest, and the longest; each is twice the last one, until a slot lives through a call. */
const REST_MS_MIN = 50;
const REST_MS_MAX = 5_000;

/** While guests compute, making slots takes one part in so many of the time, at most. */
const MAKING_PARTS = 10;
/** How long, in one turn of the event loop, calls that waited start one after the end of the other. */
const HANDING_ON_MS = 8;

interface Poolable extends Disposable {
  /** Makes it like new; false if it must be thrown away. */
  recycle(): boolean;
  /** The last call was given up by whoever asked for it. */
  readonly wasCancelled: boolean;
  /** Bytes that it holds until it is thrown away. */
  readonly memoryBytes: number;
  /** Those of them that it has grown by. */
  readonly grownBytes: number;
}

export interface SlotSource<S extends Poolable> {
  make(): S;
  /** False: the process has no room for another. One that is needed now may cost others their idle slots. */
  reserve(need: "now" | "ahead"): boolean;
  /** A slot is thrown away, or could not be made; what memory it had should be freed. */
  release(memoryBytes: number): void;
  /** Whether guests of the component would go on if it were their turn. */
  isComputing(): boolean;
}

interface Waiter<S> {
  resolve(slot: S): void;
  reject(reason: unknown): void;
}

let takes = 0;

export class SlotPool<S extends Poolable = Poolable> {
  readonly #source: SlotSource<S>;
  #free: S[] = [];
  #live = 0;
  /** The lowest number of free slots since the last trim: so many were not needed. */
  #unused = 0;
  #making = false;
  #failures = 0;
  #restUntilMs = 0;
  /** From then on a slot may be made though guests compute. */
  #makeAfterMs = 0;
  /** In the order in which they came. While there are any, free slots are theirs. */
  readonly #waiters = new Set<Waiter<S>>();
  #isServing = false;
  /** Until then slots go from call to call in this turn of the event loop. */
  #handOnUntilMs = 0;
  #serveTimer: NodeJS.Timeout | undefined;
  /** Tells which pool was used last. */
  usedAt = 0;
  /** Trims since it was used last. */
  idleTrims = 0;

  constructor(source: SlotSource<S>) {
    this.#source = source;
  }

  get live(): number {
    return this.#live;
  }

  get free(): number {
    return this.#free.length;
  }

  /**
   * A slot, or nothing if it is better to wait for one.
   *
   * @throws SlotsExhaustedError if none is free and none can be made
   */
  take(): S | undefined {
    this.usedAt = ++takes;
    this.idleTrims = 0;
    if (this.#waiters.size > 0) return undefined;
    const slot = this.#free.pop() ?? (this.#isMakingDue ? this.#make() : undefined);
    if (this.#free.length < this.#unused) this.#unused = this.#free.length;
    return slot;
  }

  /** Waits for a slot. @throws SlotsExhaustedError if none can be made; what the signal says if it is aborted */
  async next(signal: AbortSignal | undefined): Promise<S> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<S>();
    const waiter = { resolve, reject };
    const leave = () => {
      if (this.#waiters.delete(waiter)) reject(signal?.reason);
    };
    this.#waiters.add(waiter);
    signal?.addEventListener("abort", leave, { once: true });
    this.#serveSoon();
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", leave);
    }
  }

  give(slot: S): void {
    if (slot.recycle()) {
      this.#failures = 0;
      if (this.#handsOn) this.#serveOne(() => slot);
      else this.#free.push(slot);
    } else {
      this.#drop(slot);
      // That a client has left is not the component's fault.
      if (!slot.wasCancelled) this.#failed();
    }
    if (this.#waiters.size > 0) this.#serveSoon();
  }

  /**
   * To be called when a call keeps its slot beyond its turn: the next of those who wait gets another. If
   * none is free, one is made in a later turn, so that the next call need not.
   */
  kept(): void {
    if (this.#handsOn) this.#serveFree();
    if (this.#free.length > 0 || this.#making) return;
    this.#making = true;
    setImmediate(() => {
      this.#making = false;
      if (this.#free.length > 0 || !this.#isMakingDue || this.#isResting) return;
      if (!this.#source.reserve("ahead")) return;
      this.#live++;
      try {
        this.#free.push(this.#timedMake());
        if (this.#waiters.size > 0) this.#serveSoon();
      } catch {
        // The next call tries again, and has somebody to tell.
        this.#drop();
        this.#failed();
      }
    });
  }

  /** Lets go the slots that nobody needed since the last time; one always stays, unless it has grown large. */
  trim(): void {
    this.idleTrims++;
    const unneeded = this.#free.splice(0, this.#unused);
    const last = unneeded.at(-1);
    if (last && this.#free.length === 0 && last.grownBytes <= GROWN_BYTES_MAX) {
      unneeded.pop();
      this.#free.push(last);
    }
    for (const slot of unneeded) this.#drop(slot);
    this.#unused = this.#free.length;
  }

  /** Lets go all idle slots. */
  releaseIdle(): void {
    for (const slot of this.#free.splice(0)) this.#drop(slot);
    this.#unused = 0;
  }

  #make(): S {
    if (this.#isResting) throw new SlotsExhaustedError("The component has failed too often in a row");
    if (!this.#source.reserve("now")) throw new SlotsExhaustedError("There is no room for another instance");
    this.#live++;
    try {
      return this.#timedMake();
    } catch (error) {
      this.#drop();
      this.#failed();
      if (error instanceof RangeError) throw new SlotsExhaustedError(error.message, { cause: error });
      throw error;
    }
  }

  #timedMake(): S {
    const startMs = performance.now();
    try {
      return this.#source.make();
    } finally {
      const endMs = performance.now();
      this.#makeAfterMs = endMs + (endMs - startMs) * (MAKING_PARTS - 1);
    }
  }

  get #isMakingDue(): boolean {
    return !this.#source.isComputing() || performance.now() >= this.#makeAfterMs;
  }

  get #handsOn(): boolean {
    return this.#waiters.size > 0 && performance.now() < this.#handOnUntilMs;
  }

  /** Looks after those who wait, in the next turn of the event loop: sockets are to have theirs too. */
  #serveSoon(): void {
    clearTimeout(this.#serveTimer);
    if (this.#isServing) return;
    this.#isServing = true;
    setImmediate(() => {
      this.#isServing = false;
      this.#handOnUntilMs = performance.now() + HANDING_ON_MS;
      this.#serve();
    });
  }

  /**
   * Hands out one slot, and sees to it that whoever is left is served later. Most calls give theirs back
   * before anything else happens, so that one slot, which the caches have, is enough for all of them.
   */
  #serve(): void {
    // Slots may have been handed on to all of them since this was planned.
    if (this.#waiters.size === 0) return;
    if (!this.#serveFree() && this.#isMakingDue) this.#serveOne(() => this.#make());
    if (this.#waiters.size === 0) return;
    if (this.#isMakingDue || this.#free.length > 0) this.#serveSoon();
    else this.#serveTimer = setTimeout(() => this.#serve(), this.#makeAfterMs - performance.now());
  }

  /** Hands out the free slot that was used last; false if there is none. */
  #serveFree(): boolean {
    const slot = this.#free.pop();
    if (this.#free.length < this.#unused) this.#unused = this.#free.length;
    if (slot) this.#serveOne(() => slot);
    return slot !== undefined;
  }

  #serveOne(slot: () => S): void {
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      try {
        waiter.resolve(slot());
      } catch (error) {
        waiter.reject(error);
      }
      return;
    }
  }

  #drop(slot?: S): void {
    this.#live--;
    this.#source.release(slot?.memoryBytes ?? 0);
    slot?.[Symbol.dispose]();
  }

  get #isResting(): boolean {
    return this.#restUntilMs > 0 && performance.now() < this.#restUntilMs;
  }

  #failed(): void {
    const excess = ++this.#failures - FAILURES_MAX;
    if (excess < 0) return;
    this.#restUntilMs = performance.now() + Math.min(REST_MS_MIN * 2 ** excess, REST_MS_MAX);
  }
}
