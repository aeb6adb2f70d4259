// What the code of one lifted or lowered function works with in one slot: a component instance, its
// memory and allocator, and the texts and bytes that lie there.
//
// Nothing from a guest is believed: every range is checked before it is touched, and what one call may
// bring into the host's memory is limited, since a few bytes can name the same megabyte many times.

import type { CanonicalOptions } from "../plan.ts";
import type { CanonicalMemory } from "../slot-access.ts";
import { trap } from "./canonical-error.ts";
import type { ComponentState, InstanceState } from "./component-state.ts";

/** Bytes of a string or list. The specification's. */
const POINTED_BYTES_MAX = 2 ** 28 - 1;
/** Bytes that one call may lift, about: what is in memory, and the `liftCost` of each element of a list. That takes a tenth of a second. */
export const LIFTED_BYTES_MAX = 128 * 2 ** 20;
/** Texts of so many characters are lifted, and lowered, quicker by a loop than by a call into the runtime. */
const SHORT_LIFT = 10;
const SHORT_LOWER = 24;
/** Marks the length of a text that is UTF-16, where the other possibility is Latin-1. */
const UTF16_TAG = 0x8000_0000;

const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const utf16Decoder = new TextDecoder("utf-16le", { fatal: true, ignoreBOM: true });

interface ElementLayout {
  readonly size: number;
  readonly alignment: number;
  readonly liftCost: number;
}

export class CanonicalContext {
  readonly state: ComponentState;
  readonly instance: InstanceState;
  /** Length of the text that was lowered last, as the guest is to be told it. */
  units = 0;

  readonly #options: CanonicalOptions;
  #memory: CanonicalMemory | undefined;
  /** `#memory.bytes` as a plain Uint8Array, whose `slice` copies. */
  #plainBytes: Uint8Array = new Uint8Array(0);
  #bytesLeft = 0;

  constructor(state: ComponentState, componentInstance: number, options: CanonicalOptions) {
    this.state = state;
    this.instance = state.instance(componentInstance);
    this.#options = options;
  }

  get memory(): CanonicalMemory {
    this.#memory ??= this.#openMemory();
    return this.#memory;
  }

  #openMemory(): CanonicalMemory {
    if (this.#options.memory === undefined) trap("a function that passes values in memory has none");
    return this.state.access.memory(this.#options.memory);
  }

  /** To be called before the strings and lists of a call are lifted. */
  startLifting(): void {
    this.#bytesLeft = LIFTED_BYTES_MAX;
  }

  /** Calls the guest's allocator, which may grow the memory. */
  allocate(alignment: number, size: number): number {
    const { realloc } = this.#options;
    if (realloc === undefined) trap("a function that passes values in memory has no allocator");
    this.instance.mayLeave = false;
    const pointer = Number(this.state.access.call(realloc, 0, 0, alignment, size)) >>> 0;
    this.instance.mayLeave = true;
    if (pointer % alignment !== 0) trap("realloc return: result not aligned");
    if (pointer + size > this.memory.byteLength) trap("realloc return: beyond end of memory");
    return pointer;
  }

  /** The place for a value of `size` bytes, checked; marked if it is to be written. */
  area(pointer: number, size: number, alignment: number): number {
    const start = pointer >>> 0;
    if (start % alignment !== 0) trap("unaligned pointer");
    if (start + size > this.memory.byteLength) trap("pointer out of bounds of memory");
    return start;
  }

  resultArea(pointer: number, size: number, alignment: number): number {
    const start = this.area(pointer, size, alignment);
    this.memory.mark(start, size);
    return start;
  }

  /** The place of a list's elements, checked, and charged for. */
  elements(pointer: number, length: number, element: ElementLayout) {
    const start = pointer >>> 0;
    const bytes = (length >>> 0) * element.size;
    if (bytes > POINTED_BYTES_MAX) trap(`list of ${bytes} bytes is too long`);
    if (start % element.alignment !== 0) trap("list pointer is not aligned");
    if (start + bytes > this.memory.byteLength) trap("list content out-of-bounds");
    this.#charge(bytes + (length >>> 0) * element.liftCost);
    return start;
  }

  /** Allocates and marks room for the elements of a list. */
  allocateElements(length: number, element: { readonly size: number; readonly alignment: number }): number {
    const bytes = length * element.size;
    if (bytes > POINTED_BYTES_MAX) trap(`list of ${bytes} bytes is too long`);
    const start = this.allocate(element.alignment, bytes);
    this.memory.mark(start, bytes);
    return start;
  }

  /** The elements of a list of a fixed length lie in the value itself. */
  chargeElements(length: number, liftCost: number): void {
    this.#charge(length * liftCost);
  }

  #charge(bytes: number): void {
    this.#bytesLeft -= bytes;
    if (this.#bytesLeft < 0) trap(`a call passes more than ${LIFTED_BYTES_MAX} bytes`);
  }

  /** A list of u8, as a copy. */
  liftBytes(pointer: number, length: number): Uint8Array {
    const start = pointer >>> 0;
    return this.copy(start, this.#endOfBytes(start, length >>> 0));
  }

  /** The same as text, with one character for each byte. */
  liftByteText(pointer: number, length: number): string {
    const start = pointer >>> 0;
    const end = this.#endOfBytes(start, length >>> 0);
    return this.memory.bytes.toString("latin1", start, end);
  }

  #endOfBytes(start: number, length: number): number {
    if (length > POINTED_BYTES_MAX) trap(`list of ${length} bytes is too long`);
    if (start + length > this.memory.byteLength) trap("list content out-of-bounds");
    this.#charge(length);
    return start + length;
  }

  /** A copy of a range that is known to be inside. */
  copy(start: number, end: number): Uint8Array {
    const { bytes } = this.memory;
    if (this.#plainBytes.buffer !== bytes.buffer || this.#plainBytes.length !== bytes.length)
      this.#plainBytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    return this.#plainBytes.slice(start, end);
  }

  lowerBytes(value: unknown): number {
    if (!(value instanceof Uint8Array)) throw new TypeError("Expected a Uint8Array for a list<u8>");
    if (value.length > POINTED_BYTES_MAX) trap(`list of ${value.length} bytes is too long`);
    const start = this.allocate(1, value.length);
    this.memory.mark(start, value.length);
    this.memory.bytes.set(value, start);
    return start;
  }

  lowerByteText(value: unknown): number {
    if (typeof value !== "string") throw new TypeError("Expected text for a list<u8>");
    const start = this.#allocateText(1, value.length);
    this.#writeLatin1(value, start);
    return start;
  }

  #writeLatin1(text: string, start: number): void {
    const { bytes } = this.memory;
    if (text.length > SHORT_LOWER) bytes.write(text, start, text.length, "latin1");
    else for (let index = 0; index < text.length; index++) bytes[start + index] = text.charCodeAt(index);
  }

  liftString(pointer: number, units: number): string {
    const start = pointer >>> 0;
    switch (this.#options.stringEncoding) {
      case "utf8":
        return this.#liftUtf8(start, units >>> 0);
      case "utf16":
        return this.#liftUtf16(start, units >>> 0);
      case "latin1+utf16":
        return units & UTF16_TAG
          ? this.#liftUtf16(start, (units ^ UTF16_TAG) >>> 0)
          : this.#liftLatin1(start, units >>> 0);
    }
  }

  #liftUtf8(start: number, length: number): string {
    const bytes = this.#text(start, length);
    if (length <= SHORT_LIFT) {
      let text = "";
      let index = start;
      for (; index < start + length; index++) {
        const byte = bytes[index] ?? 0x80;
        if (byte >= 0x80) break;
        text += String.fromCharCode(byte);
      }
      if (index === start + length) return text;
    }
    const text = bytes.toString("utf8", start, start + length);
    // The quick decoder replaces what is no UTF-8; the strict one tells whether the character was meant.
    return text.includes("\ufffd") ? decode(strictDecoder, bytes.subarray(start, start + length)) : text;
  }

