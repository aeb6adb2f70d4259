import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { WholeFiles } from "./whole-files.ts";

const CONTENTS = [
  { what: "an empty file", bytes: Buffer.alloc(0) },
  { what: "a file of 3 MB", bytes: Buffer.alloc(3_000_001, "spindle") },
];
for (const { what, bytes } of CONTENTS) {
  test(`WholeFiles.read() gives ${what} and its digest`, async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "file");
    writeFileSync(path, bytes);
    const file = await new WholeFiles().read(path);
    assert.equal(Buffer.compare(file.bytes, bytes), 0);
    assert.equal(file.digest, createHash("sha256").update(bytes).digest("hex"));
  });
}

test("WholeFiles.read() gives what a file held when it was first read, until that is forgotten", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "file");
  writeFileSync(path, "one");
  const files = new WholeFiles();
  const first = await files.read(path);
  writeFileSync(path, "two");
  assert.equal(await files.read(path), first);
  files.forget();
  assert.equal((await files.read(path)).bytes.toString(), "two");
});

test("WholeFiles.read() of a file that was missing reads it again", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "file");
  const files = new WholeFiles();
  await assert.rejects(files.read(path), { code: "ENOENT" });
  writeFileSync(path, "there");
  assert.equal((await files.read(path)).bytes.toString(), "there");
});

function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "spindle-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}
