import assert from "node:assert/strict";
import { test } from "node:test";

import { Batch } from "./batch.ts";

test("Batch.add() begins at once, and puts those who come meanwhile into one batch", async () => {
  const batches: string[] = [];
  const gate = Promise.withResolvers<void>();
  const batch = new Batch<string>(async (items) => {
    batches.push(items.join());
    await gate.promise;
  });
  const first = batch.add("a");
  await Promise.resolve();
  const others = [batch.add("b"), batch.add("c")];
  gate.resolve();
  await Promise.all([first, ...others]);
  assert.deepEqual(batches, ["a", "b,c"]);
});

test("Batch.add() rejects for those whose batch failed, and for nobody after them", async () => {
  let runs = 0;
  const batch = new Batch<string>(async () => {
    if (++runs === 1) throw new Error("disk");
  });
  const [one, other] = [batch.add("a"), batch.add("b")];
  await assert.rejects(one, { message: "disk" });
  await assert.rejects(other, { message: "disk" });
  await batch.add("c");
});
