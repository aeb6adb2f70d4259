// Where a call gets time, randomness and output from. Nothing in the sandbox is ambient: these come
// from whoever starts the call, so that tests decide them.

export interface Clock {
  /** Nanoseconds since 1970-01-01T00:00:00Z. */
  realtimeNs(): bigint;
  /** Nanoseconds since some fixed moment; never goes back. */
  monotonicNs(): bigint;
  /** Resolves after `ns`, or rejects with the reason of the signal. */
  sleep(ns: bigint, signal: AbortSignal): Promise<void>;
}

export interface RandomSource {
  fill(bytes: Uint8Array): void;
}

/**
 * Takes what a guest prints. `write` copies what it keeps.
 *
 * A sink that holds keeps the bytes inside the call, as for the answer of a CGI guest, and can forget
 * them; one that does not shows them to the world at once.
 */
export type StdoutSink =
  | { readonly held: true; write(bytes: Uint8Array): void; reset(): void }
  | { readonly held: false; write(bytes: Uint8Array): void };
