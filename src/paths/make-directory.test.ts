import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";

import { makeDirectory } from "./make-directory.ts";

test("makeDirectory() makes what is absent, and leaves what is there", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "spindle-test-"));
  try {
    for (const name of ["a/b/c", "a/b", "a/é/🦀/"]) {
      makeDirectory(path.join(folder, name));
      assert.ok(statSync(path.join(folder, name)).isDirectory(), name);
    }
    writeFileSync(path.join(folder, "file"), "");
    assert.throws(() => makeDirectory(path.join(folder, "file")), { code: "EEXIST" });
    // Windows says that there is nothing below a file.
    assert.throws(() => makeDirectory(path.join(folder, "file/x/y")), { code: /ENOTDIR|EEXIST/ });
    assert.throws(() => makeDirectory(path.join(folder, "x".repeat(5000))), { code: /ENAMETOOLONG|ENOENT/ });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("makeDirectory() gives up where the system has no room for a directory", {
  skip: process.platform !== "linux",
}, () => {
  for (const name of ["/proc/spindle", "/proc/spindle/a/b"]) {
    assert.throws(() => makeDirectory(name), { code: "ENOENT" });
  }
});
