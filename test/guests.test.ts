// The list of guests and the files of the guests agree; those that need no compiler are rebuilt.

import assert from "node:assert/strict";
import { glob, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { build, readGuests } from "../guests/build.ts";
import { wat2wasm } from "../guests/tools.ts";
import { planComponent } from "../src/component/mod.ts";
import { isComponent, rewrite } from "../src/wasm/mod.ts";

const GUESTS = join(import.meta.dirname, "../guests");

test("guests.json lists every WebAssembly file below guests/, and no other", async () => {
  const files = await Array.fromAsync(glob("*/*.wasm", { cwd: GUESTS }));
  const listed = (await readGuests())
    .map(({ output }) => output)
    .filter((output) => !output.startsWith("../"));
  assert.deepEqual(listed.toSorted(), files.toSorted());
});

const FRESH = ["wat/elem-drop.wasm", "wat/table-set.wasm"];
test(`every guest can be recycled but ${FRESH.join(" and ")}, which change their tables`, async () => {
  const fresh: string[] = [];
  for (const { output } of await readGuests()) {
    for (const module of await modulesOf(output)) {
      if (rewrite(module).verdict.kind === "fresh") fresh.push(output);
    }
  }
  assert.deepEqual(fresh.toSorted(), FRESH);
});

test("every guest compiles", async () => {
  for (const { output } of await readGuests()) {
    for (const module of await modulesOf(output)) assert.ok(await WebAssembly.compile(module), output);
  }
});

/** The core modules of a guest. */
async function modulesOf(output: string): Promise<readonly Buffer<ArrayBuffer>[]> {
  const bytes = await readFile(join(GUESTS, output));
  return isComponent(bytes) ? planComponent(bytes).modules.map((module) => Buffer.from(module)) : [bytes];
}

test("every guest in WAT is what its source makes, byte for byte", async () => {
  const folder = await mkdtemp(join(tmpdir(), "spindle-test-"));
  try {
    for (const guest of await readGuests()) {
      if (guest.command[0] !== "wat2wasm") continue;
      const rebuilt = join(folder, "rebuilt.wasm");
      await build(guest, wat2wasm, rebuilt);
      assert.deepEqual(await readFile(rebuilt), await readFile(join(GUESTS, guest.output)), guest.output);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
