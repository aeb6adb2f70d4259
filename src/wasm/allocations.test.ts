// What guests take of V8's heap is counted, and ends before V8 ends the process.

import assert from "node:assert/strict";
import { test } from "node:test";
import { instantiate } from "../../test/suites/wasm-harness.ts";
import { ByteWriter } from "./byte-writer.ts";
import { MODULE_HEADER } from "./module-builder.ts";
import { GC, OP, SECTION, TYPE } from "./opcodes.ts";
import { rewrite } from "./rewrite.ts";
import { HEAP_STEP_BYTES, TABLE_ELEMENTS_MAX } from "./rewritten.ts";
import { assembleText } from "./text.ts";

const MIB = 1024 * 1024;
const ARRAY = 1;
const STRUCT = 2;

function section(id: number, contents: ByteWriter): Uint8Array {
  return new ByteWriter().u8(id).sized(contents.take()).take();
}

/**
 * Exports `run(count: i32, length: i32)`, which repeats some code; there is a type of arrays of i64, one
 * of structures of two i64, and a tag of two i64. A global is begun by `constant`.
 */
function guest(code: readonly number[], constant: readonly number[] = [0xd0, 0x6e]): Uint8Array {
  const body = new ByteWriter()
    .u8(0, OP.LOOP, TYPE.EMPTY, ...code)
    .u8(OP.LOCAL_GET, 0, OP.I32_CONST, 1, OP.I32_SUB, OP.LOCAL_TEE, 0, OP.BR_IF, 0, OP.END, OP.END);
  const types = new ByteWriter()
    .u8(4, TYPE.FUNC, 2, TYPE.I32, TYPE.I32, 0, TYPE.ARRAY, TYPE.I64, 1)
    .u8(TYPE.STRUCT, 2, TYPE.I64, 1, TYPE.I64, 1, TYPE.FUNC, 2, TYPE.I64, TYPE.I64, 0);
  return new ByteWriter()
    .append(MODULE_HEADER)
    .append(section(SECTION.TYPE, types))
    .append(section(SECTION.FUNCTION, new ByteWriter().u8(1, 0)))
    .append(section(SECTION.TAG, new ByteWriter().u8(1, 0, 3)))
    .append(section(SECTION.GLOBAL, new ByteWriter().u8(1, 0x6e, 0, ...constant, OP.END)))
    .append(section(SECTION.EXPORT, new ByteWriter().u8(1).name("run").u8(0, 0)))
    .append(section(SECTION.CODE, new ByteWriter().u8(1).sized(body.take())))
    .take();
}

const I64_PAIR = [OP.I64_CONST, 0, OP.I64_CONST, 0];
const DROP = 0x1a;

const allocating = [
  { what: "structures", bytes: 32, code: [OP.PREFIX_GC, GC.STRUCT_NEW_DEFAULT, STRUCT, DROP] },
  {
    what: "structures with values",
    bytes: 32,
    code: [...I64_PAIR, OP.PREFIX_GC, GC.STRUCT_NEW, STRUCT, DROP],
  },
  {
    what: "arrays",
    bytes: 8 * 100,
    code: [OP.LOCAL_GET, 1, OP.PREFIX_GC, GC.ARRAY_NEW_DEFAULT, ARRAY, DROP],
  },
  {
    what: "arrays with a value",
    bytes: 8 * 100,
    code: [OP.I64_CONST, 1, OP.LOCAL_GET, 1, OP.PREFIX_GC, GC.ARRAY_NEW, ARRAY, DROP],
  },
  {
    what: "arrays of a fixed length",
    bytes: 32,
    code: [...I64_PAIR, OP.PREFIX_GC, GC.ARRAY_NEW_FIXED, ARRAY, 2, DROP],
  },
  {
    what: "exceptions",
    bytes: 100,
    code: [
      ...[OP.BLOCK, TYPE.EMPTY, OP.TRY_TABLE, TYPE.EMPTY, 1, 2, 0],
      ...[...I64_PAIR, OP.THROW, 0, OP.END, OP.END],
    ],
  },
];
for (const { what, bytes, code } of allocating) {
  test(`A rewritten guest asks the host before it allocates more than it may: ${what}`, () => {
    let asked = 0;
    const harness = instantiate(guest(code), {}, { spent: () => asked++ });
    const count = HEAP_STEP_BYTES / bytes;
    harness.call("run", Math.floor(count / 8), 100);
    assert.equal(asked, 0);
    assert.throws(() => harness.call("run", Math.ceil(count), 100), /unreachable/);
    assert.equal(asked, 1);
    harness.restore();
    harness.call("run", Math.floor(count / 8), 100);
  });
}

