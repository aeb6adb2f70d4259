// Reads the primitive encodings of the WebAssembly binary format.
//
// Nothing is read past `end`, and no count is believed: a vector cannot have more elements than there
// are bytes left. Every failure is a MalformedModuleError with the offset where it was noticed.

import { MalformedModuleError } from "./malformed-module-error.ts";

const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class ByteReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  offset: number;

  constructor(bytes: Uint8Array, range: { readonly start: number; readonly end: number }) {
    this.bytes = bytes;
    this.offset = range.start;
    this.end = range.end;
  }

  get done(): boolean {
    return this.offset >= this.end;
  }

  fail(reason: string, offset = this.offset): never {
    throw new MalformedModuleError(reason, offset);
  }

  u8(): number {
    const byte = this.bytes[this.offset];
    if (byte === undefined || this.offset >= this.end) this.fail("unexpected end");
    this.offset++;
    return byte;
  }

  /** The next byte, which stays unread. */
  peek(): number {
    const byte = this.bytes[this.offset];
    if (byte === undefined || this.offset >= this.end) this.fail("unexpected end");
    return byte;
  }

  u32(): number {
    const first = this.u8();
    if (first < 0x80) return first;
    const start = this.offset - 1;
    let value = first & 0x7f;
    for (let shift = 7; shift < 35; shift += 7) {
      const byte = this.u8();
      if (shift === 28 && byte > 0x0f) this.fail("integer is longer than 32 bits", start);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    this.fail("integer is longer than 32 bits", start);
  }

  /** An unsigned integer of 64 bits as a number: exact to 2^53, and beyond that too large for any use anyway. */
  u64(): number {
    const start = this.offset;
    let value = 0;
    for (let scale = 1, length = 1; length <= 10; length++, scale *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    this.fail("integer is longer than 64 bits", start);
  }

  /** A signed integer of 33 bits, as heap types and block types have it. */
  s33(): number {
    const start = this.offset;
    let value = 0;
    for (let scale = 1, length = 1; length <= 5; length++, scale *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return byte & 0x40 ? value - scale * 128 : value;
    }
    this.fail("integer is longer than 33 bits", start);
  }

  /** Passes over an integer of any width. */
  skipInteger(): void {
    const start = this.offset;
    for (let length = 1; length <= 10; length++) if (this.u8() < 0x80) return;
    this.fail("integer is longer than 64 bits", start);
  }

  skip(length: number): void {
    if (length > this.end - this.offset)
      this.fail(`${length} bytes expected, ${this.end - this.offset} left`);
    this.offset += length;
  }

  /** The length of a vector whose elements take at least one byte each. */
  count(what: string): number {
    const start = this.offset;
    const count = this.u32();
    if (count > this.end - this.offset)
      this.fail(`${count} ${what} in ${this.end - this.offset} bytes`, start);
    return count;
  }

  name(): string {
    const length = this.count("bytes of text");
    const start = this.offset;
    this.skip(length);
    try {
      return strictDecoder.decode(this.bytes.subarray(start, this.offset));
    } catch {
      this.fail("name is not UTF-8", start);
    }
  }
}
