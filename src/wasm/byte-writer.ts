// Writes the primitive encodings of the WebAssembly binary format into one growing buffer.

const encoder = new TextEncoder();

/** Below this length a loop over bytes is faster than a call of `TypedArray.set`. */
const SHORT_COPY_BYTES = 48;

export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** Forgets what was written, and keeps the buffer. */
  clear(): void {
    this.#length = 0;
  }

  /** What was written, as a view: it is good until the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** What was written, in a buffer of exactly that length. The writer is empty afterwards. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(this.#bytes.buffer.transfer(this.#length));
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
    return taken;
  }

  u8(...values: readonly number[]): this {
    this.#reserve(values.length);
    for (const value of values) this.#bytes[this.#length++] = value;
    return this;
  }

  /** `u8` for a single byte, where it happens a million times. */
  op(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  u32(value: number): this {
    this.#reserve(5);
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
    return this;
  }

  /** An unsigned integer of up to 53 bits. */
  u64(value: number): this {
    this.#reserve(10);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
    return this;
  }

  /** A signed integer of up to 53 bits; an i32 constant may also be given as unsigned, with `| 0`. */
  signed(value: number): this {
    this.#reserve(10);
    let rest = value;
    for (;;) {
      const low = ((rest % 128) + 128) % 128;
      rest = Math.floor(rest / 128);
      const last = (rest === 0 && low < 0x40) || (rest === -1 && low >= 0x40);
      this.#bytes[this.#length++] = last ? low : low | 0x80;
      if (last) return this;
    }
  }

  name(text: string): this {
    return this.sized(encoder.encode(text));
  }

  /** Bytes with their length in front. */
  sized(bytes: Uint8Array): this {
    return this.u32(bytes.length).append(bytes);
  }

  append(bytes: Uint8Array): this {
    return this.copy(bytes, 0, bytes.length);
  }

  zeros(count: number): this {
    this.#reserve(count);
    this.#bytes.fill(0, this.#length, this.#length + count);
    this.#length += count;
    return this;
  }

  copy(source: Uint8Array, start: number, end: number): this {
    const length = end - start;
    this.#reserve(length);
    if (length > SHORT_COPY_BYTES) {
      this.#bytes.set(source.subarray(start, end), this.#length);
    } else {
      const shift = this.#length - start;
      // `at` is below `source.length`: a missing byte would be stored as 0.
      for (let at = start; at < end; at++) this.#bytes[at + shift] = source[at] as number;
    }
    this.#length += length;
    return this;
  }

  #reserve(length: number): void {
    const needed = this.#length + length;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
