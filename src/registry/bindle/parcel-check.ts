// Holds bytes that pass by against what the invoice says of a parcel.

import { createHash } from "node:crypto";
import type { Label } from "./invoice.ts";

/** Bytes that are not those of the label. The message is the state that was found. */
export class ParcelMismatch extends Error {
  readonly kind: "size" | "digest";

  constructor(kind: ParcelMismatch["kind"], state: string) {
    super(state);
    this.kind = kind;
  }
}

/** One reading of one parcel. */
export class ParcelCheck {
  readonly #label: Pick<Label, "sha256" | "size">;
  readonly #hash = createHash("sha256");
  #bytes = 0;

  constructor(label: Pick<Label, "sha256" | "size">) {
    this.#label = label;
  }

  /** @throws ParcelMismatch as soon as there are too many bytes */
  update(chunk: Uint8Array): void {
    this.#bytes += chunk.byteLength;
    if (this.#bytes > this.#label.size) {
      throw new ParcelMismatch("size", `has more than the ${this.#label.size} bytes that the invoice says`);
    }
    this.#hash.update(chunk);
  }

  /** @throws ParcelMismatch */
  finish(): void {
    const { sha256, size } = this.#label;
    if (this.#bytes !== size) {
      throw new ParcelMismatch("size", `has ${this.#bytes} bytes, not the ${size} that the invoice says`);
    }
    const digest = this.#hash.digest("hex");
    if (digest !== sha256) throw new ParcelMismatch("digest", `has the digest ${digest}, expected ${sha256}`);
  }
}

/** Passes chunks on, checked. The check fails before the last chunk could be taken for the end. */
export async function* checked(
  chunks: AsyncIterable<Uint8Array>,
  label: Pick<Label, "sha256" | "size">,
): AsyncGenerator<Uint8Array> {
  const check = new ParcelCheck(label);
  for await (const chunk of chunks) {
    check.update(chunk);
    yield chunk;
  }
  check.finish();
}
