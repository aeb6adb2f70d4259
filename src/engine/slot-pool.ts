// The free slots of one component: taken and given back by calls, made by need, let go after a peak.

import { SlotsExhaustedError } from "./invocation.ts";

/** An idle slot that has grown by more than this is not worth keeping. */
const GROWN_BYTES_MAX = 16 * 1024 * 1024;

interface Poolable {
  /** Makes it like new; false if it must be thrown away. */
  recycle(): boolean;
  /** Bytes that it has grown by, and holds until it is thrown away. */
  readonly grownBytes: number;
}

export interface SlotSource<S extends Poolable> {
  make(): S;
  /** False: the process has no room for another. */
  reserve(): boolean;
  /** A slot is thrown away; what it had grown by should be freed. */
  release(grownBytes: number): void;
}

export class SlotPool<S extends Poolable = Poolable> {
  readonly #source: SlotSource<S>;
  #free: S[] = [];
  #live = 0;
  /** The lowest number of free slots since the last trim: so many were not needed. */
  #unused = 0;
  #making = false;

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
    const slot = this.#free.pop() ?? this.#make();
    if (this.#free.length < this.#unused) this.#unused = this.#free.length;
    return slot;
  }

  give(slot: S): void {
    if (slot.recycle()) this.#free.push(slot);
    else this.#drop(slot);
  }

  /** Makes a spare slot in a later turn, so that the next call need not. */
  replenish(): void {
    if (this.#free.length > 0 || this.#making) return;
    this.#making = true;
    setImmediate(() => {
      this.#making = false;
      if (this.#free.length > 0 || !this.#source.reserve()) return;
      this.#live++;
      try {
        this.#free.push(this.#source.make());
      } catch {
        // The next call tries again, and has somebody to tell.
        this.#drop();
      }
    });
  }

  /** Lets go the slots that nobody needed since the last time; one always stays, unless it has grown large. */
  trim(): void {
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
    if (!this.#source.reserve()) throw new SlotsExhaustedError("The process has as many slots as it may");
    this.#live++;
    try {
      return this.#source.make();
    } catch (error) {
      this.#drop();
      if (error instanceof RangeError) throw new SlotsExhaustedError(error.message, { cause: error });
      throw error;
    }
  }

  #drop(slot?: S): void {
    this.#live--;
    this.#source.release(slot?.grownBytes ?? 0);
  }
}
