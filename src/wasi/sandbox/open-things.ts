// What one call holds of the host, so that all of it is let go when the call is over.

/** Files, directories and sockets, those without a handle but with a stream included. */
const OPEN_MAX = 1024;

export class OpenThings implements Disposable {
  readonly #things = new Set<Disposable>();

  get isFull(): boolean {
    return this.#things.size >= OPEN_MAX;
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
