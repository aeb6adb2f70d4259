// Functions that V8 takes, and that would end the process once they are called.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteWriter } from "./byte-writer.ts";
import { MODULE_HEADER } from "./module-builder.ts";
import { OP, SECTION, TYPE } from "./opcodes.ts";
import { rewrite } from "./rewrite.ts";

const LOCAL_0 = [OP.LOCAL_GET, 0];
const VOID = [TYPE.FUNC, 0, 0];

function repeated(count: number, ...code: readonly number[]): number[] {
  return Array.from({ length: count }, () => code).flat();
}

function leb(value: number): number[] {
  return [...new ByteWriter().u32(value).take()];
}

/** A type with many values of i64. */
function wide(lead: readonly number[], count: number, ...value: readonly number[]): number[] {
  return [...lead, ...leb(count), ...repeated(count, ...value)];
}

interface Attack {
  readonly what: string;
  /** A smaller one, and one that is too large. */
  readonly counts: readonly [number, number];
  readonly types?: readonly (readonly number[])[];
  readonly locals?: number;
  readonly code: (count: number) => readonly number[];
}

const BR_IF = [...LOCAL_0, OP.BR_IF];

const ATTACKS: readonly Attack[] = [
  {
    what: "structures of 2,000 fields",
    counts: [1_000, 3_000],
    types: [wide([TYPE.STRUCT], 2_000, TYPE.I64, 1)],
    code: (count) => repeated(count, OP.PREFIX_GC, 1, 1, 0x1a),
  },
  {
    what: "nested loops in which 20,000 locals are assigned",
    counts: [30, 100],
    locals: 20_000,
    code: (count) => [
      ...repeated(count, OP.LOOP, TYPE.EMPTY),
      ...Array.from({ length: 20_000 }, (_, local) => [OP.I32_CONST, 1, OP.LOCAL_SET, ...leb(local)]).flat(),
      ...repeated(count, ...BR_IF, 0, OP.END),
    ],
  },
  {
    what: "branches past 40,000 locals",
    counts: [100, 400],
    locals: 40_000,
    code: (count) => repeated(count, OP.BLOCK, TYPE.EMPTY, ...BR_IF, 0, OP.END),
  },
  {
    what: "targets of a table past 40,000 locals",
    counts: [100, 600],
    locals: 40_000,
    code: (count) => [
      OP.BLOCK,
      TYPE.EMPTY,
      ...LOCAL_0,
      OP.BR_TABLE,
      ...leb(count),
      ...repeated(count + 1, 0),
      OP.END,
    ],
  },
  {
    what: "branches past 10,000 operands",
    counts: [500, 2_000],
    code: (count) => [
      ...repeated(10_000, OP.I32_CONST, 0),
      ...repeated(count, ...BR_IF, 0),
      ...repeated(10_000, 0x1a),
    ],
  },
  {
    what: "calls that give 1,000 values",
    counts: [100, 2_000],
    types: [wide([TYPE.FUNC, 0], 1_000, TYPE.I64)],
    code: (count) =>
      repeated(count, OP.BLOCK, TYPE.EMPTY, OP.I32_CONST, 0, OP.CALL_INDIRECT, 1, 0, OP.BR, 0, OP.END),
  },
  {
    what: "loops within loops",
    counts: [500, 10_000],
    code: (count) => [...repeated(count, OP.LOOP, TYPE.EMPTY), ...repeated(count, OP.END)],
  },
];

function moduleOf({ types = [], locals = 1, code }: Attack, count: number): Uint8Array {
  const section = (id: number, ...contents: readonly number[]) =>
    new ByteWriter().u8(id).sized(Uint8Array.from(contents)).take();
  const body = new ByteWriter().u8(1).u32(locals).u8(TYPE.I32);
  body.append(Uint8Array.from(code(count))).u8(OP.END);
  const bodies = new ByteWriter().u8(1).sized(body.take());
  return new ByteWriter()
    .append(MODULE_HEADER)
    .append(section(SECTION.TYPE, ...leb(1 + types.length), ...VOID, ...types.flat()))
    .append(section(SECTION.FUNCTION, 1, 0))
    .append(section(SECTION.TABLE, 1, TYPE.FUNCREF, 0, 0))
    .u8(SECTION.CODE)
    .sized(bodies.take())
    .take();
}

for (const attack of ATTACKS) {
  const [fewer, more] = attack.counts;
  test(`rewrite() takes a function with ${attack.what}, but not with too many`, () => {
    assert.ok(WebAssembly.validate(rewrite(moduleOf(attack, fewer)).bytes));
    const bytes = moduleOf(attack, more);
    assert.ok(WebAssembly.validate(bytes));
    assert.throws(() => rewrite(bytes), /function 0 is too complex/);
  });
}
