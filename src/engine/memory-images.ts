// Images of memories, each kept once: components of one module have the same.

import { createHash } from "node:crypto";
import type { MemoryImage } from "./memory-cell.ts";

export class MemoryImages {
  readonly #byDigest = new Map<string, WeakRef<MemoryImage>>();
  readonly #dropped = new FinalizationRegistry<string>((digest) => {
    if (!this.#byDigest.get(digest)?.deref()) this.#byDigest.delete(digest);
  });

  /** The image, or one that was given before and is equal. */
  share(image: MemoryImage): MemoryImage {
    const digest = `${image.pages} ${createHash("sha256").update(image.bytes).digest("hex")}`;
    const known = this.#byDigest.get(digest)?.deref();
    if (known) return known;
    this.#byDigest.set(digest, new WeakRef(image));
    this.#dropped.register(image, digest);
    return image;
  }
}
