// Turns signals into an orderly end: the first one is told to whoever waits, a second one ends the process.
//
// One Ctrl-C can arrive more than once: the terminal sends it to the whole process group, and each launcher above
// this process (our own, npm, `timeout`) may pass it on. What comes within a moment counts as one.

/** Longer than a launcher needs to pass a signal on, shorter than a user needs to press the keys again in earnest. */
const SAME_SIGNAL_MS = 300;

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
export type StopSignal = keyof typeof SIGNALS;

/**
 * Listens until the process exits: a signal that arrives late, for the second time, must not end it another way.
 */
export class Interrupts {
  /** Resolves with the first signal. */
  readonly first: Promise<StopSignal>;
  readonly #tell: (signal: StopSignal) => void;
  #lastAtMs: number | undefined;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<StopSignal>();
    this.first = promise;
    this.#tell = resolve;
    for (const signal of stopSignals()) process.on(signal, () => this.#take(signal));
  }

  #take(signal: StopSignal): void {
    const now = performance.now();
    const isSecond = this.#lastAtMs !== undefined && now - this.#lastAtMs > SAME_SIGNAL_MS;
    this.#lastAtMs ??= now;
    if (isSecond) process.exit(exitCodeOf(signal));
    this.#tell(signal);
  }
}

/** As shells have it for a process that a signal ended. */
export function exitCodeOf(signal: StopSignal): number {
  return 128 + SIGNALS[signal];
}

function stopSignals(): StopSignal[] {
  // The keys of a constant object are its declared names.
  return Object.keys(SIGNALS) as StopSignal[];
}
