// Turns: guests that compute for long give way at each tick and queue here; one goes on per turn of
// the event loop, so that a turn never takes longer than a slice, however many compute.

type Resume = () => void;

export class Turns {
  // A ring would save the shifts; queues here are as long as there are computing guests, which slots limit.
  #queue: Resume[] = [];
  #scheduled = false;

  /** Resolves when it is this guest's turn. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#queue.push(resolve);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#queue.shift()?.();
      if (this.#queue.length > 0) this.#schedule();
    });
  }
}
