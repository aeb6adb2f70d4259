// What Spin 0.1 made of applications is what is made of them here: see `fixtures/README.md`.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

import { parseInvoice } from "../../registry/mod.ts";
import { mediaTypeOf } from "./media-type.ts";
import { prepareBindle } from "./prepare-bindle.ts";

const FIXTURES = path.join(import.meta.dirname, "fixtures");
const { signal } = new AbortController();

const applications = [
  { name: "http", buildInfo: "q1a2b3c" },
  { name: "redis", buildInfo: undefined },
  { name: "strings", buildInfo: undefined },
];
for (const { name, buildInfo } of applications) {
  test(`prepareBindle() makes of fixtures/${name} the invoice that Spin 0.1 made`, async () => {
    const folder = path.join(FIXTURES, name);
    const workingDirectory = mkdtempSync(path.join(os.tmpdir(), "spindle-test-"));
    const { source, isForSpin } = await prepareBindle({
      from: folder,
      workingDirectory,
      cacheDirectory: workingDirectory,
      ...(buildInfo !== undefined && { buildInfo }),
      signal,
    });
    rmSync(workingDirectory, { recursive: true });
    const file = path.join(folder, "invoice.toml");
    assert.deepEqual(source.invoice, parseInvoice(readFileSync(file), file));
    assert.ok(isForSpin);
  });
}

test("mediaTypeOf() judges the names of files as Spin 0.1 did", () => {
  const lines = readFileSync(path.join(FIXTURES, "media-types.txt"), "utf8").trim().split("\n");
  for (const [type, extensions] of lines.map((line) => line.split(": "))) {
    for (const extension of extensions?.split(" ") ?? []) {
      assert.equal(mediaTypeOf(`folder.d/name.${extension}`), type, extension);
    }
  }
});