test("A rewritten guest goes on if the host gives it more", () => {
  let asked = 0;
  const harness = instantiate(
    guest([OP.LOCAL_GET, 1, OP.PREFIX_GC, GC.ARRAY_NEW_DEFAULT, ARRAY, DROP]),
    {},
    {
      spent: () => {
        harness.allowHeap();
        asked++;
      },
    },
  );
  harness.call("run", 20, HEAP_STEP_BYTES / 80);
  assert.equal(asked, 2);
});

test("A rewritten guest that wants a larger array than there are gets V8's trap", () => {
  const harness = instantiate(guest([OP.LOCAL_GET, 1, OP.PREFIX_GC, GC.ARRAY_NEW_DEFAULT, ARRAY, DROP]));
  assert.throws(() => harness.call("run", 1, -1), /requested new array is too large/);
});

const arrayOf = (...length: readonly number[]) => [...length, OP.PREFIX_GC, GC.ARRAY_NEW_DEFAULT, ARRAY];
const constants = [
  { what: "an array of 8 MiB", constant: arrayOf(OP.I32_CONST, ...signed(MIB)) },
  {
    what: "an array of 24 MiB",
    constant: arrayOf(OP.I32_CONST, ...signed(3 * MIB)),
    error: /16777216 bytes/,
  },
  {
    what: "an array whose length is a sum",
    constant: arrayOf(OP.I32_CONST, 1, OP.I32_CONST, 1, OP.I32_ADD),
    error: /whose length is no constant/,
  },
];
for (const { what, constant, error } of constants) {
  test(`rewrite() ${error ? "refuses" : "takes"} a global that begins with ${what}`, () => {
    const bytes = guest([], constant);
    if (error) assert.throws(() => rewrite(bytes), error);
    else assert.doesNotThrow(() => rewrite(bytes));
  });
}

function signed(value: number): number[] {
  return [...new ByteWriter().signed(value).take()];
}

const GROWING = `(module
  (table $a 10 funcref) (table $b 0 externref)
  (func (export "a") (param i32) (result i32) (table.grow $a (ref.null func) (local.get 0)))
  (func (export "b") (param i32) (result i32) (table.grow $b (ref.null extern) (local.get 0)))
  (func (export "size") (result i32) (i32.add (table.size $a) (table.size $b))))`;

test("The tables of a rewritten guest have 1,000,000 elements together", async () => {
  const bytes = await assembleText(GROWING);
  let asked = 0;
  const harness = instantiate(
    bytes,
    {},
    {
      spent: () => {
        harness.allowHeap();
        asked++;
      },
    },
  );
  assert.equal(harness.call("a", TABLE_ELEMENTS_MAX), -1);
  assert.equal(harness.call("a", -1), -1);
  assert.equal(harness.call("a", 500_000), 10);
  assert.equal(harness.call("b", 499_991), -1);
  assert.equal(harness.call("b", 499_990), 0);
  assert.equal(harness.call("b", 1), -1);
  assert.equal(harness.call("a", 0), 500_010);
  assert.equal(harness.call("size"), TABLE_ELEMENTS_MAX);
  assert.ok(asked > 0, "they count as memory of the host");
});

test("rewrite() refuses tables that begin with more than 1,000,000 elements together", async () => {
  rewrite(await assembleText("(module (table 600000 funcref) (table 400000 funcref))"));
  const bytes = await assembleText("(module (table 600000 funcref) (table 400001 funcref))");
  assert.throws(() => rewrite(bytes), /tables of more than 1000000 elements/);
});
