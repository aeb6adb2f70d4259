// Turns: guests that compute for long give way at each tick and queue here; one goes on per turn of
// the event loop, so that a turn never takes longer than a slice, however many compute.
//
// Turns are shared out by component: each has a queue of its own, and the queues take turns. A
// component of weight 2 has two turns where others have one.

type Resume = () => void;

/** The queue of one component. */
export class Turn {
  readonly #turns: Turns;
  /** Turns that it may have in a row while others wait. */
  readonly weight: number;
  readonly waiting: Resume[] = [];

  constructor(turns: Turns, weight: number) {
    this.#turns = turns;
    this.weight = weight;
  }

  /** Resolves when it is this guest's turn. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.#turns.enqueue(this);
    });
  }
}

export class Turns {
  /** Components that have guests waiting; the first is next. */
  readonly #queue: Turn[] = [];
  /** Turns that the first has had in a row. */
  #had = 0;
  #scheduled = false;

  component(options: { readonly weight?: number } = {}): Turn {
    return new Turn(this, options.weight ?? 1);
  }

  enqueue(turn: Turn): void {
    // One that had others waiting is in the queue already.
    if (turn.waiting.length === 1) this.#queue.push(turn);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#resumeOne();
      if (this.#queue.length > 0) this.#schedule();
    });
  }

  #resumeOne(): void {
    const turn = this.#queue[0];
    if (!turn) return;
    // A ring would save the shifts; these queues are as long as there are computing guests, which slots limit.
    turn.waiting.shift()?.();
    this.#had++;
    if (turn.waiting.length > 0 && this.#had < turn.weight) return;
    this.#had = 0;
    this.#queue.shift();
    if (turn.waiting.length > 0) this.#queue.push(turn);
  }
}
