// Does something for every item, a limited number at once; the first failure ends the others.

export interface AtOnceOptions {
  readonly limit: number;
  readonly signal: AbortSignal;
}

/** Rejects with the first failure, when every task that was begun has ended. */
export async function forEachAtOnce<T>(
  items: Iterable<T>,
  options: AtOnceOptions,
  task: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failure = new AbortController();
  const signal = AbortSignal.any([options.signal, failure.signal]);
  const queue = items[Symbol.iterator]();
  const work = async () => {
    try {
      for (let next = queue.next(); !next.done; next = queue.next()) {
        signal.throwIfAborted();
        await task(next.value, signal);
      }
    } catch (error) {
      // What follows from the first failure is not one; abort() keeps the first reason.
      failure.abort(error);
    }
  };
  await Promise.all(Array.from({ length: options.limit }, work));
  if (failure.signal.aborted) throw failure.signal.reason;
}
