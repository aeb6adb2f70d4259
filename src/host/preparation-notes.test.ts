import assert from "node:assert/strict";
import test from "node:test";
import { preparationNotes } from "./preparation-notes.ts";

const SLOW = { componentId: "api", totalMs: 1900, rewriteMs: 1200, compileMs: 203 };
const cases = [
  {
    options: { cacheDirectory: "/cache" },
    notes: [
      'Component "api" took 1.9 s to prepare: 1.2 s to rewrite it (kept for the next start), 0.2 s to compile it, ' +
        "0.5 s to link it and make its first instance",
    ],
    preparation: SLOW,
    because: "it took more than a second",
  },
  {
    options: {},
    notes: [
      'Component "api" took 1.9 s to prepare: 1.2 s to rewrite it, 0.2 s to compile it, ' +
        "0.5 s to link it and make its first instance",
    ],
    preparation: SLOW,
    because: "without a cache nothing is kept",
  },
  {
    options: {},
    notes: [],
    preparation: { ...SLOW, totalMs: 999 },
    because: "less than a second is not slow",
  },
  {
    options: { debug: true },
    notes: ['Component "api" took 0.02 s to prepare: 0.02 s to link it and make its first instance'],
    preparation: { componentId: "api", totalMs: 20, rewriteMs: 2, compileMs: 0 },
    because: "who debugs wants to know what takes any time",
  },
  {
    options: { debug: true },
    notes: [],
    preparation: { componentId: "api", totalMs: 19, rewriteMs: 0, compileMs: 0 },
    because: "it takes next to none",
  },
];
for (const { options, preparation, notes, because } of cases) {
  test(`preparationNotes() gives ${notes.length} for ${preparation.totalMs} ms: ${because}`, () => {
    assert.deepEqual(preparationNotes([preparation], options), notes);
  });
}
