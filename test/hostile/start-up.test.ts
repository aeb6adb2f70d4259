// Modules that are refused before any request can reach them.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { SpindleError } from "../../src/errors/mod.ts";
import { startApplication } from "../../src/testing/mod.ts";
import { ByteWriter } from "../../src/wasm/mod.ts";

/** Of components. */
const [COMPONENT_SECTION, EXPORT_SECTION] = [4, 11];

const directory = await mkdtemp(join(tmpdir(), "spindle-hostile-"));
after(() => rm(directory, { recursive: true }));

const world = await readFile(join(import.meta.dirname, "../../guests/wasi/world.wasm"));

/** A component in a component in a component. */
function tower(storeys: number): Uint8Array {
  const header = world.subarray(0, 8);
  let bytes: Uint8Array = header;
  for (let left = storeys; left > 0; left--) {
    const nested = new ByteWriter().u8(...header, COMPONENT_SECTION);
    bytes = nested.sized(bytes).take();
  }
  return bytes;
}

const components: readonly { readonly what: string; readonly bytes: Uint8Array; readonly code: string }[] = [
  ...[9, 12, 100, 1000, world.length >> 1, world.length - 1].map((length) => ({
    what: `cut off after ${length} bytes`,
    bytes: world.subarray(0, length),
    code: "MODULE_INVALID",
  })),
  { what: "nested 2,000 deep", bytes: tower(2_000), code: "MODULE_INVALID" },
  { what: "without anything in it", bytes: tower(0), code: "COMPONENT_HANDLER_MISSING" },
  { what: "that exports a function that is not there", bytes: exporting(7), code: "MODULE_INVALID" },
];
for (const { what, bytes, code } of components) {
  test(`A component ${what} is refused with ${code}`, async () => {
    const from = join(directory, "component.wasm");
    await writeFile(from, bytes);
    await assert.rejects(
      startApplication({ from }),
      (error) => error instanceof SpindleError && error.code === code,
    );
  });
}

/** Exports a function by its index, of which there are none. */
function exporting(index: number): Uint8Array {
  const exported = new ByteWriter().u8(1, 0).name("run").u8(1).u32(index).u8(0);
  return new ByteWriter()
    .u8(...world.subarray(0, 8), EXPORT_SECTION)
    .sized(exported.take())
    .take();
}

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
