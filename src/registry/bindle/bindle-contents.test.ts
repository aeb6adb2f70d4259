import assert from "node:assert/strict";
import { test } from "node:test";

import { groupFiles } from "./bindle-contents.ts";
import type { Invoice } from "./invoice.ts";

/** A bindle whose parcels are files of the group "a". */
function bindleOf(...files: readonly (readonly [name: string, digest: string])[]): Invoice {
  return {
    bindleVersion: "1.0.0",
    bindle: { name: "hello", version: "1.0.0" },
    parcel: files.map(([name, sha256]) => ({
      label: { sha256, mediaType: "text/plain", name, size: 1 },
      conditions: { memberOf: ["a"] },
    })),
  };
}

test("groupFiles() gives the members of a group, by path", () => {
  const invoice = bindleOf(["a/b.txt", "1"], ["./c.txt", "2"], ["é/🦀", "1"], ["a/b.txt", "1"]);
  const others = { label: { sha256: "3", mediaType: "a/b", name: "../x.wasm", size: 1 } };
  const files = groupFiles({ ...invoice, parcel: [...(invoice.parcel ?? []), others] }, "a");
  assert.deepEqual(
    files.map(({ path, label }) => `${path}=${label.sha256}`),
    ["a/b.txt=1", "c.txt=2", "é/🦀=1"],
  );
  assert.deepEqual(groupFiles(invoice, "b"), []);
});

for (const name of [
  "",
  ".",
  "..",
  "../a",
  "a/../../b",
  "/etc/passwd",
  "a//b",
  "a/",
  "a\\..\\b",
  "C:/a",
  "a\0b",
]) {
  test(`groupFiles() refuses a file named ${JSON.stringify(name)}`, () => {
    assert.throws(() => groupFiles(bindleOf([name, "1"]), "a"), {
      code: "BINDLE_FILE_NAME",
      message: `Cannot use the files of group "a" of hello/1.0.0: "${name.replace("\0", "�")}" is not a path inside a folder`,
    });
  });
}

test("groupFiles() refuses two files of one name", () => {
  assert.throws(() => groupFiles(bindleOf(["a", "1"], ["./a", "2"]), "a"), {
    code: "BINDLE_FILE_NAME",
    message: /two files are named "a"$/,
  });
});

test("groupFiles() refuses a file that is the folder of another", () => {
  for (const files of [bindleOf(["a", "1"], ["a/b", "2"]), bindleOf(["a/b/c", "1"], ["a", "2"])]) {
    assert.throws(() => groupFiles(files, "a"), {
      code: "BINDLE_FILE_NAME",
      message: /"a" is a file and a folder$/,
    });
  }
});
