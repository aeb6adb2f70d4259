// Remembers which addresses straight-line code has marked, so that stores nearby need not mark again.
//
// It rests on two facts. A mark at `p` covers p to p + 15, since a marked page is restored with the 15
// bytes behind it. And marks are only ever cleared while no guest code is on the stack, so what was
// marked on every path to here is marked here. An address is known as a local and an offset; the
// caller forgets a local that is assigned, and everything where another path may join.

import type { StoredRange } from "./control.ts";
import { STRADDLE_BYTES } from "./rewritten.ts";

/** The oldest are forgotten first. */
const MARKS_MAX = 8;

export class KnownMarks {
  readonly #origins = new Int32Array(MARKS_MAX);
  readonly #memories = new Int32Array(MARKS_MAX);
  readonly #offsets = new Float64Array(MARKS_MAX);
  /** How many there are, and where the next goes. */
  #count = 0;
  #next = 0;

  clear(): void {
    this.#count = 0;
    this.#next = 0;
  }

  add(origin: number, memory: number, markedOffset: number): void {
    this.#origins[this.#next] = origin;
    this.#memories[this.#next] = memory;
    this.#offsets[this.#next] = markedOffset;
    this.#next = (this.#next + 1) % MARKS_MAX;
    this.#count = Math.min(this.#count + 1, MARKS_MAX);
  }

  forget(origin: number): void {
    for (let at = 0; at < this.#count; at++) {
      if (this.#origins[at] === origin) this.#origins[at] = FORGOTTEN;
    }
  }

  covers(origin: number, { memory, offset, bytes }: StoredRange): boolean {
    for (let at = 0; at < this.#count; at++) {
      if (this.#origins[at] !== origin || this.#memories[at] !== memory) continue;
      const from = offset - (this.#offsets[at] ?? Number.POSITIVE_INFINITY);
      if (from >= 0 && from + bytes <= STRADDLE_BYTES + 1) return true;
    }
    return false;
  }
}

const FORGOTTEN = -1;
