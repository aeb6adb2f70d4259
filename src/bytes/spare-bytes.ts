// Copies of bytes in memory that is used again, for bodies that are soon sent.
//
// Making such memory costs five times what copying into it does: the system zeroes page after page, and V8
// collects garbage the more often. A copy covers all of its bytes, so nothing of an earlier one can be seen.

/** Smaller copies are cheap to make. */
const BYTES_MIN = 8 * 1024;
/** Larger ones are rare. */
const BYTES_MAX = 1024 * 1024;
/** Kept for later, at most. */
const KEPT_BYTES_MAX = 8 * 1024 * 1024;

export class SpareBytes {
  /** What is kept, by size; sizes are powers of two. */
  readonly #kept = new Map<number, Buffer<ArrayBuffer>[]>();
  #keptBytes = 0;
  /** What is under copies that were given out. */
  readonly #lent = new WeakMap<ArrayBufferLike, Buffer<ArrayBuffer>>();

  copy(bytes: Uint8Array): Buffer {
    const { length } = bytes;
    if (length < BYTES_MIN || length > BYTES_MAX) return Buffer.from(bytes);
    const whole = this.#take(2 ** (32 - Math.clz32(length - 1)));
    whole.set(bytes);
    this.#lent.set(whole.buffer, whole);
    return whole.subarray(0, length);
  }

  /** Takes back a copy that nobody has any more. What is no copy, or was given back before, is left alone. */
  giveBack(copy: Uint8Array): void {
    const whole = this.#lent.get(copy.buffer);
    if (whole === undefined) return;
    this.#lent.delete(copy.buffer);
    if (this.#keptBytes + whole.length > KEPT_BYTES_MAX) return;
    const kept = this.#kept.get(whole.length) ?? [];
    kept.push(whole);
    this.#kept.set(whole.length, kept);
    this.#keptBytes += whole.length;
  }

  #take(size: number): Buffer<ArrayBuffer> {
    const kept = this.#kept.get(size)?.pop();
    if (kept === undefined) return Buffer.allocUnsafeSlow(size);
    this.#keptBytes -= size;
    return kept;
  }
}

/** Those of this thread. */
export const spareBytes = new SpareBytes();