  #liftUtf16(start: number, units: number): string {
    if (start % 2 !== 0) trap("unaligned pointer");
    const bytes = this.#text(start, 2 * units);
    const text = bytes.toString("utf16le", start, start + 2 * units);
    return text.isWellFormed() ? text : decode(utf16Decoder, bytes.subarray(start, start + 2 * units));
  }

  #liftLatin1(start: number, length: number): string {
    if (start % 2 !== 0) trap("unaligned pointer");
    return this.#text(start, length).toString("latin1", start, start + length);
  }

  /** Checks the range of a text, and charges for it; returns the whole memory. */
  #text(start: number, bytes: number): Buffer {
    const { memory } = this;
    if (bytes > POINTED_BYTES_MAX || start + bytes > memory.byteLength)
      trap("string pointer/length out of bounds of memory");
    this.#charge(bytes);
    return memory.bytes;
  }

  /** Returns the pointer to a text, whose length is then in `units`. What is no character becomes U+FFFD. */
  lowerString(value: unknown): number {
    if (typeof value !== "string") throw new TypeError(`Expected a string, got ${typeof value}`);
    switch (this.#options.stringEncoding) {
      case "utf8":
        return this.#lowerUtf8(value);
      case "utf16":
        return this.#lowerUtf16(value, 0);
      case "latin1+utf16":
        return WIDE_CHARACTER.test(value) ? this.#lowerUtf16(value, UTF16_TAG) : this.#lowerLatin1(value);
    }
  }

  #lowerUtf8(text: string): number {
    const isShort = text.length <= SHORT_LOWER && isAscii(text);
    const length = isShort ? text.length : Buffer.byteLength(text, "utf8");
    const start = this.#allocateText(1, length);
    this.units = length;
    if (length === text.length) this.#writeLatin1(text, start);
    else this.memory.bytes.write(text, start, length, "utf8");
    return start;
  }

  #lowerUtf16(text: string, tag: number): number {
    const start = this.#allocateText(2, 2 * text.length);
    this.units = text.length | tag;
    this.memory.bytes.write(text.toWellFormed(), start, 2 * text.length, "utf16le");
    return start;
  }

  #lowerLatin1(text: string): number {
    const start = this.#allocateText(2, text.length);
    this.units = text.length;
    this.memory.bytes.write(text, start, text.length, "latin1");
    return start;
  }

  #allocateText(alignment: number, bytes: number): number {
    if (bytes > POINTED_BYTES_MAX) trap(`string of ${bytes} bytes is too long`);
    const start = this.allocate(alignment, bytes);
    this.memory.mark(start, bytes);
    return start;
  }
}

const WIDE_CHARACTER = /[^\u0000-\u00ff]/;

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) >= 0x80) return false;
  return true;
}

function decode(decoder: TextDecoder, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return trap(decoder === strictDecoder ? "invalid utf-8" : "invalid utf-16");
  }
}
