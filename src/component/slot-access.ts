// What canonical code needs of the slot it works for. The engine implements it.
//
// All writes go through the memory's methods, which mark the cards of what they write.

import type { CoreRef } from "./plan.ts";

/** A value that crosses between core code and the host: i64 is a bigint. */
export type CoreValue = number | bigint;

/** A linear memory. Every method throws if the range is outside; pointers are taken as unsigned. */
export interface CanonicalMemory {
  readonly byteLength: number;
  /** The whole memory, for reading. It is another object after the memory has grown. */
  readonly bytes: Buffer;
  readonly view: DataView;
  check(pointer: number, length: number): number;
  /** A view to be filled at once: checked and marked. */
  writable(pointer: number, length: number): Buffer;
  /** Marks what is about to be written through `view`. */
  mark(pointer: number, length: number): void;
}

export interface SlotAccess {
  memory(ref: CoreRef): CanonicalMemory;
  /** Calls a core function that cannot be suspended in there: an allocator, a destructor, a post-return. */
  call(ref: CoreRef, ...args: readonly CoreValue[]): CoreValue | undefined;
  /** Calls a core function that may be suspended: then it returns a promise, in second gear only. */
  callSuspendable(
    ref: CoreRef,
    args: readonly CoreValue[],
  ): CoreValue | undefined | Promise<CoreValue | undefined>;
}
