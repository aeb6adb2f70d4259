// What a guest prints in first gear, in order, until it may be seen.
//
// Nothing leaves the slot in first gear, so bytes for a sink that does not hold them wait here. They
// are passed on when the call commits, or dropped when it is replayed.

import type { StdoutSink } from "./sources.ts";

/** Bytes kept for one call, over all sinks. Who prints more shifts, and prints through. */
const HELD_BYTES_MAX = 64 * 1024;

interface Run {
  readonly sink: StdoutSink;
  end: number;
}

export class OutputBuffer {
  #bytes: Buffer | undefined;
  #length = 0;
  /** Consecutive bytes for one sink each, so that the order over all sinks is kept. */
  readonly #runs: Run[] = [];

  hasRoomFor(length: number): boolean {
    return this.#length + length <= HELD_BYTES_MAX;
  }

  /** Keeps a copy. There must be room. */
  add(sink: StdoutSink, bytes: Uint8Array): void {
    const buffer = this.#grownBy(bytes.length);
    buffer.set(bytes, this.#length);
    this.#length += bytes.length;
    const last = this.#runs.at(-1);
    if (last?.sink === sink) last.end = this.#length;
    else this.#runs.push({ sink, end: this.#length });
  }

  /** Passes everything on and is empty again. */
  flush(): void {
    let start = 0;
    for (const { sink, end } of this.#runs) {
      if (this.#bytes) sink.write(this.#bytes.subarray(start, end));
      start = end;
    }
    this.drop();
  }

  drop(): void {
    this.#length = 0;
    this.#runs.length = 0;
  }

  #grownBy(length: number): Buffer {
    const needed = this.#length + length;
    if (this.#bytes && this.#bytes.length >= needed) return this.#bytes;
    const grown = Buffer.allocUnsafe(Math.max(256, needed * 2));
    this.#bytes?.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
    return grown;
  }
}
