import assert from "node:assert/strict";
import { test } from "node:test";
import { rewrite } from "./rewrite.ts";
import { assembleText } from "./text.ts";

const recyclable = [
  {
    what: "a module that only stores to memory",
    text: '(memory 1) (func (export "f") (i32.store (i32.const 0) (i32.const 1)))',
  },
  {
    what: "a table that is only called through",
    text: '(table funcref (elem $f)) (func $f) (func (export "g") (call_indirect (i32.const 0)))',
  },
  {
    what: "a table that is only read",
    text: '(table 1 externref) (func (export "f") (result externref) (table.get (i32.const 0)))',
  },
  {
    what: "a table write that nothing calls",
    text: "(table 1 funcref) (func $nobody (table.set (i32.const 0) (ref.null func)))",
  },
  {
    what: "a table write in a circle that nothing outside calls",
    text: "(table 1 funcref) (func $a (call $b)) (func $b (call $a) (table.set (i32.const 0) (ref.null func)))",
  },
  {
    what: "mutable globals and dropped data",
    text: '(global (mut i32) (i32.const 0)) (memory 1) (data "x") (func (export "f") (data.drop 0))',
  },
  { what: "legacy exceptions", text: '(tag $e) (func (export "f") (try (do (throw $e)) (catch_all)))' },
];
for (const { what, text } of recyclable) {
  test(`rewrite() calls recyclable: ${what}`, async () => {
    assert.deepEqual(rewrite(await assembleText(`(module ${text})`)).verdict, { kind: "recyclable" });
  });
}

const TABLE_SET = "(table.set (i32.const 0) (ref.null func))";
const fresh = [
  { what: "an export", text: `(func $f (export "f") ${TABLE_SET})`, reason: "`table.set` in function 0 `f`" },
  {
    what: "a function called by an export",
    text: `(func (export "f") (call $w)) (func $w ${TABLE_SET})`,
    reason: "`table.set` in function 1 `w`",
  },
  {
    what: "a function called last by an export",
    text: `(func (export "f") (return_call $w)) (func $w ${TABLE_SET})`,
    reason: "`table.set` in function 1 `w`",
  },
  {
    what: "the start function",
    text: `(func $w ${TABLE_SET}) (start $w)`,
    reason: "`table.set` in function 0 `w`",
  },
  {
    what: "a function in an element segment",
    text: `(func $w ${TABLE_SET}) (elem (i32.const 0) $w)`,
    reason: "`table.set` in function 0 `w`",
  },
  {
    what: "a function in a passive element segment",
    text: `(func $w ${TABLE_SET}) (elem funcref (ref.func $w))`,
    reason: "`table.set` in function 0 `w`",
  },
  {
    what: "a function that reachable code takes a reference of",
    text: `(func (export "f") (drop (ref.func $w))) (func $w ${TABLE_SET}) (elem declare func $w)`,
    reason: "`table.set` in function 1 `w`",
  },
  {
    what: "a function in a global",
    text: `(func $w ${TABLE_SET}) (global funcref (ref.func $w))`,
    reason: "`table.set` in function 0 `w`",
  },
  {
    what: "table.grow",
    text: '(func $f (export "f") (drop (table.grow (ref.null func) (i32.const 1))))',
    reason: "`table.grow` in function 0 `f`",
  },
  {
    what: "table.fill",
    text: '(func $f (export "f") (table.fill (i32.const 0) (ref.null func) (i32.const 1)))',
    reason: "`table.fill` in function 0 `f`",
  },
  {
    what: "table.copy",
    text: '(func $f (export "f") (table.copy (i32.const 0) (i32.const 0) (i32.const 1)))',
    reason: "`table.copy` in function 0 `f`",
  },
  {
    what: "table.init",
    text: '(elem $e funcref) (func $f (export "f") (table.init $e (i32.const 0) (i32.const 0) (i32.const 0)))',
    reason: "`table.init` in function 0 `f`",
  },
  {
    what: "elem.drop",
    text: '(elem $e funcref) (func $f (export "f") (elem.drop $e))',
    reason: "`elem.drop` in function 0 `f`",
  },
];
for (const { what, text, reason } of fresh) {
  test(`rewrite() wants fresh instances, and says why, for a table write by ${what}`, async () => {
    const { verdict } = rewrite(await assembleText(`(module (table 1 funcref) ${text})`));
    assert.deepEqual(verdict, { kind: "fresh", reasons: [reason] });
  });
}

test("rewrite() gives at most eight reasons", async () => {
  const functions = Array.from({ length: 20 }, (_, index) => `(func (export "f${index}") ${TABLE_SET})`);
  const { verdict } = rewrite(await assembleText(`(module (table 1 funcref) ${functions.join("\n")})`));
  assert.equal(verdict.kind === "fresh" && verdict.reasons.length, 8);
});

// The assembler does not know objects; the text is in the comment.

test("rewrite() wants fresh instances if a global keeps an array that is written", () => {
  // (module (type $a (array (mut i32))) (global $g (ref $a) (array.new $a (i32.const 0) (i32.const 4)))
  //   (func (export "set") (param i32) (array.set $a (global.get $g) (i32.const 0) (local.get 0))))
  const bytes = Buffer.from(
    "AGFzbQEAAAABCAJefwFgAX8AAwIBAQYMAWQAAEEAQQT7BgALBwcBA3NldAAACg0BCwAjAEEAIAD7DgAL",
    "base64",
  );
  assert.deepEqual(rewrite(bytes).verdict, { kind: "fresh", reasons: ["`array.set` in function 0"] });
});

test("rewrite() calls recyclable: objects that are written, where nothing can keep one", () => {
  // (module (type $s (struct (field (mut i32)))) (global $f (mut funcref) (ref.null func))
  //   (func (export "run") (param i32) (result i32) (local $s (ref null $s))
  //     (local.set $s (struct.new_default $s)) (struct.set $s 0 (local.get $s) (local.get 0))
  //     (struct.get $s 0 (local.get $s))))
  const bytes = Buffer.from(
    "AGFzbQEAAAABCgJfAX8BYAF/AX8DAgEBBgYBcAHQcAsHBwEDcnVuAAAKGgEYAQFjAPsBACEBIAEgAPsFAAAgAfsCAAAL",
    "base64",
  );
  assert.deepEqual(rewrite(bytes).verdict, { kind: "recyclable" });
});

test("rewrite() calls recyclable: objects that a table could keep, written by nobody", () => {
  // (module (rec (type $x (sub (struct (field (mut (ref null $y))))))
  //   (type $y (sub $x (struct (field (mut (ref null $y))) (field i64)))))
  //   (table 2 (ref null $x)) (func $nobody (param (ref $y)) (struct.set $y 0 (local.get 0) (ref.null $y)))
  //   (func (export "run") (result i32) (ref.test (ref $y) (struct.new_default $x))))
  const bytes = Buffer.from(
    "AGFzbQEAAAABHQNOAlAAXwFjAQFQAQBfAmMBAX4AYAFkAQBgAAF/AwMCAgMEBQFjAAACBwcBA3J1bgABChUCCgAgANAB+wUBAAsIAPsBAPsUAQs=",
    "base64",
  );
  assert.deepEqual(rewrite(bytes).verdict, { kind: "recyclable" });
});
