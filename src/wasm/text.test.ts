import assert from "node:assert/strict";
import { test } from "node:test";
import { functionNames } from "./function-names.ts";
import { MalformedTextError } from "./malformed-text-error.ts";
import { assembleText } from "./text.ts";

test("assembleText() gives a module that runs, with names for backtraces", async () => {
  const bytes = await assembleText('(module (func $answer (export "answer") (result i32) (i32.const 42)))');
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  assert.ok(typeof exports.answer === "function");
  assert.equal(exports.answer(), 42);
  assert.deepEqual([...functionNames(bytes)], [[0, "answer"]]);
});

const features = [
  { feature: "SIMD", text: "(func (drop (v128.const i32x4 1 2 3 4)))" },
  { feature: "threads", text: "(memory 1 1 shared) (func (i32.atomic.store (i32.const 0) (i32.const 1)))" },
  { feature: "exceptions", text: "(tag $e) (func (try (do (throw $e)) (catch_all)))" },
  { feature: "tail calls", text: "(func $f (return_call $f))" },
  { feature: "memory64 and several memories", text: "(memory i64 1) (memory 1)" },
  { feature: "extended constants", text: "(global i32 (i32.add (i32.const 1) (i32.const 2)))" },
  {
    feature: "bulk memory and references",
    text: "(table 1 externref) (func (table.set (i32.const 0) (ref.null extern)))",
  },
];
for (const { feature, text } of features) {
  test(`assembleText() knows ${feature}`, async () => {
    assert.ok(WebAssembly.validate(await assembleText(`(module ${text})`)));
  });
}

const mistakes = [
  { what: "an unknown instruction", text: "(module\n  (func (i32.foo)))", line: 2, column: 10 },
  { what: "an unknown name", text: "(module (func\n(call $nobody)))", line: 2, column: 7 },
  { what: "a wrong type", text: "(module (func (result i32)\n  (i64.const 1)))", line: 2, column: 4 },
  {
    what: "a mistake behind text that is not ASCII",
    text: '(module (func (export "é🦀") (x)))',
    line: 1,
    column: 31,
  },
  { what: "nothing at all that is a module", text: "é🦀", line: 1, column: 1 },
];
for (const { what, text, line, column } of mistakes) {
  test(`assembleText() says line and column of ${what}`, async () => {
    await assert.rejects(assembleText(text), (error) => {
      assert.ok(error instanceof MalformedTextError);
      assert.deepEqual([error.line, error.column], [line, column]);
      return true;
    });
  });
}

test("assembleText() takes an empty text for a module without anything in it, as the text format has it", async () => {
  const bytes = await assembleText("");
  assert.deepEqual(WebAssembly.Module.exports(new WebAssembly.Module(bytes)), []);
});
