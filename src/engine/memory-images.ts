// Images of memories, each kept once: components of one module have the same.

import type { MemoryImage } from "./memory-cell.ts";

export class MemoryImages {
  /** By their size. */
  readonly #known = new Map<number, WeakRef<MemoryImage>[]>();

  /** The image, or one that was given before and is equal. */
  share(image: MemoryImage): MemoryImage {
    const { length } = image.bytes;
    const alive = (this.#known.get(length) ?? []).filter((reference) => reference.deref() !== undefined);
    this.#known.set(length, alive);
    for (const reference of alive) {
      const known = reference.deref();
      if (known?.pages === image.pages && Buffer.compare(known.bytes, image.bytes) === 0) return known;
    }
    alive.push(new WeakRef(image));
    return image;
  }
}
