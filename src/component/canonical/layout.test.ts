import assert from "node:assert/strict";
import { test } from "node:test";
import type { ValueType } from "../types.ts";
import { describeType } from "../wit/describe.ts";
import { CanonicalError } from "./canonical-error.ts";
import { camelCase, LayoutTable } from "./layout.ts";

const u8: ValueType = { kind: "u8" };
const u32: ValueType = { kind: "u32" };
const u64: ValueType = { kind: "u64" };
const f32: ValueType = { kind: "f32" };
const f64: ValueType = { kind: "f64" };
const string: ValueType = { kind: "string" };

function tuple(...elements: readonly ValueType[]): ValueType {
  return { kind: "tuple", elements };
}
function variant(...types: readonly (ValueType | undefined)[]): ValueType {
  return {
    kind: "variant",
    cases: types.map((type, index) => ({ name: `case-${index}`, ...(type && { type }) })),
  };
}
function named(kind: "enum" | "flags", count: number): ValueType {
  return { kind, names: Array.from({ length: count }, (_, index) => `n${index}`) };
}

const layouts: readonly {
  readonly type: ValueType;
  readonly size: number;
  readonly alignment: number;
  readonly flat: string | undefined;
}[] = [
  { type: { kind: "bool" }, size: 1, alignment: 1, flat: "i32" },
  { type: u64, size: 8, alignment: 8, flat: "i64" },
  { type: { kind: "char" }, size: 4, alignment: 4, flat: "i32" },
  { type: string, size: 8, alignment: 4, flat: "i32 i32" },
  { type: tuple(u8, u64, u8), size: 24, alignment: 8, flat: "i32 i64 i32" },
  { type: tuple(u8, tuple(u8, { kind: "u16" }), u8), size: 8, alignment: 2, flat: "i32 i32 i32 i32" },
  { type: { kind: "list", element: u64 }, size: 8, alignment: 4, flat: "i32 i32" },
  { type: { kind: "list", element: u64, length: 3 }, size: 24, alignment: 8, flat: "i64 i64 i64" },
  { type: { kind: "list", element: u8, length: 17 }, size: 17, alignment: 1, flat: undefined },
  { type: { kind: "option", payload: u8 }, size: 2, alignment: 1, flat: "i32 i32" },
  { type: { kind: "option", payload: u64 }, size: 16, alignment: 8, flat: "i32 i64" },
  { type: { kind: "result" }, size: 1, alignment: 1, flat: "i32" },
  { type: { kind: "result", ok: f32, error: u32 }, size: 8, alignment: 4, flat: "i32 i32" },
  { type: { kind: "result", ok: f32, error: f64 }, size: 16, alignment: 8, flat: "i32 i64" },
  { type: { kind: "result", ok: f32, error: f32 }, size: 8, alignment: 4, flat: "i32 f32" },
  { type: variant(u64, string, undefined), size: 16, alignment: 8, flat: "i32 i64 i32" },
  { type: variant(tuple(f32, f64), tuple(u32, u32, u8)), size: 24, alignment: 8, flat: "i32 i32 i64 i32" },
  { type: named("enum", 256), size: 1, alignment: 1, flat: "i32" },
  { type: named("enum", 257), size: 2, alignment: 2, flat: "i32" },
  { type: named("enum", 65537), size: 4, alignment: 4, flat: "i32" },
  { type: named("flags", 8), size: 1, alignment: 1, flat: "i32" },
  { type: named("flags", 9), size: 2, alignment: 2, flat: "i32" },
  { type: named("flags", 17), size: 4, alignment: 4, flat: "i32" },
  { type: named("flags", 32), size: 4, alignment: 4, flat: "i32" },
];

for (const { type, size, alignment, flat } of layouts) {
  test(`LayoutTable lays out ${describeType(type)} in ${size} bytes, and as ${flat ?? "memory"}`, () => {
    const layout = new LayoutTable().of(type);
    assert.deepEqual([layout.size, layout.alignment, layout.flat?.join(" ")], [size, alignment, flat]);
  });
}

const refused = [
  { type: named("flags", 33), reason: /33 flags are more than 32/ },
  { type: named("flags", 0), reason: /a flags has no members/ },
  { type: tuple(), reason: /a tuple has no members/ },
  { type: { kind: "list", element: u64, length: 2 ** 25 }, reason: /larger than any value/ },
  { type: { kind: "list", element: u64, length: 0 }, reason: /no elements/ },
  { type: nested(101), reason: /deeper than 100/ },
  { type: nested(100_000), reason: /deeper than 100/ },
] satisfies readonly { readonly type: ValueType; readonly reason: RegExp }[];

function nested(depth: number): ValueType {
  let type: ValueType = u8;
  for (let index = 0; index < depth; index++) type = { kind: "list", element: type };
  return type;
}

for (const { type, reason } of refused) {
  test(`LayoutTable refuses what would be ${String(reason)}`, () => {
    assert.throws(
      () => new LayoutTable().of(type),
      (error) => error instanceof CanonicalError && reason.test(error.message),
    );
  });
}

test("LayoutTable has one layout for equal types, and one for each resource", () => {
  const table = new LayoutTable();
  const a = { kind: "imported", interface: "a:b/c", name: "r" } as const;
  const b = { kind: "imported", interface: "a:b/c", name: "r" } as const;
  assert.equal(table.of(tuple(u8, string)), table.of(tuple({ kind: "u8" }, { kind: "string" })));
  assert.equal(table.of({ kind: "own", resource: a }), table.of({ kind: "own", resource: a }));
  assert.notEqual(table.of({ kind: "own", resource: a }), table.of({ kind: "own", resource: b }));
  assert.notEqual(table.of({ kind: "own", resource: a }), table.of({ kind: "borrow", resource: a }));
});

test("LayoutTable takes a type whose parts are shared to a tree of 2^60 leaves", () => {
  let type: ValueType = u8;
  for (let depth = 0; depth < 60; depth++) type = variant(type, type);
  assert.equal(new LayoutTable().of(type).size, 61);
});

test("camelCase() names a property by the words of a name", () => {
  const names = ["content-type", "a", "HTTP-version", "x-86-64"].map(camelCase);
  assert.deepEqual(names, ["contentType", "a", "httpVersion", "x8664"]);
});
