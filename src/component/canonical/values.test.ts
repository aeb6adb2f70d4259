// Values across the boundary, there and back: by way of core values, and by way of memory.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { StringEncoding } from "../plan.ts";
import type { CoreValue } from "../slot-access.ts";
import type { ValueType } from "../types.ts";
import { describeType } from "../wit/describe.ts";
import { LIFTED_BYTES_MAX } from "./canonical-context.ts";
import { CanonicalError } from "./canonical-error.ts";
import { MEMORY, REALLOC, TestSlot } from "./test-slot.ts";

const u8: ValueType = { kind: "u8" };
const u32: ValueType = { kind: "u32" };
const u64: ValueType = { kind: "u64" };
const f32: ValueType = { kind: "f32" };
const f64: ValueType = { kind: "f64" };
const string: ValueType = { kind: "string" };
const char: ValueType = { kind: "char" };
const strings: ValueType = { kind: "list", element: string };
const bytes: ValueType = { kind: "list", element: u8 };
const optional: ValueType = { kind: "option", payload: u32 };
const pair: ValueType = { kind: "tuple", elements: [string, u64] };
const flags: ValueType = { kind: "flags", names: ["read", "write-all", "x"] };
const color: ValueType = { kind: "enum", names: ["red", "dark-green"] };
const shape: ValueType = {
  kind: "variant",
  cases: [
    { name: "none" },
    { name: "small", type: u8 },
    { name: "real", type: f32 },
    { name: "double", type: f64 },
    { name: "wide", type: u64 },
    { name: "signed", type: { kind: "s32" } },
    { name: "named", type: pair },
  ],
};
const person: ValueType = {
  kind: "record",
  fields: [
    { name: "first-name", type: string },
    { name: "age", type: u8 },
    { name: "tags", type: strings },
    { name: "shape", type: shape },
  ],
};

const values: readonly (readonly [ValueType, ...unknown[]])[] = [
  [{ kind: "bool" }, true, false],
  [{ kind: "s8" }, -128, 127],
  [u8, 0, 255],
  [{ kind: "s16" }, -32768, 32767],
  [{ kind: "u16" }, 65535],
  [{ kind: "s32" }, -(2 ** 31), 2 ** 31 - 1],
  [u32, 2 ** 32 - 1],
  [{ kind: "s64" }, -(2n ** 63n), 2n ** 63n - 1n],
  [u64, 2n ** 64n - 1n],
  [f32, 1.5, -0, Number.NaN, Number.NEGATIVE_INFINITY],
  [f64, Math.PI, -0, Number.NaN],
  [char, "a", "é", "🦀", "\ud7ff", "\ue000"],
  [string, "", "plain", "longer than a short text is", "é", "🦀 and more", "\ufffd was meant", "\ufeff\0"],
  [bytes, new Uint8Array(), new Uint8Array([1, 2, 255]), new Uint8Array(100_000).fill(7)],
  [{ kind: "list", element: u8, length: 3 }, new Uint8Array([1, 2, 3])],
  [{ kind: "list", element: u8, length: 20 }, new Uint8Array(20).fill(9)],
  [
    { kind: "list", element: pair, length: 2 },
    [
      ["a", 1n],
      ["b", 2n],
    ],
  ],
  [{ kind: "list", element: optional, length: 18 }, Array.from({ length: 18 }, (_, i) => i || undefined)],
  [strings, [], ["a", "", "ééé"], Array.from({ length: 9000 }, (_, i) => `text number ${i}`)],
  [{ kind: "list", element: person }, [{ firstName: "Å", age: 1, tags: ["t"], shape: { tag: "none" } }]],
  [{ kind: "tuple", elements: [u8, u64, u8] }, [1, 2n, 3]],
  [flags, { read: true, writeAll: false, x: true }],
  [{ kind: "flags", names: Array.from({ length: 32 }, (_, i) => `f${i}`) }, allFlags(32)],
  [color, "red", "dark-green"],
  [optional, undefined, 0, 7],
  [{ kind: "option", payload: optional }, { tag: "none" }, some(undefined), some(3)],
  [{ kind: "result" }, { tag: "ok" }, { tag: "err" }],
  [
    { kind: "result", ok: u64, error: string },
    { tag: "ok", val: 5n },
    { tag: "err", val: "no" },
  ],
  [{ kind: "result", error: color }, { tag: "ok" }, { tag: "err", val: "red" }],
  [
    shape,
    { tag: "none" },
    { tag: "small", val: 255 },
    { tag: "real", val: -1.5 },
    { tag: "double", val: 1e300 },
    { tag: "wide", val: 2n ** 64n - 1n },
    { tag: "signed", val: -5 },
    { tag: "named", val: ["Ü", 9n] },
  ],
  [
    {
      kind: "variant",
      cases: [
        { name: "a", type: f32 },
        { name: "b", type: u32 },
      ],
    },
    { tag: "a", val: 0.5 },
    { tag: "b", val: 2 ** 32 - 1 },
  ],
  [person, { firstName: "Zoë", age: 44, tags: ["a", "b"], shape: { tag: "real", val: 2.5 } }],
  [{ kind: "tuple", elements: [person, person] }, [longPerson("a"), longPerson("b")]],
];

