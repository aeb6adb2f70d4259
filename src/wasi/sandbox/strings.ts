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

  /** A guest sees a string only up to a NUL in it, if there is one. */
  static of(strings: readonly string[]): EncodedStrings {
    if (strings.length === 0) return EncodedStrings.EMPTY;
    const offsets: number[] = [];
    let text = "";
    for (const string of strings) {
      offsets.push(text.length);
      text += `${string}\0`;
    }
    const bytes = Buffer.from(text);
    // Equal for ASCII, which nearly all of it is: then lengths in units are lengths in bytes.
    if (bytes.length === text.length) return new EncodedStrings(bytes, offsets);
    return new EncodedStrings(bytes, byteOffsets(strings));
  }
}

function byteOffsets(strings: readonly string[]): number[] {
  let offset = 0;
  return strings.map((string) => {
    const start = offset;
    offset += Buffer.byteLength(string) + 1;
    return start;
  });
}
