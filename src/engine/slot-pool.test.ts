import assert from "node:assert/strict";
import { test } from "node:test";
import { SlotsExhaustedError } from "./invocation.ts";
import { SlotPool } from "./slot-pool.ts";

/** A pool whose slots can be recycled, or made, as long as these say so. */
function create(state: { recycles: boolean; makes: boolean }): { pool: SlotPool; made(): number } {
  let made = 0;
  const pool = new SlotPool({
    make() {
      made++;
      if (!state.makes) throw new Error("no luck");
      return {
        memoryBytes: 0,
        grownBytes: 0,
        recycle: () => state.recycles,
        wasCancelled: false,
        [Symbol.dispose]() {},
      };
    },
    reserve: () => true,
    release() {},
  });
  return { pool, made: () => made };
}

function attempts(pool: SlotPool, count: number): void {
  for (let i = 0; i < count; i++) {
    try {
      pool.give(pool.take());
    } catch {
      // Counted by who asks.
    }
  }
}

test("SlotPool makes no more slots for a while when each has to be thrown away", () => {
  const { pool, made } = create({ recycles: false, makes: true });
  attempts(pool, 10_000);
  assert.ok(made() < 100, `${made()} slots were made`);
  assert.throws(() => pool.take(), SlotsExhaustedError);
  assert.equal(pool.live, 0);
});

test("SlotPool makes no more slots for a while when none can be made", () => {
  const { pool, made } = create({ recycles: true, makes: false });
  attempts(pool, 10_000);
  assert.ok(made() < 100, `${made()} slots were begun`);
});

test("SlotPool does not rest when slots fail now and then", () => {
  const state = { recycles: true, makes: true };
  const { pool } = create(state);
  for (let i = 0; i < 1000; i++) {
    state.recycles = i % 10 === 0;
    pool.give(pool.take());
  }
  assert.equal(pool.live, 0);
});

test("SlotPool goes on when a rest is over", async () => {
  const state = { recycles: false, makes: true };
  const { pool } = create(state);
  attempts(pool, 100);
  state.recycles = true;
  const MS_MAX = 2000;
  for (let waited = 0; pool.free === 0 && waited < MS_MAX; waited += 10) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    attempts(pool, 1);
  }
  assert.equal(pool.free, 1);
});
