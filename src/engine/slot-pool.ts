// The free slots of one component: taken and given back by calls, made by need, let go after a peak.
//
// A component whose slots cannot be made, or have to be thrown away one after the other, has to rest
// before it gets new ones: making them in a hot loop would cost the others more than they can bear.

import { SlotsExhaustedError } from "./invocation.ts";

/** An idle slot that has grown by more than this is not worth keeping. */
const GROWN_BYTES_MAX = 16 * 1024 * 1024;

/** Slots in a row that fail before there is a rest. */
const FAILURES_MAX = 16;
/** The first rest, and the longest; each is twice the last one, until a slot lives through a call. */
const REST_MS_MIN = 50;
const REST_MS_MAX = 5_000;

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

  /** @throws SlotsExhaustedError if none is free and none can be made */
  take(): S {
    this.usedAt = ++takes;
    this.idleTrims = 0;
    const slot = this.#free.pop() ?? this.#make();
    if (this.#free.length < this.#unused) this.#unused = this.#free.length;
    return slot;
  }

  give(slot: S): void {
    if (slot.recycle()) {
      this.#free.push(slot);
      this.#failures = 0;
    } else {
      this.#drop(slot);
      // That a client has left is not the component's fault.
      if (!slot.wasCancelled) this.#failed();
    }
  }

  /** Makes a spare slot in a later turn, so that the next call need not. */
  replenish(): void {
    if (this.#free.length > 0 || this.#making) return;
    this.#making = true;
    setImmediate(() => {
      this.#making = false;
      if (this.#free.length > 0 || this.#isResting || !this.#source.reserve("ahead")) return;
      this.#live++;
      try {
        this.#free.push(this.#source.make());
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
      return this.#source.make();
    } catch (error) {
      this.#drop();
      this.#failed();
      if (error instanceof RangeError) throw new SlotsExhaustedError(error.message, { cause: error });
      throw error;
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
