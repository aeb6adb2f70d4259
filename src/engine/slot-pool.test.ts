import assert from "node:assert/strict";
import { test } from "node:test";
import { SlotsExhaustedError } from "./invocation.ts";
import { SlotPool } from "./slot-pool.ts";

/** A pool whose slots can be recycled, or made, as long as these say so. */
function create(state: { recycles: boolean; makes: boolean; isComputing?: boolean; makeMs?: number }): {
  pool: SlotPool;
  made(): number;
} {
  let made = 0;
  const pool = new SlotPool({
    make() {
      made++;
      // Making takes its time, on the thread.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, state.makeMs ?? 0);
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
    isComputing: () => state.isComputing ?? false,
  });
  return { pool, made: () => made };
}

function taken(pool: SlotPool) {
  const slot = pool.take();
  assert.ok(slot);
  return slot;
}

function attempts(pool: SlotPool, count: number): void {
  for (let i = 0; i < count; i++) {
    try {
      pool.give(taken(pool));
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
    pool.give(taken(pool));
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

test("SlotPool makes one slot after the other for calls that wait while no guest computes", async () => {
  const { pool, made } = create({ recycles: true, makes: true, isComputing: false });
  const slots = await Promise.all([taken(pool), pool.next(undefined), pool.next(undefined)]);
  assert.equal(new Set(slots).size, 3);
  assert.equal(made(), 3);
});

test("SlotPool.take() asks to wait while guests compute, and serves those who wait in their order", async () => {
  const state = { recycles: true, makes: true, isComputing: true, makeMs: 50 };
  const { pool, made } = create(state);
  const slot = taken(pool);
  assert.equal(pool.take(), undefined);
  const served: string[] = [];
  const waiting = ["first", "second", "third"].map(async (name) => {
    const given = await pool.next(undefined);
    served.push(name);
    assert.equal(given, slot);
    pool.give(given);
  });
  pool.give(slot);
  await Promise.all(waiting);
  assert.deepEqual(served, ["first", "second", "third"]);
  assert.equal(made(), 1);
  assert.equal(pool.free, 1);
});

test("SlotPool serves all who wait by the slot that was used last, as long as each gives it back", async () => {
  const { pool } = create({ recycles: true, makes: true });
  const slots = [taken(pool), taken(pool), taken(pool)];
  for (const slot of slots) pool.give(slot);
  const used = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const slot = await pool.next(undefined);
      pool.give(slot);
      return slot;
    }),
  );
  assert.deepEqual([...new Set(used)], [slots.at(-1)]);
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(pool.free, slots.length, "None is lost in a turn in which nobody waits any more");
});

test("SlotPool gives another slot to the next who waits when a call keeps its own", async () => {
  const { pool, made } = create({ recycles: true, makes: true });
  const slots = [taken(pool), taken(pool), taken(pool)];
  for (const slot of slots) pool.give(slot);
  const used = await Promise.all(
    slots.map(async () => {
      const slot = await pool.next(undefined);
      pool.kept();
      return slot;
    }),
  );
  assert.deepEqual(new Set(used), new Set(slots));
  assert.equal(made(), 3);
});

test("SlotPool.next() makes a slot in the end though guests go on computing", async () => {
  const { pool, made } = create({ recycles: true, makes: true, isComputing: true, makeMs: 1 });
  const slot = taken(pool);
  assert.notEqual(await pool.next(undefined), slot);
  assert.equal(made(), 2);
});

test("SlotPool.next() rejects when its signal is aborted, and when no slot can be made", async () => {
  const state = { recycles: true, makes: true, isComputing: true, makeMs: 1 };
  const { pool } = create(state);
  const slot = taken(pool);
  const controller = new AbortController();
  const waiting = pool.next(controller.signal);
  controller.abort(new Error("the client left"));
  await assert.rejects(waiting, /the client left/);
  await assert.rejects(() => pool.next(controller.signal), /the client left/);
  state.makes = false;
  await assert.rejects(pool.next(undefined), /no luck/);
  pool.give(slot);
  assert.equal(pool.take(), slot);
});
