// Guests that take as much of V8's heap as they can get, and keep it.
//
// Each is a command: `_start` never returns by itself.

import { ByteWriter, MODULE_HEADER, OP } from "../../src/wasm/mod.ts";

const SECTION = { TYPE: 1, FUNCTION: 3, TABLE: 4, MEMORY: 5, EXPORT: 7, CODE: 10, TAG: 13 } as const;
const [I64, FUNCREF, EXNREF, FUNC, STRUCT, ARRAY, EMPTY] = [0x7e, 0x70, 0x69, 0x60, 0x5f, 0x5e, 0x40];
const NULLABLE = 0x63;
const DROP = 0x1a;
const TABLES = 100;

function command(parts: {
  readonly types?: readonly (readonly number[])[];
  readonly tables?: number;
  /** Types of the values of the only tag. */
  readonly tag?: number;
  /** The only local. */
  readonly local: readonly number[];
  readonly code: readonly number[];
}): Uint8Array {
  const { types = [], tables = 0, tag, local, code } = parts;
  const out = new ByteWriter().append(MODULE_HEADER);
  const section = (id: number, contents: ByteWriter) => out.u8(id).sized(contents.take());
  const bytes = (...values: readonly number[]) => new ByteWriter().u8(...values);
  section(SECTION.TYPE, bytes(1 + types.length, FUNC, 0, 0, ...types.flat()));
  section(SECTION.FUNCTION, bytes(1, 0));
  section(SECTION.TABLE, bytes(tables, ...repeated(tables, FUNCREF, 0, 0)));
  section(SECTION.MEMORY, bytes(1, 0, 1));
  if (tag !== undefined) section(SECTION.TAG, bytes(1, 0, tag));
  section(SECTION.EXPORT, bytes(2).name("memory").u8(2, 0).name("_start").u8(0, 0));
  const body = bytes(1, 1, ...local, OP.LOOP, EMPTY, ...code, OP.BR, 0, OP.END, OP.END);
  section(SECTION.CODE, bytes(1).sized(body.take()));
  return out.take();
}

function repeated(count: number, ...values: readonly number[]): number[] {
  return Array.from({ length: count }, () => values).flat();
}

function i32(value: number): number[] {
  return [...new ByteWriter().u8(OP.I32_CONST).signed(value).take()];
}

export const HOARDING_GUESTS: Readonly<Record<string, Uint8Array>> = {
  "a chain of structures": command({
    types: [[STRUCT, 1, NULLABLE, 1, 1]],
    local: [NULLABLE, 1],
    code: [OP.LOCAL_GET, 0, 0xfb, 0, 1, OP.LOCAL_SET, 0],
  }),
  "a chain of arrays": command({
    types: [
      [ARRAY, I64, 1],
      [STRUCT, 2, NULLABLE, 2, 1, NULLABLE, 1, 1],
    ],
    local: [NULLABLE, 2],
    code: [OP.LOCAL_GET, 0, ...i32(1 << 20), 0xfb, 7, 1, 0xfb, 0, 2, OP.LOCAL_SET, 0],
  }),
  // Each is thrown with the one before as its value, and caught.
  "a chain of exceptions": command({
    types: [[FUNC, 1, EXNREF, 0]],
    tag: 1,
    local: [EXNREF],
    code: [
      0x02,
      EXNREF,
      0x1f,
      EMPTY,
      1,
      3,
      0,
      OP.LOCAL_GET,
      0,
      0x08,
      0,
      OP.END,
      OP.UNREACHABLE,
      OP.END,
      OP.LOCAL_SET,
      0,
    ],
  }),
  "tables that grow": command({
    tables: TABLES,
    local: [I64],
    code: Array.from({ length: TABLES }, (_, table) => [
      0xd0,
      FUNCREF,
      ...i32(1_000),
      0xfc,
      15,
      table,
      DROP,
    ]).flat(),
  }),
};
