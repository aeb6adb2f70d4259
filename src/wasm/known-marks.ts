// Remembers which addresses code has marked, so that stores nearby need not mark again.
//
// It rests on two facts. A mark at `p` covers the card of `p` and STRADDLE_BYTES behind it, so it covers
// that many bytes from `p` on wherever `p` is in its card. And marks are only ever cleared while no guest
// code is on the stack, so what was marked on every path to here is marked here.
//
// An address is known as a local and an offset, or as a constant. What was marked before a block holds
// in it and behind it; what was marked in it holds up to its end. The caller forgets a local that is
// assigned, wherever that is, and all locals where a loop begins, since it may assign any of them.

import type { StoredRange } from "./control.ts";
import { CARD_SHIFT, STRADDLE_BYTES } from "./rewritten.ts";

/** The origin of a constant address, whose offset is the address of a card. */
export const ABSOLUTE = -2;

/** The oldest are forgotten first. */
const MARKS_MAX = 8;
const FORGOTTEN = -1;

export class KnownMarks {
  readonly #origins = new Int32Array(MARKS_MAX);
  readonly #memories = new Int32Array(MARKS_MAX);
  readonly #offsets = new Float64Array(MARKS_MAX);
  /** How many blocks were around each. */
  readonly #depths = new Int32Array(MARKS_MAX);
  #depth = 0;
  #next = 0;

  clear(): void {
    this.#origins.fill(FORGOTTEN);
    this.#depth = 0;
  }

  add(origin: number, memory: number, markedOffset: number): void {
    this.#origins[this.#next] = origin;
    this.#memories[this.#next] = memory;
    this.#offsets[this.#next] = markedOffset;
    this.#depths[this.#next] = this.#depth;
    this.#next = (this.#next + 1) % MARKS_MAX;
  }

  forget(origin: number): void {
    for (let at = 0; at < MARKS_MAX; at++) {
      if (this.#origins[at] === origin) this.#origins[at] = FORGOTTEN;
    }
  }

  enterBlock(): void {
    this.#depth++;
  }

  enterLoop(): void {
    this.#depth++;
    for (let at = 0; at < MARKS_MAX; at++) {
      if (this.#origins[at] !== ABSOLUTE) this.#origins[at] = FORGOTTEN;
    }
  }

  /** Another path comes in, within the innermost block. */
  alternate(): void {
    for (let at = 0; at < MARKS_MAX; at++) {
      if ((this.#depths[at] ?? 0) >= this.#depth) this.#origins[at] = FORGOTTEN;
    }
  }

  leaveBlock(): void {
    this.alternate();
    this.#depth--;
  }

  covers(origin: number, { memory, offset, bytes }: StoredRange): boolean {
    const covered = STRADDLE_BYTES + (origin === ABSOLUTE ? 1 << CARD_SHIFT : 1);
    for (let at = 0; at < MARKS_MAX; at++) {
      if (this.#origins[at] !== origin || this.#memories[at] !== memory) continue;
      const from = offset - (this.#offsets[at] ?? Number.POSITIVE_INFINITY);
      if (from >= 0 && from + bytes <= covered) return true;
    }
    return false;
  }
}
