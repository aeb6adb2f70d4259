import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteWriter } from "./byte-writer.ts";
import { functionNames } from "./function-names.ts";
import { MalformedModuleError } from "./malformed-module-error.ts";
import { MODULE_HEADER } from "./module-builder.ts";

/** A module with nothing but a name section. */
function withNameSection(...contents: readonly number[]): Uint8Array {
  const section = new ByteWriter().name("name").u8(...contents);
  return new ByteWriter().append(MODULE_HEADER).u8(0).sized(section.take()).take();
}

test("functionNames() passes over other subsections", () => {
  const bytes = withNameSection(0, 2, 1, 0x6d, 1, 8, 2, 0, 1, 0x61, 5, 2, 0xc3, 0xa9, 2, 0);
  assert.deepEqual(
    [...functionNames(bytes)],
    [
      [0, "a"],
      [5, "é"],
    ],
  );
});

test("functionNames() gives what comes before a mistake: names are no reason to refuse a module", () => {
  const bytes = withNameSection(1, 6, 2, 0, 1, 0x61, 5, 200);
  assert.deepEqual([...functionNames(bytes)], [[0, "a"]]);
});

test("functionNames() is empty without a name section", () => {
  assert.equal(functionNames(MODULE_HEADER).size, 0);
});

test("functionNames() refuses what is no module", () => {
  assert.throws(() => functionNames(new Uint8Array()), MalformedModuleError);
});
