import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Admission, type Lane } from "./admission.ts";

function create(limits: { activeMax: number; waitingMax: number }) {
  const started: string[] = [];
  const admission = new Admission<string>(limits, (item) => started.push(item));
  return { admission, started };
}

/** Gives the items that were refused. */
function waitFor(admission: Admission<string>, lane: Lane<string>, items: readonly string[]): string[] {
  return items.flatMap((item) => admission.wait(lane, item) ?? []);
}

test("Admission gives places up to activeMax, and not one more", () => {
  const { admission } = create({ activeMax: 2, waitingMax: 0 });
  const lane = admission.createLane();
  assert.deepEqual(
    [admission.enter(lane), admission.enter(lane), admission.enter(lane)],
    [true, true, false],
  );
  admission.leave(lane);
  assert.equal(admission.enter(lane), true);
  assert.equal(admission.active, 2);
});

test("Admission starts who waited, in order, when a place is free", async () => {
  const { admission, started } = create({ activeMax: 1, waitingMax: 2 });
  const lane = admission.createLane();
  admission.enter(lane);
  assert.deepEqual(waitFor(admission, lane, ["a", "b", "c"]), ["c"]);
  admission.leave(lane);
  await nextTurn();
  assert.deepEqual(started, ["a"]);
  admission.leave(lane);
  await nextTurn();
  assert.deepEqual(started, ["a", "b"]);
  assert.deepEqual([admission.active, admission.waiting], [1, 0]);
});

test("Admission lets nobody pass those who wait", async () => {
  const { admission, started } = create({ activeMax: 1, waitingMax: 2 });
  const lane = admission.createLane();
  admission.enter(lane);
  waitFor(admission, lane, ["a"]);
  admission.leave(lane);
  assert.equal(admission.enter(lane), false);
  await nextTurn();
  assert.deepEqual(started, ["a"]);
});

test("Admission gives the next place to the component that has fewest", async () => {
  const { admission, started } = create({ activeMax: 6, waitingMax: 20 });
  const [busy, quiet] = [admission.createLane(), admission.createLane()];
  for (let i = 0; i < 4; i++) assert.equal(admission.enter(busy), true);
  for (let i = 0; i < 2; i++) assert.equal(admission.enter(quiet), true);
  waitFor(admission, busy, ["b1", "b2", "b3"]);
  waitFor(admission, quiet, ["q1", "q2", "q3"]);
  for (let i = 0; i < 4; i++) admission.leave(busy);
  await nextTurn();
  assert.deepEqual(started, ["b1", "b2", "q1"]);
});

test("Admission leaves a third of the places to others, even to those who come last", () => {
  const { admission } = create({ activeMax: 9, waitingMax: 100 });
  const [flood, quiet] = [admission.createLane(), admission.createLane()];
  const entered = Array.from({ length: 100 }, () => admission.enter(flood)).filter(Boolean).length;
  assert.equal(entered, 6);
  waitFor(
    admission,
    flood,
    Array.from({ length: 50 }, (_, index) => `f${index}`),
  );
  assert.deepEqual([admission.enter(quiet), admission.enter(quiet)], [true, true]);
});

test("Admission gives a component of weight 4 most of the places", () => {
  const { admission } = create({ activeMax: 9, waitingMax: 0 });
  const [heavy] = [admission.createLane(4), admission.createLane()];
  assert.ok(heavy);
  const entered = Array.from({ length: 100 }, () => admission.enter(heavy)).filter(Boolean).length;
  assert.equal(entered, 8);
});

test("Admission gives all places to a component that is alone", () => {
  const { admission } = create({ activeMax: 9, waitingMax: 0 });
  const lane = admission.createLane();
  assert.equal(Array.from({ length: 100 }, () => admission.enter(lane)).filter(Boolean).length, 9);
});

test("Admission makes room for a component that has few waiting, at the cost of the longest lane", () => {
  const { admission } = create({ activeMax: 0, waitingMax: 4 });
  const [busy, quiet] = [admission.createLane(), admission.createLane()];
  assert.deepEqual(waitFor(admission, busy, ["b1", "b2", "b3", "b4", "b5"]), ["b5"]);
  assert.deepEqual(waitFor(admission, quiet, ["q1", "q2", "q3"]), ["b4", "b3", "q3"]);
  assert.equal(admission.waiting, 4);
});

test("Admission.cancel() takes an item out once", () => {
  const { admission } = create({ activeMax: 0, waitingMax: 4 });
  const lane = admission.createLane();
  waitFor(admission, lane, ["a"]);
  assert.deepEqual([admission.cancel(lane, "a"), admission.cancel(lane, "a")], [true, false]);
  assert.equal(admission.waiting, 0);
});
