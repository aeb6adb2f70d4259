import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteReader } from "./byte-reader.ts";
import { readLayout } from "./layout.ts";
import { OP } from "./opcodes.ts";
import { rewrite } from "./rewrite.ts";
import { assembleText } from "./text.ts";

/** Checks are branches of these kinds. */
const UNLIKELY: ReadonlySet<number> = new Set([OP.IF, OP.BR_IF]);

test("Every epoch check, and nothing else, is hinted to be unlikely", async () => {
  const bytes = await assembleText(`(module (import "m" "f" (func $f)) (memory 1)
    (func $leaf (param i32) (if (local.get 0) (then (i32.store (i32.const 0) (i32.const 1)))))
    (func (param i32) (local i64) (loop (br_if 0 (local.get 0)) (loop (call $f))) (if (local.get 0) (then (nop))))
    (func (call $leaf (i32.const 0)))
    (func (param i32) (loop (br_if 0 (local.get 0)) (br_if 1 (local.get 0)) (br 0))))`);
  const layout = readLayout(rewrite(bytes).bytes);
  const section = layout.customSections.find(({ name }) => name === "metadata.code.branch_hint");
  assert.ok(section);
  const reader = new ByteReader(section.contents, { start: 0, end: section.contents.length });
  const hinted: number[][] = [];
  for (let functions = reader.u32(); functions > 0; functions--) {
    const index = reader.u32();
    const body = layout.bodies[index - layout.importedFunctions];
    assert.ok(body);
    for (let hints = reader.u32(); hints > 0; hints--) {
      const offset = reader.u32();
      assert.ok(UNLIKELY.has(layout.bytes[body.start + offset] ?? 0));
      assert.deepEqual([reader.u8(), reader.u8()], [1, 0]);
      hinted.push([index, offset]);
    }
  }
  assert.ok(reader.done);
  assert.deepEqual(
    hinted.map(([index]) => index),
    [2, 2, 2, 3, 4, 4, 4],
    "entry and two loops, an entry, and a loop with two branches back",
  );
});

test("No hints are written where nothing is checked", async () => {
  const bytes = await assembleText('(module (func (export "f") (loop)))');
  const { customSections } = readLayout(rewrite(bytes, { epoch: false }).bytes);
  assert.ok(!customSections.some(({ name }) => name.startsWith("metadata")));
});
