// Something of which the process has only so much, shared out among components.
//
// Who comes first may take most of it, but never all: a component may hold twice as much as is free,
// times its weight, so the others find some whenever they come. Alone it may take everything, and so
// it may while it holds nothing yet.

/** What a component of weight 1 may hold, for one that is free. */
const GREED = 2;

/** How much more may be taken of what is free, so that the others find some. */
export function fairRoom({ free, held, weight }: { free: number; held: number; weight: number }): number {
  const most = GREED * weight;
  return Math.max(0, (most * free - held) / (1 + most));
}

export class Budget {
  readonly most: number;
  #used = 0;
  #shares = 0;

  constructor(most: number) {
    this.most = most;
  }

  get used(): number {
    return this.#used;
  }

  get free(): number {
    return Math.max(0, this.most - this.#used);
  }

  /** How many share it. */
  get shares(): number {
    return this.#shares;
  }

  share(weight: number): Share {
    this.#shares++;
    return new Share(this, weight, (change) => {
      if (change === "leave") this.#shares--;
      else this.#used += change;
    });
  }
}

/** What one component holds. */
export class Share implements Disposable {
  readonly #budget: Budget;
  readonly #weight: number;
  readonly #report: (change: number | "leave") => void;
  #held = 0;

  constructor(budget: Budget, weight: number, report: (change: number | "leave") => void) {
    this.#budget = budget;
    this.#weight = weight;
    this.#report = report;
  }

  get held(): number {
    return this.#held;
  }

  /** How much more it may take. */
  get room(): number {
    const { free, shares } = this.#budget;
    if (shares === 1 || this.#held === 0) return free;
    return fairRoom({ free, held: this.#held, weight: this.#weight });
  }

  /** Takes more, or gives back what is less than nothing. Whoever takes has looked at the room, or could not be kept from taking. */
  change(amount: number): void {
    this.#held += amount;
    this.#report(amount);
  }

  /** The component is gone; what its slots hold they give back themselves. */
  [Symbol.dispose](): void {
    this.#report("leave");
  }
}
