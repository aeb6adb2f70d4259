// Does for many at once what costs as much for one.
//
// Whoever comes while a batch is under way is in the next one. So nobody waits for others to come, and
// nobody waits for more than two batches.

export class Batch<T> {
  readonly #work: (items: readonly T[]) => Promise<void>;
  #waiting: T[] = [];
  #current: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(work: (items: readonly T[]) => Promise<void>) {
    this.#work = work;
  }

  /** Resolves when the batch is done that the item is in; what fails, fails for the whole batch. */
  add(item: T): Promise<void> {
    this.#waiting.push(item);
    this.#next ??= this.#current.then(
      () => this.#begin(),
      () => this.#begin(),
    );
    return this.#next;
  }

  #begin(): Promise<void> {
    const items = this.#waiting;
    this.#waiting = [];
    this.#next = undefined;
    this.#current = this.#work(items);
    return this.#current;
  }
}
