// A stream of bytes that are all there, such as standard input.

import type { GearedCaller } from "./gears.ts";
import type { InputStream } from "./streams.ts";

export class InputBytes implements InputStream {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(_caller: GearedCaller, length: number): Uint8Array | undefined {
    if (this.#position === this.#bytes.length) return undefined;
    const bytes = this.#bytes.subarray(this.#position, this.#position + length);
    this.#position += bytes.length;
    return bytes;
  }

  isReady(): boolean {
    return true;
  }

  watch(): () => void {
    return () => {};
  }

  /** Does nothing: another handle to it may be there. */
  [Symbol.dispose](): void {}
}
