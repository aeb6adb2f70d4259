// What one call may see, and the running engine that gives prepared instances.

import type { Invocation } from "../engine/mod.ts";

/** Where bytes that a guest prints go. `write` copies what it keeps. */
export interface OutputSink {
  write(bytes: Uint8Array): void;
}

export interface CallOptions {
  /** Aborted when nobody wants the result any more: the guest is ended. */
  readonly signal?: AbortSignal;
  /** Most time for the whole call. The engine's default applies if absent. */
  readonly wallTimeMs?: number;
  /** Arguments of a command; none by default. */
  readonly args?: readonly string[];
  /** Entries behind the component's own environment, which stay apart even if names repeat. */
  readonly environment?: readonly (readonly [name: string, value: string])[];
  /** Standard input; empty by default. */
  readonly stdin?: Uint8Array;
  /** Takes standard output in place of the component's log. It must be resettable: a replay begins anew. */
  readonly stdout?: OutputSink & { reset(): void };
}

/** A store and a linked instance, taken from a slot for one call; disposing it gives the slot back. */
export interface Prepared<C> extends Disposable {
  /**
   * Runs the invocation once. Returns at once what a guest answered that never waited, else a promise.
   *
   * @throws TrapError (thrown or rejected) if the guest ended by anything but a return
   */
  run<R>(invocation: Invocation<C, R>): R | Promise<R>;
}
