// What guests may take of the process: memory, tables, time, and slots when there are few.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  SlotsExhaustedError,
  TableLimitError,
  TrapError,
  TypesExhaustedError,
} from "../../src/engine/mod.ts";
import { Guests } from "./guests.ts";

const MIB = 1024 * 1024;
const PAGES_PER_MIB = 16;

const GROWER = `(module
  (memory (export "memory") 16)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "size") (result i32) (memory.size)))`;

test("A guest grows to all that the guests of a process may have together, and not a page more", async () => {
  using guests = new Guests({ memoryBytesMax: 8 * MIB });
  const guest = await guests.add(GROWER);
  assert.equal(await guest.call("grow", [7 * PAGES_PER_MIB + 1]), -1);
  assert.equal(await guest.call("grow", [7 * PAGES_PER_MIB]), PAGES_PER_MIB);
  assert.equal(guests.engine.memoryBytes, 8 * MIB);
});

test("What one call has grown counts for the others until its slot is thrown away", async () => {
  using guests = new Guests({ memoryBytesMax: 8 * MIB });
  const guest = await guests.add(GROWER);
  {
    using first = guest.hold();
    assert.equal(first.call("grow", [5 * PAGES_PER_MIB]), PAGES_PER_MIB);
    using second = guest.hold();
    assert.equal(second.call("grow", [PAGES_PER_MIB + 1]), -1);
    assert.equal(await second.call("grow", [PAGES_PER_MIB]), PAGES_PER_MIB);
    assert.throws(() => guest.hold(), SlotsExhaustedError);
  }
  guest.pre.pool.releaseIdle();
  assert.equal(guests.engine.memoryBytes, 0);
});

test("Idle slots are thrown away when another component needs their memory", async () => {
  using guests = new Guests({ memoryBytesMax: 8 * MIB });
  const idle = await guests.add(GROWER);
  const busy = await guests.add(GROWER);
  await idle.call("grow", [4 * PAGES_PER_MIB]);
  assert.equal(idle.pre.pool.free, 1);
  using held = busy.hold();
  assert.equal(held.call("grow", [4 * PAGES_PER_MIB]), PAGES_PER_MIB);
  assert.equal(idle.pre.pool.free, 0);
});

test("A component that takes memory in many slots leaves a third of it to another", async () => {
  using guests = new Guests({ memoryBytesMax: 30 * MIB });
  const greedy = await guests.add(GROWER);
  const modest = await guests.add(GROWER);
  using slots = new DisposableStack();
  assert.throws(() => {
    for (;;) slots.use(greedy.hold());
  }, SlotsExhaustedError);
  assert.ok(greedy.pre.memoryShare.held <= 20 * MIB, `${greedy.pre.memoryShare.held} bytes`);
  assert.equal(modest.hold().call("grow", [5 * PAGES_PER_MIB]), PAGES_PER_MIB);
});

test("A component serves though there are more components than the process has memories for", async () => {
  using guests = new Guests({ memoriesMax: 8 });
  const many = await Promise.all(Array.from({ length: 50 }, () => guests.add(GROWER)));
  for (let round = 0; round < 3; round++) {
    for (const guest of many) assert.equal(await guest.call("size"), 16);
  }
  assert.ok(guests.engine.memories <= 8);
});

test("One component's calls leave places to another when the process has few", async () => {
  using guests = new Guests({ memoriesMax: 30 });
  const greedy = await guests.add(GROWER);
  const modest = await guests.add(GROWER);
  using slots = new DisposableStack();
  assert.throws(() => {
    for (;;) slots.use(greedy.hold());
  }, SlotsExhaustedError);
  for (let i = 0; i < 3; i++) slots.use(modest.hold());
});

test("Instances with large tables are as many as V8's heap has room for, and idle ones make room", async () => {
  using guests = new Guests({ heapBytesMax: 250_000 });
  const text = '(module (table 4000 funcref) (func (export "f")))';
  const [one, other] = [await guests.add(text), await guests.add(text)];
  {
    using _ = one.hold();
    assert.throws(() => one.hold(), SlotsExhaustedError);
  }
  using _ = other.hold();
  assert.equal(other.pre.pool.live, 1);
});

test("Components of one module share what its memory begins with", async () => {
  using guests = new Guests();
  const text = '(module (memory 1) (data (i32.const 0) "equal"))';
  const [one, other] = [await guests.add(text), await guests.add(text)];
  assert.equal(one.pre.images[0], other.pre.images[0]);
});

