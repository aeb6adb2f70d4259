// The real clock and the real randomness, to be passed to the runtime by whoever starts it.

import { randomFillSync } from "node:crypto";
import { setTimeout as sleepMs } from "node:timers/promises";

import type { Clock, RandomSource } from "./sources.ts";

const NS_PER_MS = 1_000_000n;

/** The longest that a timer of Node can be set to; it fires at once beyond. */
const TIMER_MS_MAX = 2n ** 31n - 1n;

export const systemClock: Clock = {
  realtimeNs: () => BigInt(Date.now()) * NS_PER_MS,

  monotonicNs: () => process.hrtime.bigint(),

  async sleep(ns, signal) {
    const endNs = process.hrtime.bigint() + ns;
    // More than once only for very long waits, and because a timer may fire a little early.
    for (let leftNs = ns; leftNs > 0n; leftNs = endNs - process.hrtime.bigint()) {
      const ms = (leftNs + NS_PER_MS - 1n) / NS_PER_MS;
      await sleepMs(Number(ms < TIMER_MS_MAX ? ms : TIMER_MS_MAX), undefined, { signal });
    }
  },
};

/** Bytes made ahead: most guests ask for 8 to 256 at once, and asking the generator costs 2 µs however few they are. */
const POOL_BYTES = 32 * 1024;
/** More than this at once is made for whoever asks. */
const POOLED_BYTES_MAX = 512;

const pool = Buffer.alloc(POOL_BYTES);
let used = POOL_BYTES;

export const systemRandom: RandomSource = {
  fill(bytes) {
    if (bytes.length > POOLED_BYTES_MAX) {
      randomFillSync(bytes);
      return;
    }
    if (used + bytes.length > POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    const given = pool.subarray(used, used + bytes.length);
    bytes.set(given);
    // What was given out once is nowhere else to be found.
    given.fill(0);
    used += bytes.length;
  },
};