function some(val: unknown): unknown {
  return { tag: "some", val };
}
function allFlags(count: number): unknown {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, index % 3 === 0]));
}
function longPerson(tag: string): unknown {
  return { firstName: "x".repeat(300), age: 1, tags: [tag, tag], shape: { tag: "wide", val: 1n } };
}

/** Two functions, one that takes a value of the type and one that returns one, in both directions. */
function slotFor(
  type: ValueType,
  { encoding = "utf8", received = [], returned = () => undefined }: SlotOptions = {},
): Promise<TestSlot> {
  const options = { memory: MEMORY, realloc: REALLOC, stringEncoding: encoding };
  const take = { params: [{ name: "value", type }] };
  const give = { params: [], result: type };
  const types = [take, give];
  return TestSlot.make(
    {
      lowered: types.map((each, index) => ({
        callee: { kind: "import", index },
        type: each,
        options,
        componentInstance: 0,
      })),
      lifted: types.map((each) => ({ core: MEMORY, type: each, options, componentInstance: 0 })),
    },
    { host: [(value: never) => void received.push(value), returned] },
  );
}

interface SlotOptions {
  readonly encoding?: StringEncoding;
  readonly received?: unknown[];
  readonly returned?: () => unknown;
}

/** The value, lowered to arguments and lifted again. */
async function throughArguments(
  type: ValueType,
  value: unknown,
  encoding?: StringEncoding,
): Promise<unknown> {
  const received: unknown[] = [];
  const slot = await slotFor(type, { received, ...(encoding && { encoding }) });
  const before = Buffer.from(slot.memory().bytes);
  slot.lowered(0)(...slot.lifting(0).lower([value]));
  assert.ok(slot.memory().isChangedWhereMarked(before), "all writes are marked");
  return received[0];
}

/** The value, lowered to a result and lifted again; in memory unless it is one core value. */
async function throughResult(type: ValueType, value: unknown, encoding?: StringEncoding): Promise<unknown> {
  const slot = await slotFor(type, { returned: () => value, ...(encoding && { encoding }) });
  const before = Buffer.from(slot.memory().bytes);
  const result = await slot.lowered(1)(512);
  assert.ok(slot.memory().isChangedWhereMarked(before), "all writes are marked");
  const lifting = slot.lifting(1);
  lifting.enter();
  return lifting.lift(result ?? 512);
}

for (const [type, ...samples] of values) {
  test(`a ${describeType(type).slice(0, 60)} comes back as it went`, async () => {
    for (const value of samples) {
      assert.deepStrictEqual(await throughArguments(type, value), value);
      assert.deepStrictEqual(await throughResult(type, value), value);
    }
  });
}

for (const encoding of ["utf16", "latin1+utf16"] as const) {
  test(`texts come back as they went in ${encoding}`, async () => {
    for (const text of ["", "plain", "Ünïcödé", "ÿ", "Ā", "🦀 and more", "日本語".repeat(100)]) {
      assert.equal(await throughArguments(string, text, encoding), text);
      assert.deepEqual(await throughResult(strings, [text, text], encoding), [text, text]);
    }
  });
}

