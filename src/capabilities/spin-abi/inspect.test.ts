import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { assembleText } from "../../wasm/mod.ts";
import { inspectGeneration } from "./inspect.ts";

/** A module that calls the import, with what it does behind each call. */
async function moduleWith(...after: readonly string[]): Promise<Buffer> {
  const calls = after.map((code) => `(func (call $request ${"(i32.const 0)".repeat(11)}) ${code})`);
  const params = "i32 ".repeat(11);
  const text = `(module (import "wasi-outbound-http" "request" (func $request (param ${params})))
    (memory 1) ${calls.join("\n")})`;
  return Buffer.from(await assembleText(text));
}

const READ_BYTE = "(drop (i32.load8_u (i32.const 64)))";
const READ_WORD = "(drop (i32.load (i32.const 64)))";

const CODES = [
  { name: "reads a byte", after: [READ_BYTE], expected: "B" },
  { name: "reads a word", after: [READ_WORD], expected: "A" },
  { name: "reloads a pointer and reads a byte", after: [READ_WORD + READ_BYTE], expected: "B" },
  {
    name: "reads nothing before it branches",
    after: [`(if (i32.const 1) (then ${READ_BYTE}))`],
    expected: undefined,
  },
  { name: "reads nothing before it calls", after: [`(call 1) ${READ_BYTE}`], expected: undefined },
  { name: "reads a byte in both of its calls", after: [READ_BYTE, READ_BYTE], expected: "B" },
  { name: "reads one way and another", after: [READ_BYTE, READ_WORD], expected: undefined },
  { name: "reads too far behind the call", after: ["(nop)".repeat(64) + READ_BYTE], expected: undefined },
  { name: "never calls", after: [], expected: undefined },
];
for (const { name, after, expected } of CODES) {
  test(`inspectGeneration() takes a module that ${name} for ${expected}`, async () => {
    assert.equal(inspectGeneration(await moduleWith(...after)), expected);
  });
}

for (const { guest, expected } of [
  { guest: "c/outbound", expected: "B" },
  { guest: "c/outbound-a", expected: "A" },
  { guest: "c/spin-a", expected: undefined },
]) {
  test(`inspectGeneration() takes ${guest} for ${expected}`, async () => {
    const file = join(import.meta.dirname, `../../../guests/${guest}.wasm`);
    assert.equal(inspectGeneration(await readFile(file)), expected);
  });
}

test("inspectGeneration() leaves a malformed module to whoever compiles it", async () => {
  const module = await moduleWith(READ_BYTE);
  assert.equal(inspectGeneration(module.subarray(0, module.length - 3)), undefined);
});
