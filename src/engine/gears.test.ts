import assert from "node:assert/strict";
import { test } from "node:test";
import { GearPolicy } from "./gears.ts";

const FIRST_CALLS = [
  { gearing: "adaptive", codeBytes: 1024, inFirst: true },
  { gearing: "adaptive", codeBytes: 2 ** 24, inFirst: false },
  { gearing: "first", codeBytes: 2 ** 24, inFirst: true },
  { gearing: "second", codeBytes: 1024, inFirst: false },
] as const;
for (const { gearing, codeBytes, inFirst } of FIRST_CALLS) {
  test(`The first call of ${codeBytes} bytes of code starts in ${inFirst ? "first" : "second"} gear when gearing is "${gearing}"`, () => {
    assert.equal(new GearPolicy(gearing, codeBytes).startsInFirst(), inFirst);
  });
}

test("The second call of a large module starts in first gear", () => {
  const gears = new GearPolicy("adaptive", 2 ** 24);
  gears.startsInFirst();
  assert.equal(gears.startsInFirst(), true);
});
