// Standard output of a Wagi guest, kept as the answer that it is.

/** A sink that holds what the guest writes inside of the call. */
export class CapturedOutput {
  readonly held = true;
  readonly #bytesMax: number;
  #chunks: Buffer[] = [];
  #length = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** @throws Error at the limit, which ends the guest */
  write(bytes: Uint8Array): void {
    this.#length += bytes.length;
    if (this.#length > this.#bytesMax) {
      throw new Error(`The guest wrote more than ${this.#bytesMax} bytes to standard output`);
    }
    this.#chunks.push(Buffer.from(bytes));
  }

  /** The call begins anew. */
  reset(): void {
    this.#chunks = [];
    this.#length = 0;
  }

  take(): Buffer {
    const [first] = this.#chunks;
    return first && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
  }
}
