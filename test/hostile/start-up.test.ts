// Modules that are refused before any request can reach them.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { SpindleError } from "../../src/errors/mod.ts";
import { startApplication } from "../../src/testing/mod.ts";

const directory = await mkdtemp(join(tmpdir(), "spindle-hostile-"));
after(() => rm(directory, { recursive: true }));

const tables = [
  { text: "(table 11 funcref)", because: "it has an element more" },
  { text: "(table 6 funcref) (table 5 externref)", because: "both together have" },
];
for (const { text, because } of tables) {
  test(`A module of ${text} is refused where tables may have 10 elements: ${because}`, async () => {
    const from = join(directory, "table.wat");
    await writeFile(from, `(module ${text} (func (export "_start")))`);
    await assert.rejects(
      startApplication({ from, componentLimits: { tableElementsMax: 10 } }),
      (error) => error instanceof SpindleError && error.code === "COMPONENT_TABLES_TOO_LARGE",
    );
  });
}

const memories = [
  { text: "(memory 33)", because: "it begins a page larger" },
  { text: "(memory 33 65536 shared)", because: "it begins a page larger, and is shared" },
  { text: "(memory i64 33)", because: "it begins a page larger, and has 64-bit addresses" },
  { text: "(memory 1) (memory 33)", because: "its second memory does" },
];
for (const { text, because } of memories) {
  test(`A module of ${text} is refused where a memory may have 32 pages: ${because}`, async () => {
    const from = join(directory, "memory.wat");
    await writeFile(from, `(module ${text} (func (export "_start")))`);
    await assert.rejects(
      startApplication({ from, componentLimits: { memoryBytesMax: 32 * 65536 } }),
      (error) => error instanceof SpindleError && error.code === "COMPONENT_MEMORY_TOO_LARGE",
    );
  });
}
