// Remembers which addresses code has marked, so that stores nearby need not mark again.
//
// It rests on two facts. A mark at `p` covers the card of `p` and STRADDLE_BYTES behind it, so it covers
// that many bytes from `p` on wherever `p` is in its card. And marks are only ever cleared while no guest
// code is on the stack, so what was marked on every path to here is marked here.
//
// An address is known as a local and an offset, or as a constant. A local that was assigned the sum of
// another and a constant is known by that other one; where a local moves on by a constant, what is known
// by it moves the other way. Sums of i32 wrap, so the addresses of a mark and of a store are the same
// modulo 2^32 only; no memory is so large that a mark's bytes would reach from its end to its start.
//
// What was known before a block holds in it and behind it; what was learned in it holds up to its end.
// The caller says which local is assigned, wherever that is; where a loop begins, those that it assigns.

import type { StoredRange } from "./control.ts";
import { WRAPPED } from "./operand-stack.ts";
import { CARD_SHIFT, STRADDLE_BYTES } from "./rewritten.ts";

/** The origin of a constant address, whose offset is the address of a card. */
export const ABSOLUTE = -2;

/** When there are more, they replace others in turn. */
const FACTS_MAX = 16;
const NOWHERE = -1;

export class KnownMarks {
  /** Of fact `i`: that `bases[i] + offsets[i]` is marked in memory `subjects[i]`, or is the value of local `~subjects[i]`. */
  readonly #bases = new Int32Array(FACTS_MAX);
  readonly #offsets = new Float64Array(FACTS_MAX);
  readonly #subjects = new Int32Array(FACTS_MAX);
  /** How many blocks were around each. */
  readonly #depths = new Int32Array(FACTS_MAX);
  #count = 0;
  #next = 0;
  #depth = 0;

  clear(): void {
    this.#count = 0;
    this.#depth = 0;
  }

  /** Notes a mark at an offset from the value of an origin. */
  add(origin: number, memory: number, offset: number): void {
    const at = this.#definition(origin);
    this.#learn(this.#baseOf(at, origin), offset + this.#offsetOf(at), memory);
  }

  /** A local gets a new value: the sum of an origin and an offset, or one that is not known. */
  assign(local: number, origin: number, offset: number): void {
    if (origin < 0) {
      this.forget(local);
      return;
    }
    const at = this.#definition(origin);
    const base = this.#baseOf(at, origin);
    const sum = offset + this.#offsetOf(at);
    if (base === local) {
      this.#shift(local, sum);
      return;
    }
    this.forget(local);
    this.#learn(base, sum, ~local);
  }

  /** A local gets a value that is not known. */
  forget(local: number): void {
    for (let at = this.#count - 1; at >= 0; at--) {
      const base = this.#bases[at];
      if (base === local || base === local + WRAPPED || this.#subjects[at] === ~local) this.#remove(at);
    }
  }

  get areAbsolute(): boolean {
    for (let at = 0; at < this.#count; at++) {
      if (this.#bases[at] !== ABSOLUTE) return false;
    }
    return true;
  }

  forgetLocals(): void {
    for (let at = this.#count - 1; at >= 0; at--) {
      if (this.#bases[at] !== ABSOLUTE) this.#remove(at);
    }
  }

  enterBlock(): void {
    this.#depth++;
  }

  /** Another path comes in, within the innermost block. */
  alternate(): void {
    for (let at = this.#count - 1; at >= 0; at--) {
      if ((this.#depths[at] ?? 0) >= this.#depth) this.#remove(at);
    }
  }

  leaveBlock(): void {
    this.alternate();
    this.#depth--;
  }

  /** Whether a store to the sum of an origin and the offset of the range needs no mark. */
  covers(origin: number, { memory, offset, bytes }: StoredRange): boolean {
    const defined = this.#definition(origin);
    const base = this.#baseOf(defined, origin);
    const first = offset + this.#offsetOf(defined);
    const covered = STRADDLE_BYTES + (origin === ABSOLUTE ? 1 << CARD_SHIFT : 1);
    for (let at = 0; at < this.#count; at++) {
      if (this.#bases[at] !== base || this.#subjects[at] !== memory) continue;
      const from = first - (this.#offsets[at] ?? Number.POSITIVE_INFINITY);
      if (from >= 0 && from + bytes <= covered) return true;
    }
    return false;
  }

  #learn(base: number, offset: number, subject: number): void {
    let at = this.#count;
    if (at < FACTS_MAX) this.#count++;
    else {
      at = this.#next;
      this.#next = (at + 1) % FACTS_MAX;
    }
    this.#bases[at] = base;
    this.#offsets[at] = offset;
    this.#subjects[at] = subject;
    this.#depths[at] = this.#depth;
  }

  #remove(at: number): void {
    const last = --this.#count;
    this.#bases[at] = this.#bases[last] ?? 0;
    this.#offsets[at] = this.#offsets[last] ?? 0;
    this.#subjects[at] = this.#subjects[last] ?? 0;
    this.#depths[at] = this.#depths[last] ?? 0;
  }

  /** A local moves on: behind the innermost block, it may have or not. */
  #shift(local: number, offset: number): void {
    for (let at = 0; at < this.#count; at++) {
      if (this.#bases[at] !== local) continue;
      this.#offsets[at] = (this.#offsets[at] ?? 0) - offset;
      this.#depths[at] = this.#depth;
    }
  }

  /** Where it stands what the value of a local is. */
  #definition(origin: number): number {
    if (origin < 0) return NOWHERE;
    for (let at = 0; at < this.#count; at++) {
      if (this.#subjects[at] === ~origin) return at;
    }
    return NOWHERE;
  }

  #baseOf(definition: number, origin: number): number {
    return this.#bases[definition] ?? origin;
  }

  #offsetOf(definition: number): number {
    return this.#offsets[definition] ?? 0;
  }
}
