// Modules of the Spin ABI that ask for variables by `spin-config`, in both generations.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startApplication } from "../../src/testing/mod.ts";

/** Answers with the variable that the path names: 200 and its value, or 400 and the number of the error, and its text. */
function guest(stride: 4 | 8): string {
  const at = (base: number, index: number) => `(i32.const ${base + index * stride})`;
  const copy = (to: number, from: number) => `(i32.store ${at(128, to)} (i32.load ${at(64, from)}))`;
  return `(module
    (import "spin-config" "get-config" (func $get (param i32 i32 i32)))
    (memory (export "memory") 1)
    (global $free (mut i32) (i32.const 4096))
    (func (export "canonical_abi_realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $free)
      (global.set $free (i32.add (global.get $free) (i32.and (i32.add (local.get 3) (i32.const 7)) (i32.const -8)))))
    (func (export "handle-http-request")
      (param $method i32) (param $uri i32) (param $length i32) (param i32 i32 i32 i32 i32 i32 i32) (result i32)
      (call $get (i32.add (local.get $uri) (i32.const 1)) (i32.sub (local.get $length) (i32.const 1)) (i32.const 64))
      (i32.store ${at(128, 4)} (i32.const 1))
      (if (i32.load8_u (i32.const 64))
        (then
          (i32.store (i32.const 128) (i32.add (i32.const 400) (i32.load8_u ${at(64, 1)})))
          ${copy(5, 2)} ${copy(6, 3)})
        (else (i32.store (i32.const 128) (i32.const 200)) ${copy(5, 1)} ${copy(6, 2)}))
      (i32.const 128)))`;
}

const GENERATIONS = [
  { version: "0.2", stride: 8 },
  { version: "0.5", stride: 4 },
] as const;
for (const { version, stride } of GENERATIONS) {
  test(`A guest of Spin ${version} asks for its variables by spin-config, and is told what is wrong`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "spindle-config-"));
    try {
      writeFileSync(join(folder, "api.wat"), guest(stride));
      writeFileSync(
        join(folder, "spin.toml"),
        `spin_manifest_version = 2
application = { name = "config" }
[variables]
greeting = { default = "héllo 🦀" }
[[trigger.http]]
route = "/..."
component = "api"
[component.api]
source = "api.wat"
variables = { text = "{{ greeting }}!", empty = "" }
[component.api.tool.spindle]
spin_abi = "${version}"
`,
      );
      await using app = await startApplication({ from: folder });
      const get = async (name: string) => {
        const response = await app.fetch(`/${name}`);
        return { status: response.status, text: await response.text() };
      };
      assert.deepEqual(await get("text"), { status: 200, text: "héllo 🦀!" });
      assert.deepEqual(await get("empty"), { status: 200, text: "" });
      const unknown = await get("greeting");
      assert.equal(
        unknown.status,
        400,
        "a variable of the application that the component was not given: provider",
      );
      assert.match(unknown.text, /greeting/);
      assert.equal((await get("Not-A-Name")).status, 401, "invalid-key");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
