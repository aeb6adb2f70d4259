// Images of memories, each kept once: components of one module have the same.

import type { MemoryContents, MemoryImage } from "./memory-cell.ts";

const PAGE_BYTES = 65_536;

export class MemoryImages {
  /** By their size. */
  readonly #known = new Map<number, WeakRef<MemoryImage>[]>();

  /** The image of these contents: one that was made before and is equal, or a new one. */
  of(contents: MemoryContents): MemoryImage {
    const { length } = contents.bytes;
    const alive = (this.#known.get(length) ?? []).filter((reference) => reference.deref() !== undefined);
    this.#known.set(length, alive);
    for (const reference of alive) {
      const known = reference.deref();
      if (known?.pages === contents.pages && Buffer.compare(known.bytes, contents.bytes) === 0) return known;
    }
    const image = copyOf(contents);
    alive.push(new WeakRef(image));
    return image;
  }
}

function copyOf({ bytes, pages }: MemoryContents): MemoryImage {
  const size = Math.ceil(bytes.length / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: size, maximum: size });
  const copy = new Uint8Array(memory.buffer, 0, bytes.length);
  copy.set(bytes);
  return { memory, bytes: copy, pages };
}
