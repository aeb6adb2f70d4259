import assert from "node:assert/strict";
import { test } from "node:test";
import { Deadlines } from "./deadlines.ts";

test("Deadlines expires items in order, each once, and not those that were taken out", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  let nowMs = 0;
  t.mock.method(performance, "now", () => nowMs);
  const expired: string[] = [];
  const deadlines = new Deadlines<string>(1000, (item) => expired.push(item));
  const pass = (ms: number) => {
    nowMs += ms;
    t.mock.timers.tick(ms);
  };
  deadlines.add("a");
  pass(500);
  deadlines.add("b");
  deadlines.add("c");
  deadlines.delete("c");
  pass(499);
  assert.deepEqual(expired, []);
  pass(101);
  assert.deepEqual(expired, ["a"]);
  pass(500);
  assert.deepEqual(expired, ["a", "b"]);
  assert.equal(deadlines.size, 0);
  pass(5000);
  deadlines.add("d");
  pass(1100);
  assert.deepEqual(expired, ["a", "b", "d"]);
});
