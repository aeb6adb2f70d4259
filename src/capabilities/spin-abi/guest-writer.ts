// Gives values to a guest: each in memory of its own, which the guest's allocator made.
//
// The guest owns what it is given, and may free every text and list by itself, so nothing shares an
// allocation. An empty value has one too, of the smallest size: the allocator of a TinyGo guest of 2022
// stops at a size of zero, its `free` stops at a pointer that it did not make, and a Rust guest takes a
// null pointer for the end of its list.

import type { Caller, GuestMemory } from "../../engine/mod.ts";

/** An element of a list of pairs: pointer and length of a name, pointer and length of a value. */
const PAIR_BYTES = 16;

/** The guest's allocator answered with what is no memory. */
export class GuestAllocationError extends Error {
  override readonly name = "GuestAllocationError";
}

export class GuestWriter {
  readonly #reallocate: ReturnType<Caller<unknown>["function"]>;
  readonly #memory: GuestMemory;

  constructor(caller: Caller<unknown>) {
    this.#reallocate = caller.function("canonical_abi_realloc");
    this.#memory = caller.memory;
  }

  /** Memory for at least one byte. Writing to it checks that it is inside of the guest's. */
  allocate(bytes: number, align: number): number {
    const pointer = this.#reallocate(0, 0, align, bytes === 0 ? align : bytes);
    if (typeof pointer === "number" && pointer !== 0) return pointer;
    throw new GuestAllocationError(`The guest's canonical_abi_realloc gave no memory for ${bytes} bytes`);
  }

  /** Writes a text whose characters are bytes, as HTTP has them; returns its pointer. */
  text(text: string): number {
    const pointer = this.allocate(text.length, 1);
    this.#memory.writeLatin1(pointer, text);
    return pointer;
  }

  bytes(bytes: Uint8Array): number {
    const pointer = this.allocate(bytes.length, 1);
    this.#memory.write(pointer, bytes);
    return pointer;
  }

  /**
   * Writes `list<tuple<string, string>>` of a flat list of names and values; returns its pointer.
   *
   *     list -> [name: ptr, name length: u32, value: ptr, value length: u32] x count
   */
  pairs(texts: readonly string[]): number {
    const list = this.allocate(texts.length * (PAIR_BYTES / 2), 4);
    const words: number[] = [];
    for (const text of texts) words.push(this.text(text), text.length);
    this.#memory.writeU32s(list, words);
    return list;
  }
}
