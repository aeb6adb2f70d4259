// A memory that can be made like new: the memory itself, its card table, and how to restore both.
//
// The image is what the memory holds when a call begins. Whatever a call writes marks a card, so that
// restoring copies back only the marked pages.

import { CARD_SHIFT, CONTROL, type Limits, STRADDLE_BYTES } from "../wasm/mod.ts";

const PAGE_BYTES = 65536;
const CARD_BYTES = 1 << CARD_SHIFT;
const CARDS_PER_PAGE = PAGE_BYTES / CARD_BYTES;

/** The contents of a memory at the start of each call, shared by all slots of a module. */
export interface MemoryImage {
  /** From address 0 up to the last card that is not all zero; a multiple of the card size. */
  readonly bytes: Uint8Array;
  readonly pages: number;
}

export class MemoryCell {
  readonly memory: WebAssembly.Memory;
  readonly cards: WebAssembly.Memory;
  readonly #control: Int32Array;
  readonly #marks: Uint8Array;
  readonly #markWords: Int32Array;
  #bytes: Uint8Array;
  /** Pages that the memory really has: it never shrinks. */
  #realPages: number;
  readonly #pagesMax: number;

  /** @throws RangeError if the process has no room for another memory */
  constructor(limits: Limits, pagesMax: number) {
    const maximum = Math.max(limits.min, Math.min(limits.max ?? pagesMax, pagesMax));
    this.memory = newMemory(limits, maximum);
    const cardTableBytes = CONTROL.MARKS + maximum * CARDS_PER_PAGE;
    const cardPages = Math.ceil(cardTableBytes / PAGE_BYTES);
    this.cards = new WebAssembly.Memory({ initial: cardPages, maximum: cardPages });
    this.#control = new Int32Array(this.cards.buffer, 0, CONTROL.MARKS / 4);
    this.#marks = new Uint8Array(this.cards.buffer, CONTROL.MARKS);
    this.#markWords = new Int32Array(this.cards.buffer, CONTROL.MARKS);
    this.#bytes = new Uint8Array(this.memory.buffer);
    this.#realPages = limits.min;
    this.#pagesMax = maximum;
    this.#control[CONTROL.PAGES / 4] = limits.min;
    this.#control[CONTROL.PAGES_MAX / 4] = maximum;
  }

  /** Pages as the guest counts them. */
  get pages(): number {
    return (this.#control[CONTROL.PAGES / 4] as number) >>> 0;
  }

  /** Bytes that it has taken from the process and not given back. */
  get realBytes(): number {
    return Math.max(this.#realPages, this.pages) * PAGE_BYTES;
  }

  /** Bytes that it could still take. */
  get growableBytes(): number {
    return (this.#pagesMax - Math.max(this.#realPages, this.pages)) * PAGE_BYTES;
  }

  /** From now on it may take so many bytes more. */
  allow(bytes: number): void {
    const pages = Math.max(this.#realPages, this.pages) + Math.floor(bytes / PAGE_BYTES);
    const pagesMax = Math.min(this.#pagesMax, pages);
    if (this.#control[CONTROL.PAGES_MAX / 4] !== pagesMax) this.#control[CONTROL.PAGES_MAX / 4] = pagesMax;
  }

  /** Copies what the memory holds, and forgets all marks. */
  capture(): MemoryImage {
    this.#follow();
    let end = this.#bytes.length;
    while (end > 0 && isZeroCard(this.#bytes, end - CARD_BYTES)) end -= CARD_BYTES;
    this.#marks.fill(0);
    return { bytes: this.#bytes.slice(0, end), pages: this.pages };
  }

  /** Puts back every page that was written to since the last restore. */
  restore(image: MemoryImage): void {
    this.#follow();
    const cards = this.#realPages * CARDS_PER_PAGE;
    const words = cards / 4;
    for (let word = 0; word < words; word++) {
      if (this.#markWords[word] !== 0) word = this.#restoreRun(word * 4, cards, image);
    }
    if (this.pages !== image.pages) this.#control[CONTROL.PAGES / 4] = image.pages;
  }

  /** Restores the run of marked cards at or after `from`; returns the word to look at before the next. */
  #restoreRun(from: number, cards: number, image: MemoryImage): number {
    const marks = this.#marks;
    let first = from;
    while (marks[first] === 0) first++;
    let end = first + 1;
    while (end < cards && marks[end] !== 0) end++;
    this.#copyBack(first * CARD_BYTES, end * CARD_BYTES + STRADDLE_BYTES, image.bytes);
    marks.fill(0, first, end);
    // The word that holds `end` may have marks behind it: the caller's loop comes to it next.
    return (end >>> 2) - 1;
  }

  #copyBack(start: number, end: number, image: Uint8Array): void {
    if (start < image.length) this.#bytes.set(image.subarray(start, end), start);
    if (end > image.length) this.#bytes.fill(0, Math.max(start, image.length), end);
  }

  /** Growing gives the memory a new buffer. */
  #follow(): void {
    if (this.#bytes.length !== 0 && this.pages <= this.#realPages) return;
    this.#bytes = new Uint8Array(this.memory.buffer);
    this.#realPages = this.#bytes.length / PAGE_BYTES;
  }
}

function newMemory(limits: Limits, maximum: number): WebAssembly.Memory {
  if (limits.is64) {
    return new WebAssembly.Memory({
      initial: BigInt(limits.min),
      maximum: BigInt(maximum),
      shared: limits.shared,
      address: "i64",
    });
  }
  return new WebAssembly.Memory({ initial: limits.min, maximum, shared: limits.shared });
}

function isZeroCard(bytes: Uint8Array, start: number): boolean {
  const words = new BigInt64Array(bytes.buffer, bytes.byteOffset + start, CARD_BYTES / 8);
  return words.every((word) => word === 0n);
}
