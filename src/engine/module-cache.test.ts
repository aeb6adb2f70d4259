import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { assembleText, rewrite } from "../wasm/mod.ts";
import { ModuleCache } from "./module-cache.ts";

const directory = await mkdtemp(join(tmpdir(), "spindle-test-"));
after(() => rm(directory, { recursive: true }));

const MODULE = rewrite(
  await assembleText(`(module (memory (export "memory") 1) (data (i32.const 0) "é🦀")
    (func $f (export "f") (i32.store (i32.const 0) (i32.const 1))))`),
);

test("ModuleCache gives back the module that it was given", async () => {
  await new ModuleCache(directory).put("whole", MODULE);
  const found = await new ModuleCache(directory).get("whole");
  assert.deepEqual(Buffer.from(found?.bytes ?? []), Buffer.from(MODULE.bytes));
  assert.deepEqual(found?.hooks, MODULE.hooks);
  assert.deepEqual(found?.original.exports, MODULE.original.exports);
  assert.equal(await new ModuleCache(directory).get("unknown"), undefined);
});

test("ModuleCache gives nothing where any one byte of a file has changed, or the end is missing", async () => {
  const cache = new ModuleCache(directory);
  await cache.put("damaged", MODULE);
  const [version = ""] = await readdir(join(directory, "modules"));
  const path = join(directory, "modules", version, "damaged");
  const whole = await readFile(path);
  for (let at = 0; at < whole.length; at += 7) {
    const damaged = Buffer.from(whole);
    damaged.writeUInt8(damaged.readUInt8(at) ^ 0x40, at);
    await writeFile(path, damaged);
    assert.equal(await cache.get("damaged"), undefined, `byte ${at}`);
  }
  for (const length of [0, 1, 35, whole.length - 1]) {
    await writeFile(path, whole.subarray(0, length));
    assert.equal(await cache.get("damaged"), undefined, `${length} bytes`);
  }
});

test("ModuleCache keeps nothing, and says nothing, where it cannot write", async () => {
  const file = join(directory, "a-file");
  await writeFile(file, "");
  const cache = new ModuleCache(file);
  await cache.put("x", MODULE);
  assert.equal(await cache.get("x"), undefined);
});
