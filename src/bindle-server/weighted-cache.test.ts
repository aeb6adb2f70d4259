import assert from "node:assert/strict";
import { test } from "node:test";

import { WeightedCache } from "./weighted-cache.ts";

test("WeightedCache keeps what fits, and drops what was not used for longest", () => {
  const cache = new WeightedCache<string>(10);
  cache.set("a", "A", 4);
  cache.set("b", "B", 4);
  cache.get("a");
  cache.set("c", "C", 4);
  assert.deepEqual(
    ["a", "b", "c"].map((key) => cache.get(key)),
    ["A", undefined, "C"],
  );
});

test("WeightedCache does not keep what is too heavy, nor what it replaces", () => {
  const cache = new WeightedCache<string>(10);
  cache.set("a", "A", 10);
  cache.set("a", "AA", 11);
  assert.equal(cache.get("a"), undefined);
  cache.set("b", "B", 10);
  assert.equal(cache.get("b"), "B");
});
