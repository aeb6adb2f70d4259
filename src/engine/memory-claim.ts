// What the memories of one slot take of the process, and how far they may grow.
//
// A guest grows its memory without asking the host, up to a number of pages that stands beside it. Only
// one guest of a thread runs at a time, so it is enough to set that number when a turn begins, to what
// is left just then, and to count what was taken when the turn has ended.

import type { Share } from "./budget.ts";
import type { MemoryCell } from "./memory-cell.ts";

export class MemoryClaim implements Disposable {
  readonly #cells: readonly MemoryCell[];
  readonly #share: Share;
  readonly #makeRoom: (share: Share) => void;
  #bytes = 0;
  #isOver = false;

  /** @param makeRoom called when little is left: it may let go what others do not need */
  constructor(cells: readonly MemoryCell[], share: Share, makeRoom: (share: Share) => void) {
    this.#cells = cells;
    this.#share = share;
    this.#makeRoom = makeRoom;
    this.close();
  }

  /** A turn of the guest begins. */
  open(): void {
    let room = this.#share.room;
    if (room < ROOM_BYTES_MIN && this.#cells.some((cell) => cell.growableBytes > room)) {
      this.#makeRoom(this.#share);
      room = this.#share.room;
    }
    // All of them may grow in this turn.
    for (const cell of this.#cells) cell.allow(room / this.#cells.length);
  }

  /** The turn has ended. */
  close(): void {
    let bytes = 0;
    for (const cell of this.#cells) bytes += cell.realBytes;
    if (bytes === this.#bytes || this.#isOver) return;
    this.#share.change(bytes - this.#bytes);
    this.#bytes = bytes;
  }

  /** The slot is thrown away. A guest in it that still runs counts no more. */
  [Symbol.dispose](): void {
    if (!this.#isOver) this.#share.change(-this.#bytes);
    this.#isOver = true;
  }
}

/** With less than this left for it, a guest that may grow is worth throwing idle slots away. */
export const ROOM_BYTES_MIN = 64 * 1024 * 1024;
