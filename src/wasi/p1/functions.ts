// The form in which the functions of preview 1 are written down, and how their failures reach a guest.

import { type Caller, type GuestMemory, GuestMemoryFault, GuestTextFault } from "../../engine/mod.ts";
import { Errno, type ErrnoValue, Failure, failureOfSystemError } from "../sandbox/errno.ts";
import type { Wasi } from "../wasi.ts";
import type { Iovec } from "./iovecs.ts";

export type GuestCaller = Caller<unknown>;

export interface PlainFunction {
  /** Parameters and result, as `Linker.func` takes them. */
  readonly type: string;
  readonly waits?: false;
  /** Arguments are those of `type`: i32 as a signed number, i64 as a signed bigint. */
  run(wasi: Wasi, caller: GuestCaller, ...args: never[]): ErrnoValue;
}

export interface WaitingFunction {
  readonly type: string;
  readonly waits: true;
  run(wasi: Wasi, caller: GuestCaller, ...args: never[]): ErrnoValue | Promise<ErrnoValue>;
}

export type FunctionTable = Readonly<Record<string, PlainFunction | WaitingFunction>>;

/** The errno of what a function threw; anything that is not the guest's concern is thrown on. */
export function errnoOf(thrown: unknown): ErrnoValue {
  if (thrown instanceof Failure) return thrown.errno;
  if (thrown instanceof GuestMemoryFault) return Errno.FAULT;
  if (thrown instanceof GuestTextFault) return Errno.ILSEQ;
  const failed = failureOfSystemError(thrown);
  if (failed) return failed.errno;
  throw thrown;
}

/**
 * Runs `fill`, which returns how many bytes of a buffer it wrote, and marks those: guests offer buffers
 * much larger than what there is for them. If it throws, nobody knows, and all are marked.
 */
export function filling(memory: GuestMemory, buffer: Iovec, fill: () => number): number {
  let used = buffer.length;
  try {
    used = fill();
  } finally {
    memory.mark(buffer.pointer, used);
  }
  return used;
}
