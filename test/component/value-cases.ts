// Values of every kind of type, those at the edges first.

import type { ValueType } from "../../src/component/mod.ts";

export interface ValueCase {
  readonly type: ValueType;
  readonly values: readonly unknown[];
}

const U8: ValueType = { kind: "u8" };
const U32: ValueType = { kind: "u32" };
const U64: ValueType = { kind: "u64" };
const F32: ValueType = { kind: "f32" };
const F64: ValueType = { kind: "f64" };
const STRING: ValueType = { kind: "string" };
const list = (element: ValueType): ValueType => ({ kind: "list", element });
const option = (payload: ValueType): ValueType => ({ kind: "option", payload });
const tuple = (...elements: readonly ValueType[]): ValueType => ({ kind: "tuple", elements });
const record = (fields: Readonly<Record<string, ValueType>>): ValueType => ({
  kind: "record",
  fields: Object.entries(fields).map(([name, type]) => ({ name, type })),
});

const TEXTS = [
  "",
  "a",
  "é",
  "🦀",
  "a\u0000b",
  "plain letters, more than fit a word",
  "é🦀".repeat(40),
  "\u{10ffff}\ud7ff",
];
const FLOATS = [0, -0, 1.5, -2.25, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** The first flag, the last, none, all, every third. */
function flags(count: number): ValueCase {
  const names = Array.from({ length: count }, (_, index) => `flag-no${index}`);
  const value = (isSet: (index: number) => boolean) =>
    Object.fromEntries(names.map((_, index) => [`flagNo${index}`, isSet(index)]));
  return {
    type: { kind: "flags", names },
    values: [
      value((index) => index === 0),
      value((index) => index === count - 1),
      value(() => false),
      value(() => true),
      value((index) => index % 3 === 0),
    ],
  };
}

function enumeration(count: number): ValueCase {
  const names = Array.from({ length: count }, (_, index) => `case-no${index}`);
  return { type: { kind: "enum", names }, values: [names[0], names[count >> 1], names[count - 1]] };
}

const INTEGERS: readonly ValueCase[] = [
  { type: { kind: "s8" }, values: [0, 127, -128, -1] },
  { type: U8, values: [0, 255, 128] },
  { type: { kind: "s16" }, values: [0, 32_767, -32_768, -1] },
  { type: { kind: "u16" }, values: [0, 65_535, 32_768] },
  { type: { kind: "s32" }, values: [0, 2_147_483_647, -2_147_483_648, -1] },
  { type: U32, values: [0, 4_294_967_295, 2_147_483_648] },
  { type: { kind: "s64" }, values: [0n, 2n ** 63n - 1n, -(2n ** 63n), -1n] },
  { type: U64, values: [0n, 2n ** 64n - 1n, 2n ** 63n, 2n ** 53n + 1n] },
];

/** The result of a function is never a result itself: how that is told is another matter. */
const RESULT = (ok?: ValueType, error?: ValueType): ValueType =>
  tuple({ kind: "result", ...(ok && { ok }), ...(error && { error }) });

const SHAPE: ValueType = {
  kind: "variant",
  cases: [
    { name: "nothing" },
    { name: "small", type: U8 },
    { name: "wide-number", type: U64 },
    { name: "real", type: F32 },
    { name: "precise", type: F64 },
    { name: "text", type: STRING },
    { name: "pair", type: tuple(F64, U32) },
    { name: "many", type: list(option(STRING)) },
  ],
};

const MANY_FIELDS = Object.fromEntries(
  Array.from({ length: 18 }, (_, index) => [
    `field-no${index}`,
    index % 3 === 0 ? U64 : index % 3 === 1 ? STRING : U8,
  ]),
);
const MANY_VALUES = Object.fromEntries(
  Array.from({ length: 18 }, (_, index) => [
    `fieldNo${index}`,
    index % 3 === 0 ? BigInt(index) : index % 3 === 1 ? `é${index}` : index,
  ]),
);

export const VALUE_CASES: readonly ValueCase[] = [
  { type: { kind: "bool" }, values: [true, false] },
  ...INTEGERS,
  { type: F32, values: [...FLOATS, Math.fround(0.1)] },
  { type: F64, values: [...FLOATS, 0.1, Number.MAX_VALUE, 5e-324] },
  { type: { kind: "char" }, values: ["a", "\0", "é", "🦀", "\u{10ffff}", "\ud7ff", "\ue000"] },
  { type: STRING, values: TEXTS },
  { type: list(U8), values: [Uint8Array.of(), Uint8Array.of(0, 1, 255)] },
  ...INTEGERS.filter(({ type }) => type !== U8).map(({ type, values }) => ({
    type: list(type),
    values: [[], values],
  })),
  { type: list(F32), values: [[], FLOATS] },
  { type: list(F64), values: [[], FLOATS] },
  { type: list({ kind: "bool" }), values: [[], [true, false, true]] },
  { type: list({ kind: "char" }), values: [["é", "🦀"]] },
  { type: list(STRING), values: [[], [""], TEXTS] },
  { type: list(list(list(U32))), values: [[], [[]], [[[1, 2], []], [], [[3]]]] },
  { type: tuple(U8), values: [[7]] },
  { type: tuple(U8, U64, STRING, F32), values: [[1, 2n, "é", 0.5]] },
  {
    type: list(tuple(STRING, STRING)),
    values: [
      [
        ["a", "b"],
        ["é", "🦀"],
      ],
    ],
  },
  {
    type: record({ name: STRING, "is-on": { kind: "bool" }, "byte-count": U64 }),
    values: [{ name: "é", isOn: true, byteCount: 9n }],
  },
  {
    type: record({ inner: record({ "deep-er": option(record({ value: U8 })) }) }),
    values: [{ inner: { deepEr: undefined } }, { inner: { deepEr: { value: 3 } } }],
  },
  { type: record(MANY_FIELDS), values: [MANY_VALUES] },
  { type: option(U32), values: [undefined, 0, 7] },
  { type: option(STRING), values: [undefined, "", "é"] },
  {
    type: option(option(U8)),
    values: [{ tag: "none" }, { tag: "some", val: undefined }, { tag: "some", val: 5 }],
  },
  {
    type: option(option(option(STRING))),
    values: [
      { tag: "none" },
      { tag: "some", val: { tag: "none" } },
      { tag: "some", val: { tag: "some", val: undefined } },
      { tag: "some", val: { tag: "some", val: "🦀" } },
    ],
  },
  { type: list(option(U64)), values: [[undefined, 1n, undefined]] },
  { type: RESULT(), values: [[{ tag: "ok" }], [{ tag: "err" }]] },
  { type: RESULT(STRING), values: [[{ tag: "ok", val: "é" }], [{ tag: "err" }]] },
  { type: RESULT(undefined, U64), values: [[{ tag: "ok" }], [{ tag: "err", val: 1n }]] },
  { type: RESULT(F32, U64), values: [[{ tag: "ok", val: 1.5 }], [{ tag: "err", val: 2n ** 64n - 1n }]] },
  {
    type: RESULT(list(STRING), record({ code: U32 })),
    values: [[{ tag: "ok", val: ["", "🦀"] }], [{ tag: "err", val: { code: 404 } }]],
  },
  {
    type: SHAPE,
    values: [
      { tag: "nothing" },
      { tag: "small", val: 255 },
      { tag: "wide-number", val: 2n ** 64n - 1n },
      { tag: "real", val: Number.NaN },
      { tag: "real", val: -1.5 },
      { tag: "precise", val: -0 },
      { tag: "text", val: "é🦀" },
      { tag: "pair", val: [0.1, 4_294_967_295] },
      { tag: "many", val: ["a", undefined, "🦀"] },
    ],
  },
  { type: list(SHAPE), values: [[{ tag: "nothing" }, { tag: "text", val: "é" }, { tag: "small", val: 1 }]] },
  enumeration(1),
  enumeration(3),
  enumeration(256),
  enumeration(257),
  ...[1, 2, 7, 8, 9, 16, 17, 31, 32].map(flags),
];
