import assert from "node:assert/strict";
import { test } from "node:test";

import { Failure } from "./errno.ts";
import { parseGuestPath } from "./path.ts";

const paths = [
  { path: "a/b", segments: ["a", "b"], mustBeDirectory: false },
  { path: ".", segments: [], mustBeDirectory: true },
  { path: "./a//./b", segments: ["a", "b"], mustBeDirectory: false },
  { path: "a/", segments: ["a"], mustBeDirectory: true },
  { path: "a/.", segments: ["a"], mustBeDirectory: true },
  { path: "a/..", segments: ["a", ".."], mustBeDirectory: true },
  { path: "...", segments: ["..."], mustBeDirectory: false },
  { path: ".a/..b", segments: [".a", "..b"], mustBeDirectory: false },
  { path: "é/🦀", segments: ["é", "🦀"], mustBeDirectory: false },
];
for (const { path, ...expected } of paths) {
  test(`parseGuestPath("${path}") has the segments ${JSON.stringify(expected.segments)}`, () => {
    assert.deepEqual(parseGuestPath(path), expected);
  });
}

for (const [path, name] of [
  ["", "NOENT"],
  ["/", "PERM"],
  ["//a", "PERM"],
  ["a\0b", "INVAL"],
  [`${"a/".repeat(2048)}b`, "NAMETOOLONG"],
] as const) {
  test(`parseGuestPath(${JSON.stringify(path.slice(0, 8))}) fails with ${name}`, () => {
    assert.throws(
      () => parseGuestPath(path),
      (thrown) => thrown instanceof Failure && thrown.name === name,
    );
  });
}
