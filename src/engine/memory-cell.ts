// A memory that can be made like new: the memory itself, its card table, and how to restore both.
//
// The image is what the memory holds when a call begins. Whatever a call writes marks a card, so that
// restoring copies back only the marked pages.

import { CARD_SHIFT, CONTROL, type Limits } from "../wasm/mod.ts";
import { linkRestorer, type Restorer } from "./restorer.ts";

const PAGE_BYTES = 65536;
const CARD_BYTES = 1 << CARD_SHIFT;
const CARDS_PER_PAGE = PAGE_BYTES / CARD_BYTES;

/** What a memory holds. */
export interface MemoryContents {
  /** From address 0 up to the last card that is not all zero; a multiple of the card size. */
  readonly bytes: Uint8Array;
  readonly pages: number;
}

/** The contents of a memory at the start of each call, shared by all slots of a module. */
export interface MemoryImage extends MemoryContents {
  /** It begins with the bytes. */
  readonly memory: WebAssembly.Memory;
}

export class MemoryCell {
  readonly memory: WebAssembly.Memory;
  readonly cards: WebAssembly.Memory;
  readonly #limits: Limits;
  readonly #control: Int32Array;
  #bytes: Uint8Array;
  /** Pages that the memory really has: it never shrinks. */
  #realPages: number;
  readonly #pagesMax: number;
  /** What was restored last, and what does it. */
  #image: MemoryImage | undefined;
  #restorer: Restorer | undefined;

  /** @throws RangeError if the process has no room for another memory */
  constructor(limits: Limits, pagesMax: number) {
    const maximum = Math.max(limits.min, Math.min(limits.max ?? pagesMax, pagesMax));
    this.#limits = limits;
    this.memory = newMemory(limits, maximum);
    const cardTableBytes = CONTROL.MARKS + maximum * CARDS_PER_PAGE;
    const cardPages = Math.ceil(cardTableBytes / PAGE_BYTES);
    this.cards = new WebAssembly.Memory({ initial: cardPages, maximum: cardPages });
    this.#control = new Int32Array(this.cards.buffer, 0, CONTROL.MARKS / 4);
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

  /** Bytes beyond which it may not grow, if it was refused more the last time that the guest asked. */
  get refusedBeyond(): number | undefined {
    if (this.#control[CONTROL.REFUSED / 4] === 0) return undefined;
    return ((this.#control[CONTROL.PAGES_MAX / 4] as number) >>> 0) * PAGE_BYTES;
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

  /** What the memory holds, until it is written to; forgets all marks. */
  capture(): MemoryContents {
    this.#follow();
    const end = endOfContents(this.#bytes);
    new Uint8Array(this.cards.buffer, CONTROL.MARKS).fill(0);
    return { bytes: this.#bytes.subarray(0, end), pages: this.pages };
  }

  /** Puts back every card that was written to since the last restore. */
  restore(image: MemoryImage): void {
    this.#follow();
    const marksEnd = CONTROL.MARKS + this.#realPages * CARDS_PER_PAGE;
    this.#restorerOf(image)(marksEnd, image.bytes.length, this.#bytes.length);
    if (this.pages !== image.pages) this.#control[CONTROL.PAGES / 4] = image.pages;
    this.#control[CONTROL.REFUSED / 4] = 0;
  }

  #restorerOf(image: MemoryImage): Restorer {
    if (this.#image === image && this.#restorer) return this.#restorer;
    const { memory, cards } = this;
    this.#image = image;
    this.#restorer = linkRestorer({ memory, cards, limits: this.#limits }, image.memory);
    return this.#restorer;
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

const ZEROS = new Uint8Array(PAGE_BYTES);

/** Behind the last card that is not all zero. Large steps come first: most memories begin nearly empty. */
function endOfContents(bytes: Uint8Array): number {
  let end = bytes.length;
  for (const step of [PAGE_BYTES, CARD_BYTES]) {
    const zeros = ZEROS.subarray(0, step);
    while (end > 0 && Buffer.compare(bytes.subarray(end - step, end), zeros) === 0) end -= step;
  }
  return end;
}
