// Tells when items have taken too long, all by the same measure, with one timer for all of them.
//
// A timer of its own would cost each request more than routing does. Items expire up to a tenth of
// the duration late, a quarter of a second at most. The timer runs only while there are items.

const TICK_MS_MIN = 5;
const TICK_MS_MAX = 250;

export class Deadlines<T> {
  readonly #durationMs: number;
  readonly #tickMs: number;
  readonly #expire: (item: T) => void;
  /** In the order of expiry, because all last equally long. */
  readonly #dueMs = new Map<T, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(durationMs: number, expire: (item: T) => void) {
    this.#durationMs = durationMs;
    this.#tickMs = Math.min(Math.max(durationMs / 10, TICK_MS_MIN), TICK_MS_MAX);
    this.#expire = expire;
  }

  get size(): number {
    return this.#dueMs.size;
  }

  add(item: T): void {
    this.#dueMs.set(item, performance.now() + this.#durationMs);
    this.#timer ??= setInterval(() => this.#sweep(), this.#tickMs).unref();
  }

  delete(item: T): void {
    this.#dueMs.delete(item);
  }

  /** Forgets all items, and gives them. */
  clear(): T[] {
    const items = [...this.#dueMs.keys()];
    this.#dueMs.clear();
    return items;
  }

  #sweep(): void {
    const nowMs = performance.now();
    for (const [item, dueMs] of this.#dueMs) {
      if (dueMs > nowMs) break;
      this.#dueMs.delete(item);
      this.#expire(item);
    }
    if (this.#dueMs.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
