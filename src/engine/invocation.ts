// One call of an export, in a form that can be replayed from its start.

import type { CoreRef } from "../component/mod.ts";
import type { Caller, WasmValue } from "./caller.ts";

/**
 * How one event becomes a call of a guest's export, and its result an answer.
 *
 * `lower` runs before the export is called, `lift` after it has returned; both touch nothing but the
 * guest, so that a call which is abandoned in first gear can be replayed: then all start anew.
 * Either may call exports of the guest (its allocator) with `caller.call`.
 */
export interface Invocation<T, R> {
  /** For messages; and the export to call, if there is no `entry`. */
  readonly exportName: string;
  /** The core function to call. Absent for a core module. */
  readonly entry?: CoreRef;
  lower(caller: Caller<T>): readonly WasmValue[];
  lift(caller: Caller<T>, result: WasmValue): R;
  /** The guest ended itself with `proc_exit`. Absent: every exit is an error. */
  exited?(caller: Caller<T>, code: number): R;
}

export type EndReason = "trap" | "exit" | "deadline" | "stack-overflow" | "cancelled" | "limit";

/** A guest that ended by anything but a return. The slot it ran in is discarded. */
export class TrapError extends Error {
  override readonly name = "TrapError";
  readonly reason: EndReason;
  readonly componentId: string;
  readonly exportName: string;
  /** WebAssembly frames, innermost first, as `function-name (wasm-function[index]:0xoffset)` of the original module. */
  readonly backtrace: readonly string[];

  constructor(
    message: string,
    details: {
      readonly reason: EndReason;
      readonly componentId: string;
      readonly exportName: string;
      readonly backtrace: readonly string[];
      readonly cause?: unknown;
    },
  ) {
    super(message, { cause: details.cause });
    this.reason = details.reason;
    this.componentId = details.componentId;
    this.exportName = details.exportName;
    this.backtrace = details.backtrace;
  }
}

/** No slot is to be had now: the process has as many as it may. A trigger answers 503. */
export class SlotsExhaustedError extends Error {
  override readonly name = "SlotsExhaustedError";
}
