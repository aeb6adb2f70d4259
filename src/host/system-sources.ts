// Time and randomness of this machine, for guests.

import { randomFillSync } from "node:crypto";
import { setTimeout as sleepMs } from "node:timers/promises";
import type { Clock, RandomSource } from "../wasi/mod.ts";

const NS_PER_MS = 1_000_000n;
/** When the two clocks differ by more, the wall clock was set. */
const DRIFT_NS_MAX = 2n * NS_PER_MS;
/** What a timer of Node.js can hold. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The wall clock in nanoseconds: `Date` has milliseconds, what is between them comes from the monotonic clock. */
function createRealtime(): () => bigint {
  let offset = 0n;
  return () => {
    const monotonic = process.hrtime.bigint();
    const wall = BigInt(Date.now()) * NS_PER_MS;
    const drift = wall - (monotonic + offset);
    if (drift > DRIFT_NS_MAX || drift < -DRIFT_NS_MAX) offset = wall - monotonic;
    return monotonic + offset;
  };
}

async function sleep(ns: bigint, signal: AbortSignal): Promise<void> {
  const endNs = process.hrtime.bigint() + ns;
  for (;;) {
    const restMs = Number((endNs - process.hrtime.bigint() + NS_PER_MS - 1n) / NS_PER_MS);
    if (restMs <= 0) return;
    try {
      await sleepMs(Math.min(restMs, TIMER_MS_MAX), undefined, { signal });
    } catch {
      throw signal.reason;
    }
  }
}

export const SYSTEM_CLOCK: Clock = {
  realtimeNs: createRealtime(),
  monotonicNs: () => process.hrtime.bigint(),
  sleep,
};

/** Most guests ask for 8 to 32 bytes at a time: to fetch more at once is ten times as fast. */
const POOL_BYTES = 4096;

class RandomPool implements RandomSource {
  readonly #pool = new Uint8Array(POOL_BYTES);
  #used = POOL_BYTES;

  fill(bytes: Uint8Array): void {
    for (let filled = 0; filled < bytes.length; ) {
      if (this.#used === POOL_BYTES) this.#refill();
      const count = Math.min(bytes.length - filled, POOL_BYTES - this.#used);
      bytes.set(this.#pool.subarray(this.#used, this.#used + count), filled);
      // What one guest was given must not be found here by anybody else.
      this.#pool.fill(0, this.#used, this.#used + count);
      this.#used += count;
      filled += count;
    }
  }

  #refill(): void {
    randomFillSync(this.#pool);
    this.#used = 0;
  }
}

export const SYSTEM_RANDOM: RandomSource = new RandomPool();
