// What the soak calls a trend.

import assert from "node:assert/strict";
import { test } from "node:test";
import { rise } from "./trend.ts";

const TOLERANCE = { absolute: 5, share: 0.1 };
const noise = (index: number) => ((index * 7919) % 13) - 6;
const series = (at: (index: number) => number) => Array.from({ length: 30 }, (_, index) => at(index));

const cases = [
  { what: "a constant", values: series(() => 100), rises: false },
  { what: "noise", values: series((index) => 100 + noise(index)), rises: false },
  { what: "a leak", values: series((index) => 100 + 3 * index), rises: true },
  { what: "a leak below noise", values: series((index) => 100 + 3 * index + noise(index)), rises: true },
  { what: "a warm-up", values: series((index) => 100 + Math.min(index, 10) * 20), rises: false },
  { what: "a rise within the tolerance", values: series((index) => 1000 + index), rises: false },
  { what: "a fall", values: series((index) => 300 - 3 * index), rises: false },
  { what: "one peak", values: series((index) => (index === 20 ? 1000 : 100)), rises: false },
  { what: "a single measurement", values: [100], rises: false },
  { what: "nothing", values: [], rises: false },
];
for (const { what, values, rises } of cases) {
  test(`rise() finds ${rises ? "a trend" : "none"} in ${what}`, () => {
    assert.equal(rise(values, TOLERANCE) > 0, rises);
  });
}
