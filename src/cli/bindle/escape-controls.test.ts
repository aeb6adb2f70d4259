import assert from "node:assert/strict";
import { test } from "node:test";

import { formatDocument, parseDocument } from "../../registry/mod.ts";
import { escapeControls } from "./escape-controls.ts";

const value = { "a\u009b": "\u001b[2J \u007f \u0085 \u009b2J \u202e é\n" };
for (const format of ["json", "toml"] as const) {
  test(`escapeControls() leaves the meaning of ${format}, and no character that controls a terminal`, () => {
    const text = escapeControls(formatDocument(value, format).trimEnd());
    assert.doesNotMatch(text, /[\x00-\x1f\x7f-\x9f\u202e]/);
    assert.deepEqual({ ...Object(parseDocument(Buffer.from(text), format)) }, value);
  });
}
