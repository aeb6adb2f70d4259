import assert from "node:assert/strict";
import { test } from "node:test";

import { parseDocument } from "./document.ts";

const key = (parts: number) => Array(parts).fill("a").join(".");
const keys = [
  { text: `${key(16)} = 1`, verdict: "read" },
  { text: `x = "${key(40)}"`, verdict: "read" },
  { text: `${key(17)} = 1`, verdict: "refused" },
  { text: `x = 1\n  [${key(17)}]`, verdict: "refused" },
  { text: `[[${key(17)}]]`, verdict: "refused" },
  { text: `x = { ${Array(17).fill(`"a b" . 'c'`).join(".")} = 1 }`, verdict: "refused" },
  { text: "a.".repeat(4_000_000), verdict: "refused" },
];
for (const { text, verdict } of keys) {
  test(`parseDocument() ${verdict === "read" ? "reads" : "refuses"} ${text.slice(0, 60)}`, () => {
    const read = () => parseDocument(Buffer.from(text), "toml");
    if (verdict === "read") read();
    else assert.throws(read, { message: "it has a key of more than 16 parts" });
  });
}
