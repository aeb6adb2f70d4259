// What one call holds of the host, so that all of it is let go when the call is over.

export class OpenThings implements Disposable {
  readonly #things = new Set<Disposable>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get isFull(): boolean {
    return this.#things.size >= this.#most;
  }

  /** There must be room. */
  add(thing: Disposable): void {
    this.#things.add(thing);
  }

  delete(thing: Disposable): void {
    this.#things.delete(thing);
  }

  [Symbol.dispose](): void {
    for (const thing of this.#things) thing[Symbol.dispose]();
    this.#things.clear();
  }
}
