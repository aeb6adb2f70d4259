// What one call may see, and how a prepared instance runs it.

import type { GuestVariables, HeldBytes } from "../capabilities/mod.ts";
import type { Invocation } from "../engine/mod.ts";
import type { OutboundHttp } from "../outbound/mod.ts";
import type { StdoutSink, Wasi } from "../wasi/mod.ts";

/** Everything that host functions may reach during one call. `T` is what the trigger adds. */
export interface RuntimeContext<T> {
  readonly componentId: string;
  readonly wasi: Wasi;
  /** The network, as far as the manifest grants it. */
  readonly outbound: OutboundHttp;
  /** Those that the manifest gives to the component. */
  readonly variables: GuestVariables;
  /** Headers and messages that the host holds for the call. */
  readonly heldBytes: HeldBytes;
  readonly data: T;
}

export interface CallOptions {
  /** Aborted when nobody wants the result any more: the guest is ended. */
  readonly signal?: AbortSignal | undefined;
  /** Most time for the whole call. The limit of the component applies if absent. */
  readonly wallTimeMs?: number;
  /** Arguments of a command; none by default. */
  readonly args?: readonly string[];
  /** Entries behind the component's own environment, which stay apart even if names repeat. */
  readonly environment?: readonly (readonly [name: string, value: string])[];
  /** Standard input; empty by default. */
  readonly stdin?: Uint8Array;
  /** Takes standard output in place of the component's log. One that holds it lets the call stay in first gear. */
  readonly stdout?: StdoutSink;
}

/** A store and a linked instance, taken from a slot for one call; disposing it gives the slot back. */
export interface Prepared<C> extends Disposable {
  /** Resolves when the slot is there. `undefined`: it is. */
  ready(): Promise<void> | undefined;
  /**
   * Runs the invocation once. Returns at once what a guest answered that never waited, else a promise. Called
   * before the slot is there, it waits for it, and starts in second gear.
   *
   * @throws TrapError (thrown or rejected) if the guest ended by anything but a return
   */
  run<R>(invocation: Invocation<C, R>): R | Promise<R>;
}
