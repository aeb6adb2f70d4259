// Codes are promises: each is explained in docs/errors.md, and nothing is explained that does not exist.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

import { ERROR_CODES } from "./codes.ts";

const DOCUMENT = path.join(import.meta.dirname, "../../docs/errors.md");
const [, ...sections] = readFileSync(DOCUMENT, "utf8").split(/^## /m);
const headings = sections.map((section) => section.slice(0, section.indexOf("\n")));
const codes = Object.keys(ERROR_CODES);

test("ERROR_CODES are sorted, and written in capitals", () => {
  assert.deepEqual(codes, codes.toSorted());
  for (const code of codes) assert.match(code, /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/);
});

test("docs/errors.md has a section for each code, in the same order", () => {
  assert.deepEqual(headings, codes);
});

test("docs/errors.md shows each code as it is printed, and says what to do", () => {
  for (const [index, section] of sections.entries()) {
    const code = headings[index] ?? "";
    if (code === "INTERNAL") continue;
    assert.match(section, new RegExp(`^\`\`\`\\n(error|warning): .*\\[${code}\\]$`, "m"), code);
    assert.match(section, /\n {2}hint: \S|\n```\n\n\S/, `${code}: a hint, or what to do after the example`);
  }
});
