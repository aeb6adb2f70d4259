// The state of one call: the data that host functions see, and the limits that hold for it.

export interface StoreOptions {
  /** Aborted when nobody wants the result any more: a guest that waits or computes is ended. */
  readonly signal?: AbortSignal | undefined;
  /** Most time from the start of the call to its end, waits included. */
  readonly wallTimeMs?: number;
  /** Most time that the guest may compute. Checked at ticks, so it is exceeded by up to 2 ms. */
  readonly cpuTimeMs?: number;
}

/** What a call may take if nobody says otherwise. */
export const WALL_TIME_MS_DEFAULT = 30_000;

/** The longest that a timer of Node can be set to, 24 days; it fires at once beyond. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export class Store<T> {
  readonly data: T;
  readonly #options: StoreOptions;

  constructor(data: T, options: StoreOptions = {}) {
    this.data = data;
    this.#options = options;
  }

  /** Read only when a call may wait: whoever gives it may make it on first use. */
  get signal(): AbortSignal | undefined {
    return this.#options.signal;
  }

  get wallTimeMs(): number {
    return Math.min(this.#options.wallTimeMs ?? WALL_TIME_MS_DEFAULT, TIMER_MS_MAX);
  }

  get cpuTimeMs(): number {
    return this.#options.cpuTimeMs ?? Number.POSITIVE_INFINITY;
  }
}
