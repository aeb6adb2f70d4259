// How a guest waits: until one of several things may be ready, or its call is over.

import type { GearedCaller } from "./gears.ts";
import type { Pollable } from "./streams.ts";

/**
 * Resolves when one of them may be ready: look, and wait again if it is not. The caller has shifted, and
 * has found none of them ready since.
 *
 * @throws the reason of the caller's signal, which then ends the guest
 */
export async function untilWoken(caller: GearedCaller, pollables: readonly Pollable[]): Promise<void> {
  // Nested below a JavaScript frame a guest cannot be suspended, and there is nothing else to answer.
  if (!caller.canSuspend) throw new Error("The guest waits where it cannot be suspended");
  const { signal } = caller;
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  const ends = pollables.map((pollable) => pollable.watch(resolve));
  try {
    await promise;
  } finally {
    signal.removeEventListener("abort", abort);
    for (const end of ends) end();
  }
  // The guest may have been ended just when it was woken, and its slot given to another call.
  signal.throwIfAborted();
}

/** Waits until all are ready, one after the other. */
export async function untilReady(caller: GearedCaller, pollables: readonly Pollable[]): Promise<void> {
  for (const pollable of pollables) {
    while (!pollable.isReady(caller)) await untilWoken(caller, [pollable]);
  }
}
