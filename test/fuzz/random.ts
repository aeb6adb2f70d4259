// Random choices that are the same for the same seed, everywhere (mulberry32).

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  u32(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number {
    return this.u32() % limit;
  }

  /** From `first` to `last`, both included. */
  between(first: number, last: number): number {
    return first + this.below(last - first + 1);
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(choices: readonly T[]): T {
    // The index is below the length; nobody picks from nothing.
    return choices[this.below(choices.length)] as T;
  }

  /** A number at some edge more often than not. */
  i32(): number {
    return (this.oneIn(3) ? this.u32() : this.pick(EDGES) + this.between(-1, 1)) | 0;
  }
}

const EDGES = [0, 1, 2, 4, 8, 16, 100, 4096, 65_535, 65_536, 131_072, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
