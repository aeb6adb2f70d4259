import assert from "node:assert/strict";
import { test } from "node:test";

import { formatDiagnostic, printableLine } from "./diagnostic.ts";

/** Renders a diagnostic whose place is the part of `text` between "«" and "»". */
function render(marked: string): string {
  const start = marked.indexOf("«");
  const text = marked.replace("«", "").replace("»", "");
  const before = text.slice(0, start);
  const line = before.split("\n").length;
  const column = start - before.lastIndexOf("\n");
  const length = marked.indexOf("»") - start - 1;
  return formatDiagnostic({
    code: "INTERNAL",
    severity: "error",
    message: "Wrong",
    at: { source: { path: "a.toml", text }, line, column, length },
    hint: "Mend it.",
  });
}

test("formatDiagnostic() shows message, code, place, excerpt and hint", () => {
  const expected = [
    "error: Wrong [INTERNAL]",
    " --> a.toml:2:5",
    "  |",
    "2 | b = xyz",
    "  |     ^^^",
    "  hint: Mend it.",
  ];
  assert.equal(render("a = 1\nb = «xyz»\nc = 2\n"), expected.join("\n"));
});

const excerpts = [
  {
    because: "tabs are kept in the padding",
    text: "\ta\t=\t«b»\t# c",
    shows: ["\ta\t=\tb\t# c", "\t \t \t^"],
  },
  { because: "a line can end in CR and LF", text: "a = «b»\r\nc", shows: ["a = b", "    ^"] },
  { because: 'an "é" takes one column', text: 'é = «"é"»', shows: ['é = "é"', "    ^^^"] },
  {
    because: "a combined letter takes one column",
    text: "e\u0301 = «e\u0301»",
    shows: ["e\u0301 = e\u0301", "    ^"],
  },
  { because: 'a "🦀" takes two columns', text: "🦀 = «🦀🦀»", shows: ["🦀 = 🦀🦀", "     ^^^^"] },
  { because: "Han characters take two columns", text: "漢字 = «x»", shows: ["漢字 = x", "       ^"] },
  { because: "a place at the end of a line has a caret", text: "a = «»", shows: ["a =", "    ^"] },
  { because: "a place past the end of its line is at the end", text: "«»", shows: ["", "^"] },
  {
    because: "control characters do not reach the terminal",
    text: "a\u001b[31m «b»",
    shows: ["a�[31m b", "       ^"],
  },
  { because: "text cannot be reversed", text: "a\u202e «b»", shows: ["a� b", "   ^"] },
];

for (const { because, text, shows } of excerpts) {
  test(`formatDiagnostic() puts the caret below its character: ${because}`, () => {
    const lines = render(text).split("\n");
    assert.equal(lines[3], `1 | ${shows[0]}`.trimEnd());
    assert.equal(lines[4], `  | ${shows[1]}`);
  });
}

test("formatDiagnostic() cuts a very long line on both sides of the place", () => {
  const lines = render(`${"x".repeat(1000)}«${"y".repeat(1000)}»${"z".repeat(1000)}`).split("\n");
  assert.equal(lines[3], `1 | …${"x".repeat(60)}${"y".repeat(100)}…`);
  assert.equal(lines[4], `  | ${" ".repeat(61)}${"^".repeat(100)}`);
});

test("formatDiagnostic() never cuts a character in half", () => {
  for (let shift = 0; shift < 4; shift++) {
    const text = render(`${"x".repeat(shift)}${"🦀".repeat(500)}«y»${"🦀".repeat(500)}`);
    assert.ok(text.isWellFormed(), text);
    const [excerpt = "", carets = ""] = text.split("\n").slice(3);
    const columns = [...excerpt.slice(0, excerpt.indexOf("y"))].length * 2 - "1 | …".length;
    assert.equal(carets.indexOf("^"), columns);
  }
});

test("formatDiagnostic() shows a place whose line the text does not have", () => {
  const at = { source: { path: "a.toml", text: "a\nb" }, line: 1000, column: 7, length: 3 };
  const text = formatDiagnostic({ code: "INTERNAL", severity: "warning", message: "Wrong", at });
  assert.deepEqual(text.split("\n").slice(1), ["    --> a.toml:1000:7", "     |", "1000 |", "     | ^"]);
});

test("formatDiagnostic() keeps control characters of names out of the terminal", () => {
  const text = formatDiagnostic({
    code: "INTERNAL",
    severity: "error",
    message: "Cannot open \u001b]0;x\u0007",
  });
  assert.equal(text, "error: Cannot open �]0;x� [INTERNAL]");
});

test("printableLine() keeps a stranger's text on one line, without 7-bit and 8-bit controls", () => {
  assert.equal(printableLine("a\nerror: b \u001b[2J \u009b2J \u2028 \u202e é"), "a�error: b �[2J �2J � � é");
});