test("lists of bytes are texts for a host that wants them so", async () => {
  const texts = ["", "plain", "caf\xe9 \xff\0", "x".repeat(100)];
  const arrays = texts.map((text) => new Uint8Array(Buffer.from(text, "latin1")));
  const received: unknown[] = [];
  const slot = await slotFor({ kind: "list", element: bytes }, { received, returned: () => texts });
  const before = Buffer.from(slot.memory().bytes);
  slot.lowered(1, "text")(512);
  assert.ok(slot.memory().isChangedWhereMarked(before), "all writes are marked");
  const lifting = slot.lifting(1);
  lifting.enter();
  assert.deepEqual(lifting.lift(512), arrays);
  slot.lowered(0, "text")(...slot.lifting(0).lower([arrays]));
  assert.deepEqual(received, [texts]);
  const one = await slotFor(bytes, { returned: () => new Uint8Array(1) });
  assert.throws(() => one.lowered(0, "text")(MEMORY_BYTES - 2, 3), trapOf(/list content out-of-bounds/));
  assert.throws(() => one.lowered(1, "text")(512), /Expected text for a list<u8>/);
});

test("text that is not well formed is lowered with replacement characters", async () => {
  for (const encoding of ["utf8", "utf16", "latin1+utf16"] as const) {
    assert.equal(await throughArguments(string, "a\ud800b", encoding), "a\ufffdb");
  }
});

test("more than 16 core values are passed in memory", async () => {
  const params = Array.from({ length: 17 }, (_, index) => ({
    name: `p${index}`,
    type: index % 2 ? u8 : u64,
  }));
  const options = { memory: MEMORY, realloc: REALLOC, stringEncoding: "utf8" } as const;
  const received: unknown[] = [];
  const slot = await TestSlot.make(
    {
      lowered: [{ callee: { kind: "import", index: 0 }, type: { params }, options, componentInstance: 0 }],
      lifted: [{ core: MEMORY, type: { params }, options, componentInstance: 0 }],
    },
    { host: [(...args: never[]) => void received.push(...args)] },
  );
  const sent = params.map(({ type }, index) => (type === u8 ? index : BigInt(index)));
  const flat = slot.lifting(0).lower(sent);
  assert.equal(flat.length, 1);
  slot.lowered(0)(...flat);
  assert.deepEqual(received, sent);
});

test("sixteen core values are passed as they are", async () => {
  const slot = await slotFor({ kind: "tuple", elements: Array.from({ length: 16 }, () => u32) });
  assert.equal(slot.lifting(0).lower([Array.from({ length: 16 }, () => 1)]).length, 16);
});

/** What core values are lifted to; only what counts in them counts. */
const lifts: readonly (readonly [ValueType, readonly CoreValue[], unknown])[] = [
  [{ kind: "bool" }, [2], true],
  [u8, [-1], 255],
  [{ kind: "s8" }, [0x80], -128],
  [{ kind: "u16" }, [0x12345], 0x2345],
  [{ kind: "s16" }, [0xffff], -1],
  [u32, [-1], 2 ** 32 - 1],
  [u64, [-1n], 2n ** 64n - 1n],
  [flags, [-1], { read: true, writeAll: true, x: true }],
  [{ kind: "result", ok: f32, error: u64 }, [0, 0x3fc00000n], { tag: "ok", val: 1.5 }],
  [{ kind: "result", ok: u32, error: u64 }, [0, 0x7_ffff_ffffn], { tag: "ok", val: 2 ** 32 - 1 }],
];

for (const [type, flat, value] of lifts) {
  test(`${flat} is lifted to ${describeType(type)} ${JSON.stringify(value, (_, v) => (typeof v === "bigint" ? `${v}` : v))}`, async () => {
    const received: unknown[] = [];
    const slot = await slotFor(type, { received });
    slot.lowered(0)(...flat);
    assert.deepStrictEqual(received, [value]);
  });
}

/** The unused places of a variant are zero, and narrow values are not extended by their sign. */
const lowers: readonly (readonly [ValueType, unknown, readonly CoreValue[]])[] = [
  [shape, { tag: "none" }, [0, 0n, 0, 0n]],
  [shape, { tag: "real", val: -1.5 }, [2, 0xbfc00000n, 0, 0n]],
  [shape, { tag: "signed", val: -1 }, [5, 0xffffffffn, 0, 0n]],
  [{ kind: "option", payload: f64 }, undefined, [0, 0]],
];

