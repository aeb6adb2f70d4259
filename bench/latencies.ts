// Counts durations in buckets, so that millions of them cost no memory and no sorting.

const BUCKET_MS = 0.01;
/** Up to 10 s; what is longer counts as that. */
const BUCKETS = 1_000_000;

export class Latencies {
  readonly #counts = new Uint32Array(BUCKETS);
  #total = 0;

  add(durationMs: number): void {
    const bucket = Math.min(BUCKETS - 1, Math.floor(durationMs / BUCKET_MS));
    // The bucket is within the array, by the line above.
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#total++;
  }

  get total(): number {
    return this.#total;
  }

  /** The duration in ms that a part of all (0.99) does not exceed; 0 if there is none. */
  percentile(part: number): number {
    let left = this.#total * part;
    for (const [bucket, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0) return (bucket + (this.#total > 0 ? 1 : 0)) * BUCKET_MS;
    }
    return BUCKETS * BUCKET_MS;
  }
}
