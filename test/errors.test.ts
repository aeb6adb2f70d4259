// The list of error codes in the code, and the one in docs/errors.md.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ERROR_CODES } from "../src/errors/mod.ts";

const page = readFileSync(join(import.meta.dirname, "..", "docs", "errors.md"), "utf8");
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.split("\n", 1)[0] ?? "", section]),
);

test("docs/errors.md explains every error code, and no other, in alphabetical order", () => {
  assert.deepEqual([...sections.keys()], Object.keys(ERROR_CODES).toSorted());
});

test("the list of error codes is in alphabetical order", () => {
  assert.deepEqual(Object.keys(ERROR_CODES), Object.keys(ERROR_CODES).toSorted());
});

test("docs/errors.md shows what each error looks like", () => {
  const silent = [...sections].filter(([code, text]) => code !== "INTERNAL" && !text.includes(`[${code}]`));
  assert.deepEqual(
    silent.map(([code]) => code),
    [],
  );
});