test("A table grows to the limit of its component, and not by an element more", async () => {
  using guests = new Guests();
  const text = `(module (table 10 funcref)
    (func (export "grow") (param i32) (result i32) (table.grow (ref.null func) (local.get 0))))`;
  const guest = await guests.add(text, { tableElementsMax: 100 });
  assert.equal(await guest.call("grow", [91]), -1);
  assert.equal(await guest.call("grow", [90]), 10);
  const full = await guests.add(text, { tableElementsMax: 10 });
  assert.equal(await full.call("grow", [1]), -1);
  assert.equal(await full.call("grow", [0]), 10);
  await assert.rejects(guests.add(text, { tableElementsMax: 9 }), TableLimitError);
});

test("An engine takes no module beyond the types that V8 may keep; equal modules count once", async () => {
  using guests = new Guests({ typesMax: 4 });
  const module = (result: string) =>
    `(module (type (func)) (type (func (result i32))) (type (func (result ${result}))))`;
  for (const result of ["i64", "i64", "f32"]) await guests.add(module(result));
  await assert.rejects(guests.add(module("f64")), TypesExhaustedError);
  await guests.add(module("f32"));
});

const SPINNER = '(module (func (export "spin") (loop (br 0))))';

test("A guest that computes past its time is ended, and told from one that waits past it", async () => {
  using guests = new Guests();
  const guest = await guests.add(SPINNER);
  const ended = async (options: { cpuTimeMs: number; wallTimeMs: number }) => {
    const error = await guest.call("spin", [], options).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof TrapError);
    return error;
  };
  const computed = await ended({ cpuTimeMs: 20, wallTimeMs: 10_000 });
  assert.equal(computed.reason, "limit");
  assert.match(computed.message, /computed for more than 20 ms/);
  assert.equal((await ended({ cpuTimeMs: 10_000, wallTimeMs: 20 })).reason, "deadline");
});

/** It takes long to make, because it begins by writing its memory. A call computes for some ticks, and says how many there were before it. */
const LARGE = `(module
  (memory (export "memory") 512)
  (start $fill)
  (func $fill (memory.fill (i32.const 64) (i32.const 1) (i32.const 33554368)))
  (func (export "compute") (result i32) (local $left i32)
    (local.set $left (i32.const 20000000))
    (loop $again
      (i32.store (i32.const 8) (local.get $left))
      (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
    (i32.load (i32.const 0))))`;

test("Calls wait for slots of guests that compute, and each begins anew; few slots are made for them", async () => {
  const CALLS = 60;
  using guests = new Guests();
  const guest = await guests.add(LARGE);
  const answers = await Promise.all(Array.from({ length: CALLS }, () => guest.call("compute")));
  assert.deepEqual(
    answers,
    Array.from({ length: CALLS }, () => 1),
  );
  assert.ok(guest.pre.pool.live < CALLS / 2, `${guest.pre.pool.live} slots were made`);
});

test("A call that nobody waits for any more gives up its place among those who wait for a slot", async () => {
  using guests = new Guests();
  const guest = await guests.add(LARGE);
  const controller = new AbortController();
  const running = [guest.call("compute"), guest.call("compute")];
  using waiting = guest.hold({ signal: controller.signal });
  const given = Promise.resolve(waiting.call("compute"));
  controller.abort(new Error("the client left"));
  await assert.rejects(given, /the client left|Nobody waits/);
  assert.deepEqual(await Promise.all(running), [1, 1]);
});

test("Turns go around: of 100 turns, each of three components has a third, and one of weight 3 three of four", async () => {
  const share = async (weights: readonly number[], guestsEach: readonly number[]) => {
    using guests = new Guests();
    const counts = weights.map(() => 0);
    let turns = 0;
    const over = Promise.withResolvers<void>();
    for (const [index, weight] of weights.entries()) {
      const turn = guests.engine.turns.component({ weight });
      const play = () => {
        counts[index] = (counts[index] ?? 0) + 1;
        if (++turns >= 100) over.resolve();
        else void turn.next().then(play);
      };
      for (let i = 0; i < (guestsEach[index] ?? 0); i++) void turn.next().then(play);
    }
    await over.promise;
    return counts;
  };
  const even = await share([1, 1, 1], [20, 1, 1]);
  for (const count of even) assert.ok(count >= 32 && count <= 35, String(even));
  const [light = 0, heavy = 0] = await share([1, 3], [10, 10]);
  assert.ok(heavy >= 73 && heavy <= 77 && light >= 23, `${light}, ${heavy}`);
});
