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
    const offsets: number[] = [];
    let text = "";
    for (const string of strings) {
      offsets.push(text.length);
      text += `${string}\0`;
    }
    return EncodedStrings.#encode(text, offsets);
  }

  /** Entries of an environment, as `name=value`. */
  static ofEntries(entries: readonly (readonly [name: string, value: string])[]): EncodedStrings {
    const offsets: number[] = [];
    let text = "";
    for (const [name, value] of entries) {
      offsets.push(text.length);
      text += `${name}=${value}\0`;
    }
    return EncodedStrings.#encode(text, offsets);
  }

  /** @param starts where each string begins in `text`, in UTF-16 units */
  static #encode(text: string, starts: readonly number[]): EncodedStrings {
    if (starts.length === 0) return EncodedStrings.EMPTY;
    const bytes = Buffer.from(text);
    // Equal for ASCII, which nearly all of it is: then lengths in units are lengths in bytes.
    if (bytes.length === text.length) return new EncodedStrings(bytes, starts);
    return new EncodedStrings(bytes, byteOffsets(text, starts));
  }
}

function byteOffsets(text: string, starts: readonly number[]): number[] {
  let offset = 0;
  return starts.map((start, index) => {
    offset += Buffer.byteLength(text.slice(starts[index - 1] ?? 0, start));
    return offset;
  });
}
