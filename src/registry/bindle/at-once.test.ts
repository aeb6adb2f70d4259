import assert from "node:assert/strict";
import { test } from "node:test";

import { forEachAtOnce } from "./at-once.ts";

const { signal } = new AbortController();

test("forEachAtOnce() does everything, and no more at once than it may", async () => {
  let [active, mostActive, done] = [0, 0, 0];
  await forEachAtOnce(Array(20).keys(), { limit: 3, signal }, async () => {
    mostActive = Math.max(mostActive, ++active);
    await Promise.resolve();
    active--;
    done++;
  });
  assert.deepEqual({ mostActive, done }, { mostActive: 3, done: 20 });
});

test("forEachAtOnce() rejects with the first failure, and aborts the others", async () => {
  const aborted: unknown[] = [];
  const work = forEachAtOnce(["bad", "good", "never"], { limit: 2, signal }, async (item, signal) => {
    if (item === "bad") throw new Error(item);
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    aborted.push(item);
  });
  await assert.rejects(work, { message: "bad" });
  assert.deepEqual(aborted, ["good"]);
});

test("forEachAtOnce() ends with the reason of the caller", async () => {
  const controller = new AbortController();
  const work = forEachAtOnce([1, 2], { limit: 1, signal: controller.signal }, async () => {
    controller.abort(new Error("enough"));
  });
  await assert.rejects(work, { message: "enough" });
});
