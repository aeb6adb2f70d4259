// Guests that export what they import, so that the host calls itself: as allocator and as handler.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { startApplication } from "../../src/testing/mod.ts";

const directory = await mkdtemp(join(tmpdir(), "spindle-hostile-"));
after(() => rm(directory, { recursive: true }));

const PARAMETERS = `(param ${"i32 ".repeat(10)})`;
const HONEST_HANDLER = `(func (export "handle-http-request") ${PARAMETERS} (result i32)
  (i32.store16 (i32.const 64) (i32.const 204)) (i32.const 64))`;
const HONEST_ALLOCATOR = `(func (export "canonical_abi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))`;

const allocators = ["fd_read", "fd_write", "poll_oneoff", "fd_filestat_set_times"];
const TYPES: Readonly<Record<string, string>> = {
  fd_filestat_set_times: "(param i32 i64 i64 i32)",
};
for (const name of allocators) {
  const type = TYPES[name] ?? "(param i32 i32 i32 i32)";
  test(`A guest whose allocator is ${name} of its host fails alone, or is refused`, async () => {
    const text = `(module
      (import "wasi_snapshot_preview1" "${name}" (func $borrowed ${type} (result i32)))
      (memory (export "memory") 1)
      (export "canonical_abi_realloc" (func $borrowed))
      ${HONEST_HANDLER})`;
    await checkAnswers(text);
  });
}

test("A guest whose handler is a request of its host fails alone", async () => {
  const text = `(module
    (import "wasi_experimental_http" "req" (func $borrowed ${PARAMETERS} (result i32)))
    (memory (export "memory") 1)
    ${HONEST_ALLOCATOR}
    (export "handle-http-request" (func $borrowed)))`;
  await checkAnswers(text);
});

test("A guest whose allocator is a request of its host, sent while the host lowers, fails alone", async () => {
  const text = `(module
    (import "wasi_experimental_http" "req" (func $req ${PARAMETERS} (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 16) "http://127.0.0.1:1/GET")
    (func (export "canonical_abi_realloc") (param i32 i32 i32 i32) (result i32)
      (drop (call $req (i32.const 16) (i32.const 19) (i32.const 35) (i32.const 3) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const 64) (i32.const 72)))
      (i32.const 1024))
    ${HONEST_HANDLER})`;
  await checkAnswers(text);
});

/** Whatever it answers, it does so again, and nothing stays in use. */
async function checkAnswers(text: string): Promise<void> {
  const from = join(directory, "guest.wat");
  await writeFile(from, text);
  let app: Awaited<ReturnType<typeof startApplication>>;
  try {
    app = await startApplication({ from, limits: { requestTimeMs: 2000 } });
  } catch (error) {
    assert.ok(error instanceof Error && "code" in error && error.code === "COMPONENT_HANDLER_MISSING");
    return;
  }
  await using _ = app;
  const [id = ""] = app.served.context.componentIds;
  for (let left = 3; left > 0; left--) {
    const { status } = await app.fetch("/");
    assert.ok([204, 500].includes(status), `${status}`);
    const { live, free } = app.served.context.slots(id);
    assert.equal(live, free);
  }
  for (const { message } of app.log) assert.doesNotMatch(message, /TypeError|RangeError|\.ts:/);
}
