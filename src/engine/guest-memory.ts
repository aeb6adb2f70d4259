// The one way in which the host touches a guest's memory.
//
// Every access checks bounds against the logical size, and every write marks the cards of what it
// wrote, so that the slot can be restored. Pointers are as JavaScript receives them from WebAssembly:
// an i32 may be negative, so each is taken as unsigned.

import { CARD_SHIFT, CONTROL } from "../wasm/mod.ts";

const PAGE_BYTES = 65536;

/** An access outside of the guest's memory. Hosts map it to their own error, else the guest traps. */
export class GuestMemoryFault extends Error {
  override readonly name = "GuestMemoryFault";
  constructor(pointer: number, length: number) {
    super(`Access of ${length} bytes at ${pointer} is outside of the guest's memory`);
  }
}

/** Text from a guest that is not UTF-8. */
export class GuestTextFault extends Error {
  override readonly name = "GuestTextFault";
}

/** Up to here a loop is faster than a call of Buffer. */
const SHORT_TEXT_LENGTH_MAX = 40;

const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class GuestMemory {
  readonly #memory: WebAssembly.Memory;
  readonly #control: Uint32Array;
  readonly #marks: Uint8Array;
  #buffer: Buffer;
  #view: DataView;

  constructor(memory: WebAssembly.Memory, cards: WebAssembly.Memory) {
    this.#memory = memory;
    this.#control = new Uint32Array(cards.buffer, 0, CONTROL.MARKS / 4);
    this.#marks = new Uint8Array(cards.buffer, CONTROL.MARKS);
    this.#buffer = Buffer.from(memory.buffer);
    this.#view = new DataView(memory.buffer);
  }

  /** Size in bytes as the guest sees it. */
  get byteLength(): number {
    // The control block holds at least one word, so the element is there.
    return (this.#control[0] as number) * PAGE_BYTES;
  }

  /**
   * All bytes of the memory, for reading. Good until the guest runs again: growing detaches it.
   * It may be longer than `byteLength`; the bytes beyond are zero.
   */
  get bytes(): Buffer {
    if (this.#buffer.length < this.byteLength) this.#refresh();
    return this.#buffer;
  }

  /** The same as a DataView, for reading. */
  get view(): DataView {
    if (this.#buffer.length < this.byteLength) this.#refresh();
    return this.#view;
  }

  #refresh(): void {
    this.#buffer = Buffer.from(this.#memory.buffer);
    this.#view = new DataView(this.#memory.buffer);
  }

  /** Checks that `length` bytes at `pointer` are inside; returns the pointer as unsigned. */
  check(pointer: number, length: number): number {
    const start = pointer >>> 0;
    if (length < 0 || start + length > this.byteLength) throw new GuestMemoryFault(start, length);
    return start;
  }

  /** Marks what the caller is about to write, or has written, by way of `bytes`. */
  mark(pointer: number, length: number): void {
    if (length <= 0) return;
    const first = pointer >>> CARD_SHIFT;
    const last = (pointer + length - 1) >>> CARD_SHIFT;
    for (let card = first; card <= last; card++) this.#marks[card] = 1;
  }

  readU8(pointer: number): number {
    const at = this.check(pointer, 1);
    return this.view.getUint8(at);
  }
  readU16(pointer: number): number {
    const at = this.check(pointer, 2);
    return this.view.getUint16(at, true);
  }
  readU32(pointer: number): number {
    const at = this.check(pointer, 4);
    return this.view.getUint32(at, true);
  }
  readU64(pointer: number): bigint {
    const at = this.check(pointer, 8);
    return this.view.getBigUint64(at, true);
  }

  /** A view of the guest's bytes; copy it (`slice`) to keep it past the guest's next step. */
  read(pointer: number, length: number): Buffer {
    const at = this.check(pointer, length >>> 0);
    return this.bytes.subarray(at, at + (length >>> 0));
  }

  /** Decodes UTF-8; throws GuestTextFault where it is none. */
  readText(pointer: number, length: number): string {
    const bytes = this.read(pointer, length);
    try {
      return strictDecoder.decode(bytes);
    } catch (cause) {
      throw new GuestTextFault("Text from the guest is not UTF-8", { cause });
    }
  }

  writeU8(pointer: number, value: number): void {
    const at = this.#writable(pointer, 1);
    this.#view.setUint8(at, value);
  }
  writeU16(pointer: number, value: number): void {
    const at = this.#writable(pointer, 2);
    this.#view.setUint16(at, value, true);
  }
  writeU32(pointer: number, value: number): void {
    const at = this.#writable(pointer, 4);
    this.#view.setUint32(at, value, true);
  }
  writeU64(pointer: number, value: bigint): void {
    const at = this.#writable(pointer, 8);
    this.#view.setBigUint64(at, value, true);
  }

  write(pointer: number, bytes: Uint8Array): void {
    const at = this.#writable(pointer, bytes.length);
    this.#buffer.set(bytes, at);
  }

  /** Writes a text one byte for each character: ASCII, or bytes that HTTP carries as characters. */
  writeLatin1(pointer: number, text: string): void {
    const { length } = text;
    const at = this.#writable(pointer, length);
    const buffer = this.#buffer;
    if (length > SHORT_TEXT_LENGTH_MAX) buffer.write(text, at, length, "latin1");
    else for (let i = 0; i < length; i++) buffer[at + i] = text.charCodeAt(i);
  }

  /** Writes consecutive u32. */
  writeU32s(pointer: number, values: readonly number[]): void {
    let at = this.#writable(pointer, 4 * values.length);
    for (const value of values) {
      this.#view.setUint32(at, value, true);
      at += 4;
    }
  }

  /** A view that the caller fills at once: `length` bytes, checked and marked. */
  writable(pointer: number, length: number): Buffer {
    const at = this.#writable(pointer, length >>> 0);
    return this.#buffer.subarray(at, at + (length >>> 0));
  }

  #writable(pointer: number, length: number): number {
    const at = this.check(pointer, length);
    this.mark(at, length);
    if (this.#buffer.length < this.byteLength) this.#refresh();
    return at;
  }
}
