// Lists of C strings, as arguments and environment entries are given to a guest.

/** Encoded once, written into a guest many times. */
export class EncodedStrings {
  /** One after the other, each ended by a NUL. */
  readonly bytes: Buffer;
  /** Where each begins in `bytes`. */
  readonly offsets: readonly number[];

  private constructor(bytes: Buffer, offsets: readonly number[]) {
    this.bytes = bytes;
    this.offsets = offsets;
  }

  static readonly EMPTY = new EncodedStrings(Buffer.alloc(0), []);

  /** A NUL within a string would end it: what follows is cut off, as an operating system would. */
  static of(strings: readonly string[]): EncodedStrings {
    if (strings.length === 0) return EncodedStrings.EMPTY;
    const offsets: number[] = [];
    let text = "";
    let length = 0;
    for (const string of strings) {
      const nul = string.indexOf("\0");
      const kept = nul === -1 ? string : string.slice(0, nul);
      offsets.push(length);
      length += Buffer.byteLength(kept) + 1;
      text += `${kept}\0`;
    }
    return new EncodedStrings(Buffer.from(text), offsets);
  }
}
