// How long a call has run, and how long it may go on; and what memory its guest takes.
//
// A call runs in turns: from `enter` to `leave` its guest is on the stack. Only those of the second gear
// are timed: in first gear the second tick ends the call.

import type { EpochClock } from "./epoch.ts";
import type { MemoryClaim } from "./memory-claim.ts";

/** Most time in code that cannot be suspended, such as an allocator called by the host. */
export const UNSUSPENDABLE_MS_MAX = 500;

export class CallTime {
  readonly #clock: EpochClock;
  readonly #memory: MemoryClaim;
  /** performance.now() at which the present call, or the present unsuspendable part of it, must end. */
  #deadline = 0;
  #cpuTimeMsMax = Number.POSITIVE_INFINITY;
  #spentMs = 0;
  #enteredAt = 0;
  #isMeasured = false;
  #isEntered = false;

  constructor(clock: EpochClock, memory: MemoryClaim) {
    this.#clock = clock;
    this.#memory = memory;
  }

  /** The guest is on the stack, and the clock is running. */
  get isEntered(): boolean {
    return this.#isEntered;
  }

  /** The call begins, or begins anew, in a gear in which it may take this long. */
  begin(limits: { readonly wallTimeMs: number; readonly cpuTimeMs: number }): void {
    this.#deadline = performance.now() + limits.wallTimeMs;
    this.#cpuTimeMsMax = limits.cpuTimeMs;
    this.#spentMs = 0;
    this.#isMeasured = true;
  }

  /** The next turns are those of a call in first gear. */
  reset(): void {
    this.#isMeasured = false;
  }

  enter(): void {
    this.#memory.open();
    this.#clock.enter();
    this.#isEntered = true;
    if (this.#isMeasured) this.#enteredAt = performance.now();
  }

  leave(): void {
    this.#clock.leave();
    this.#memory.close();
    if (this.#isMeasured && this.#isEntered) this.#spentMs += performance.now() - this.#enteredAt;
    this.#isEntered = false;
  }

  /** Runs a step that cannot be suspended: it must end sooner. */
  unsuspendably<R>(step: () => R): R {
    const deadline = this.#deadline;
    const wasEntered = this.#isEntered;
    this.#deadline = Math.min(deadline, performance.now() + UNSUSPENDABLE_MS_MAX);
    // A host function may call its guest while that waits: then the clock is not running.
    if (!wasEntered) this.enter();
    try {
      return step();
    } finally {
      if (!wasEntered) this.leave();
      this.#deadline = deadline;
    }
  }

  /** Whether a tick is meant for the present turn. */
  takeTick(): boolean {
    return this.#clock.takeTick();
  }

  /** Which limit the call is past. */
  exceeded(): "wall-time" | "cpu-time" | undefined {
    const now = performance.now();
    if (now > this.#deadline) return "wall-time";
    return this.#spentMs + now - this.#enteredAt > this.#cpuTimeMsMax ? "cpu-time" : undefined;
  }
}