for (const [type, value, flat] of lowers) {
  test(`${JSON.stringify(value)} is lowered to ${flat}`, async () => {
    const slot = await slotFor(type);
    assert.deepStrictEqual(slot.lifting(0).lower([value]), flat);
  });
}

const MEMORY_BYTES = 2 * 65536;

const traps: readonly (readonly [string, ValueType, readonly CoreValue[], RegExp])[] = [
  ["a char that is a surrogate", char, [0xd800], /out of range for `char`/],
  ["a char beyond Unicode", char, [0x110000], /out of range for `char`/],
  ["a negative char", char, [-1], /out of range for `char`/],
  ["an enum case that is not there", color, [2], /invalid variant discriminant/],
  ["a variant case that is not there", shape, [7, 0n, 0, 0n], /invalid variant discriminant/],
  ["a negative variant case", shape, [-1, 0n, 0, 0n], /invalid variant discriminant/],
  ["an option that is neither", optional, [2, 0], /invalid variant discriminant/],
  ["a text that ends outside", string, [MEMORY_BYTES - 1, 2], /string pointer\/length out of bounds/],
  ["an empty text outside", string, [MEMORY_BYTES + 1, 0], /string pointer\/length out of bounds/],
  ["a text of 4 GiB", string, [0, -1], /string pointer\/length out of bounds/],
  ["a text at the end of 4 GiB", string, [-1, -1], /string pointer\/length out of bounds/],
  ["a list that ends outside", bytes, [MEMORY_BYTES - 1, 2], /list content out-of-bounds/],
  ["a list of 4 GiB", bytes, [0, -1], /too long/],
  ["a list whose size overflows", { kind: "list", element: u64 }, [0, 0x2000_0000], /too long/],
  ["a list that is not aligned", { kind: "list", element: u32 }, [2, 1], /not aligned/],
  ["parameters that are not aligned", wide(), [2], /unaligned pointer/],
  ["parameters outside", wide(), [MEMORY_BYTES - 4], /pointer out of bounds/],
  ["parameters at the end of 4 GiB", wide(), [-4], /pointer out of bounds/],
];

function wide(): ValueType {
  return { kind: "list", element: u32, length: 20 };
}

for (const [name, type, flat, reason] of traps) {
  test(`${name} traps`, async () => {
    const slot = await slotFor(type);
    assert.throws(() => slot.lowered(0)(...flat), trapOf(reason));
  });
}

function trapOf(reason: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof CanonicalError, String(error));
    assert.match(error.message, reason);
    return true;
  };
}

const badTexts: readonly (readonly [string, readonly number[]])[] = [
  ["a byte that is never in UTF-8", [0xff]],
  ["a sequence that is cut off", [0x61, 0xc3]],
  ["a slash in two bytes", [0xc0, 0xaf]],
  ["a surrogate", [0xed, 0xa0, 0x80]],
  ["a code point beyond Unicode", [0xf4, 0x90, 0x80, 0x80]],
];

for (const [name, text] of badTexts) {
  test(`${name} traps, in a short text and in a long one`, async () => {
    const slot = await slotFor(string);
    for (const lead of [0, 64]) {
      slot.memory().bytes.fill("a").set(text, lead);
      assert.throws(() => slot.lowered(0)(0, lead + text.length), trapOf(/invalid utf-8/));
    }
  });
}

test("UTF-16 that is not aligned, or not well formed, traps", async () => {
  const slot = await slotFor(string, { encoding: "utf16" });
  slot.memory().bytes.writeUInt16LE(0xd800, 0);
  assert.throws(() => slot.lowered(0)(1, 1), trapOf(/unaligned pointer/));
  assert.throws(() => slot.lowered(0)(0, 1), trapOf(/invalid utf-16/));
  assert.throws(() => slot.lowered(0)(0, 0x8000_0000), trapOf(/out of bounds/));
});

test("many pointers to the same bytes cannot fill the memory of the host", async () => {
  const slot = await slotFor({ kind: "list", element: bytes });
  const length = 10_000;
  const { view } = slot.memory();
  for (let at = 0; at < 8 * length; at += 8) view.setUint32(at + 4, MEMORY_BYTES, true);
  assert.ok(length * MEMORY_BYTES > LIFTED_BYTES_MAX);
  assert.throws(() => slot.lowered(0)(0, length), trapOf(/a call passes more than/));
  view.setUint32(4, 3, true);
  slot.lowered(0)(0, 1);
});

