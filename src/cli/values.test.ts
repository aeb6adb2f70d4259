// Values of flags.

import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import {
  addKeyValue,
  addValue,
  moreThanZero,
  parseCount,
  parseDurationMs,
  parseSize,
  parseThreads,
} from "./values.ts";

const READ = [
  { parse: parseSize, text: "1048576", value: 1_048_576 },
  { parse: parseSize, text: "512KiB", value: 524_288 },
  { parse: parseSize, text: "10 MB", value: 10_000_000 },
  { parse: parseSize, text: "1gib", value: 1_073_741_824 },
  { parse: parseSize, text: "0", value: 0 },
  { parse: parseDurationMs, text: "30", value: 30_000 },
  { parse: parseDurationMs, text: "500ms", value: 500 },
  { parse: parseDurationMs, text: "2m", value: 120_000 },
  { parse: parseDurationMs, text: "1500us", value: 2 },
  { parse: parseCount, text: "1000", value: 1000 },
  { parse: parseThreads, text: "1", value: 1 },
  { parse: parseThreads, text: "256", value: 256 },
];
for (const { parse, text, value } of READ) {
  test(`${parse.name}() reads "${text}" as ${value}`, () => {
    assert.equal(parse(text), value);
  });
}

const REFUSED = [
  { parse: parseSize, texts: ["", "x", "-1", "1.5MB", "1 lightyear", "1e9", "9999999999999999999"] },
  { parse: parseDurationMs, texts: ["", "soon", "-5s", "5 parsecs"] },
  { parse: parseThreads, texts: ["", "0", "257", "-1", "1.5", "two", "AUTO"] },
  { parse: parseCount, texts: ["", "1.5", "-1", "1e3", "99999999999"] },
];
for (const { parse, texts } of REFUSED) {
  for (const text of texts) {
    test(`${parse.name}() refuses "${text}"`, () => {
      assert.throws(() => parse(text), { code: "commander.invalidArgument" });
    });
  }
}

test("parseThreads() takes as many as the machine runs at once for auto", () => {
  assert.equal(parseThreads("auto"), availableParallelism());
});

test("moreThanZero() refuses what would stop everything", () => {
  assert.equal(moreThanZero(parseCount)("1"), 1);
  assert.throws(() => moreThanZero(parseCount)("0"), { code: "commander.invalidArgument" });
});

test("addKeyValue() splits at the first equals sign and lets the last value of a key win", () => {
  const first = addKeyValue("A=b=c");
  assert.deepEqual(addKeyValue("É=🦀", addKeyValue("A=", first)), { A: "", É: "🦀" });
});

for (const text of ["A", "=b", ""]) {
  test(`addKeyValue() refuses "${text}"`, () => {
    assert.throws(() => addKeyValue(text), { code: "commander.invalidArgument" });
  });
}

test("addValue() keeps the order of repeated flags", () => {
  assert.deepEqual(addValue("b", addValue("a")), ["a", "b"]);
});
