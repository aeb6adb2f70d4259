import assert from "node:assert/strict";
import { test } from "node:test";
import { Store, WALL_TIME_MS_DEFAULT } from "./store.ts";

const cases = [
  { given: undefined, wallTimeMs: WALL_TIME_MS_DEFAULT, because: "nobody says otherwise" },
  { given: 1, wallTimeMs: 1, because: "it was given" },
  { given: 2 ** 31 - 1, wallTimeMs: 2 ** 31 - 1, because: "a timer can wait as long" },
  { given: 2 ** 31, wallTimeMs: 2 ** 31 - 1, because: "a timer that is set to more fires at once" },
  { given: Number.POSITIVE_INFINITY, wallTimeMs: 2 ** 31 - 1, because: "a timer cannot wait for ever" },
];
for (const { given, wallTimeMs, because } of cases) {
  test(`Store.wallTimeMs is ${wallTimeMs} for ${given}: ${because}`, () => {
    const store = new Store(undefined, given === undefined ? {} : { wallTimeMs: given });
    assert.equal(store.wallTimeMs, wallTimeMs);
  });
}