const dear: readonly (readonly [ValueType, number])[] = [
  [{ kind: "tuple", elements: [string, bytes] }, 75_000],
  [bytes, 100_000],
  [string, 550_000],
  [pair, 350_000],
];

for (const [element, length] of dear) {
  test(`${length} values of ${describeType(element)} are too much for one call, also if they are empty`, async () => {
    const slot = await slotFor({ kind: "list", element });
    slot.callSuspendable(REALLOC, [0, 0, 1, 6_000_000]);
    assert.throws(() => slot.lowered(0)(0, length), trapOf(/a call passes more than/));
    slot.lowered(0)(0, length / 100);
  });
}

const answers: readonly (readonly [number, ValueType, unknown, RegExp])[] = [
  [2, { kind: "list", element: u32 }, [1], /realloc return: result not aligned/],
  [-1, { kind: "list", element: u32 }, [1, 2], /realloc return: result not aligned/],
  [-4, { kind: "list", element: u32 }, [1, 2], /realloc return: beyond end of memory/],
  [-4, { kind: "list", element: u32 }, [], /realloc return: beyond end of memory/],
  [MEMORY_BYTES - 2, string, "abc", /realloc return: beyond end of memory/],
  [MEMORY_BYTES - 2, bytes, new Uint8Array(3), /realloc return: beyond end of memory/],
  [MEMORY_BYTES - 4, wide(), Array(20).fill(0), /realloc return: beyond end of memory/],
];

for (const [answer, type, value, reason] of answers) {
  test(`an allocator that answers ${answer} for ${describeType(type)} traps`, async () => {
    const slot = await slotFor(type);
    slot.global("answer").value = answer;
    assert.throws(() => slot.lifting(0).lower([value]), trapOf(reason));
  });
}

test("an empty list is allocated like any other", async () => {
  const slot = await slotFor(bytes);
  slot.lifting(0).lower([new Uint8Array()]);
  assert.equal(slot.global("calls").value, 1);
});

test("a result is written where the guest says, and nowhere else", async () => {
  const slot = await slotFor(pair, { returned: () => ["a", 1n] });
  assert.throws(() => slot.lowered(1)(4), trapOf(/unaligned pointer/));
  assert.throws(() => slot.lowered(1)(MEMORY_BYTES - 8), trapOf(/pointer out of bounds/));
});

/** Mistakes of the host are told as such. */
const mistakes: readonly (readonly [ValueType, unknown])[] = [
  [{ kind: "bool" }, 1],
  [u8, 256],
  [u8, "5"],
  [{ kind: "s8" }, 128],
  [u32, -1],
  [u32, 0.5],
  [u64, 5],
  [u64, 2n ** 64n],
  [f64, "1"],
  [char, "ab"],
  [char, ""],
  [char, "\ud800"],
  [string, undefined],
  [bytes, [1, 2]],
  [strings, "abc"],
  [{ kind: "list", element: u32, length: 2 }, [1]],
  [color, "blue"],
  [shape, { tag: "nothing" }],
  [{ kind: "result" }, "ok"],
];

for (const [type, value] of mistakes) {
  test(`lowering refuses ${String(value)} for ${describeType(type).slice(0, 40)}`, async () => {
    const slot = await slotFor(type);
    assert.throws(() => slot.lifting(0).lower([value]), TypeError);
  });
}

test("a promise of the host is lowered when it is kept", async () => {
  const slot = await slotFor(string, { returned: async () => "later" });
  const result = slot.lowered(1)(512);
  assert.ok(result instanceof Promise);
  await result;
  const { bytes: memory, view } = slot.memory();
  const start = view.getUint32(512, true);
  assert.equal(memory.toString("utf8", start, start + view.getUint32(516, true)), "later");
});

test("names from a component are data in generated code", async () => {
  const names = ["__proto__", '"]; throw 1; ["', "\u2028`\\", "constructor"];
  const type: ValueType = { kind: "record", fields: names.map((name) => ({ name, type: u8 })) };
  const value = Object.fromEntries(names.map((name, index) => [name.toLowerCase(), index]));
  assert.deepStrictEqual(await throughResult(type, value), value);
  const choice: ValueType = { kind: "enum", names };
  for (const name of names) assert.equal(await throughArguments(choice, name), name);
});
