import assert from "node:assert/strict";
import { test } from "node:test";

import { parseDocument } from "./document.ts";

const key = (parts: number) => Array(parts).fill("a").join(".");
const keys = [
  { text: `${key(8)} = 1`, verdict: "read" },
  { text: `x = "${key(40)}"`, verdict: "read" },
  { text: `${key(9)} = 1`, verdict: "refused" },
  { text: `x = 1\n  [${key(9)}]`, verdict: "refused" },
  { text: `[[${key(9)}]]`, verdict: "refused" },
  { text: `x = { ${Array(9).fill(`"a b" . 'c'`).join(".")} = 1 }`, verdict: "refused" },
  { text: "a.".repeat(4_000_000), verdict: "refused" },
];
for (const { text, verdict } of keys) {
  test(`parseDocument() ${verdict === "read" ? "reads" : "refuses"} ${text.slice(0, 60)}`, () => {
    const read = () => parseDocument(Buffer.from(text), "toml");
    if (verdict === "read") read();
    else assert.throws(read, { message: "it has a key of more than 8 parts" });
  });
}

const marks = ["=", ".", "[", "{", ","];
for (const mark of marks) {
  test(`parseDocument() refuses a TOML document of half a million "${mark}" before it is parsed`, () => {
    const read = () => parseDocument(Buffer.from(`x = "${mark.repeat(500_001)}"`), "toml");
    assert.throws(read, { message: new RegExp(`^it has more than \\d+ of "\\${mark}"$`) });
  });
}

test("parseDocument() reads an invoice of 10,000 parcels", () => {
  const label = `sha256 = "${"0".repeat(64)}"\nmediaType = "text/plain"\nname = "static/a.b.js"\nsize = 1`;
  const parcel = `[[parcel]]\n[parcel.label]\n${label}\n[parcel.conditions]\nmemberOf = ["files-a"]\n`;
  const value = parseDocument(Buffer.from(parcel.repeat(10_000)), "toml");
  assert.equal(Object(value).parcel.length, 10_000);
});
