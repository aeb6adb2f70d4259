// What one call holds of the host, so that all of it is let go when the call is over.

export class OpenThings implements Disposable {
  readonly #weights = new Map<Disposable, number>();
  readonly #most: number;
  #weight = 0;

  /** @param most how much can be held at once; most things weigh 1 */
  constructor(most: number) {
    this.#most = most;
  }

  get isFull(): boolean {
    return !this.hasRoomFor(1);
  }

  hasRoomFor(weight: number): boolean {
    return this.#weight + weight <= this.#most;
  }

  /** There must be room. */
  add(thing: Disposable, weight = 1): void {
    this.#weights.set(thing, weight);
    this.#weight += weight;
  }

  delete(thing: Disposable): void {
    this.#weight -= this.#weights.get(thing) ?? 0;
    this.#weights.delete(thing);
  }

  [Symbol.dispose](): void {
    for (const thing of this.#weights.keys()) thing[Symbol.dispose]();
    this.#weights.clear();
    this.#weight = 0;
  }
}
