// What a host function sees of the guest that called it.

import type { BoundComponent } from "./bound-component.ts";
import type { GuestMemory } from "./guest-memory.ts";

/** A value that crosses between host and guest: i64 is a bigint, references are objects, v128 cannot cross. */
export type WasmValue = number | bigint | object | null | undefined;

/**
 * One per slot, made when it is linked; `data` changes with each call.
 *
 * A call runs in first gear (called directly, nothing leaves the slot) until something must wait or be
 * seen outside; then it is abandoned and run again, from its start, in second gear (suspendable).
 */
export interface Caller<T> {
  /** The guest's memory. Throws if the guest has none. */
  readonly memory: GuestMemory;
  /** The component that the slot holds; absent if it is a core module. */
  readonly component?: BoundComponent | undefined;
  /** The state of the present call. */
  readonly data: T;
  /**
   * To be called before a wait, and before an effect outside of the slot. In first gear it abandons the
   * call, which will be replayed in second gear; in second gear it returns.
   */
  shift(): void;
  /** Ends the guest as `proc_exit` does. It cannot be caught by the guest. */
  exit(code: number): never;
  /** Whether the guest may be suspended here: a host function may return a promise only then. */
  readonly canSuspend: boolean;
  /** Calls an export of the guest from within a host function, such as its allocator. It cannot be suspended in there. */
  call(exportName: string, ...args: readonly WasmValue[]): WasmValue;
  /** The same for many calls of one export: a function that is good until the host function returns. */
  function(exportName: string): (...args: readonly WasmValue[]) => WasmValue;
  /** Aborted when the call ends early: client gone, deadline over. Pass it to whatever waits. */
  readonly signal: AbortSignal;
}

/** A host function that never waits. What it throws ends the guest as a trap. */
export type HostFunction<T> = (caller: Caller<T>, ...args: never[]) => WasmValue | undefined;

/** A host function that may wait: it calls `caller.shift()` first, then may return a promise. */
export type SuspendingHostFunction<T> = (
  caller: Caller<T>,
  ...args: never[]
) => WasmValue | undefined | Promise<WasmValue | undefined>;
