// Passes over instructions without understanding them: which immediates follow each opcode.
//
// All of WebAssembly 3.0 is known, and with it legacy exception handling, threads, relaxed SIMD and
// wide arithmetic. Nothing here recurses: nesting is of no concern to who only wants the next opcode.

import type { ByteReader } from "./byte-reader.ts";
import { BULK, GC, MEMORY_INDEX_FLAG, OP, SIMD, TYPE } from "./opcodes.ts";
import { readValueType } from "./value-types.ts";

/** What follows an opcode. */
const IMMEDIATES = {
  ILLEGAL: 0,
  NONE: 1,
  INTEGER: 2,
  TWO_INTEGERS: 3,
  MEMORY: 4,
  BLOCK: 5,
  BR_TABLE: 6,
  SELECT: 7,
  TRY_TABLE: 8,
  BYTES_4: 9,
  BYTES_8: 10,
  PREFIX: 11,
} as const;

function immediatesByOpcode(): Uint8Array {
  const table = new Uint8Array(256);
  const set = (kind: number, ...ranges: readonly (readonly [first: number, last: number])[]): void => {
    for (const [first, last] of ranges) table.fill(kind, first, last + 1);
  };
  set(IMMEDIATES.NONE, [0x00, 0x01], [0x05, 0x05], [0x0a, 0x0b], [0x0f, 0x0f], [0x19, 0x1b], [0x45, 0xc4]);
  set(IMMEDIATES.NONE, [0xd1, 0xd1], [0xd3, 0xd4]);
  set(IMMEDIATES.INTEGER, [0x07, 0x09], [0x0c, 0x0d], [0x10, 0x10], [0x12, 0x12], [0x14, 0x15], [0x18, 0x18]);
  set(IMMEDIATES.INTEGER, [0x20, 0x26], [0x3f, 0x42], [0xd0, 0xd0], [0xd2, 0xd2], [0xd5, 0xd6]);
  set(IMMEDIATES.TWO_INTEGERS, [0x11, 0x11], [0x13, 0x13]);
  set(IMMEDIATES.MEMORY, [0x28, 0x3e]);
  set(IMMEDIATES.BLOCK, [0x02, 0x04], [0x06, 0x06]);
  set(IMMEDIATES.BR_TABLE, [OP.BR_TABLE, OP.BR_TABLE]);
  set(IMMEDIATES.SELECT, [OP.SELECT_TYPED, OP.SELECT_TYPED]);
  set(IMMEDIATES.TRY_TABLE, [OP.TRY_TABLE, OP.TRY_TABLE]);
  set(IMMEDIATES.BYTES_4, [OP.F32_CONST, OP.F32_CONST]);
  set(IMMEDIATES.BYTES_8, [OP.F64_CONST, OP.F64_CONST]);
  set(IMMEDIATES.PREFIX, [OP.PREFIX_GC, OP.PREFIX_ATOMIC]);
  return table;
}

const IMMEDIATES_BY_OPCODE = immediatesByOpcode();

/** Passes over what follows an opcode of one byte; for prefixes that includes the second part. */
export function skipImmediates(reader: ByteReader, opcode: number): void {
  switch (IMMEDIATES_BY_OPCODE[opcode]) {
    case IMMEDIATES.NONE:
      return;
    case IMMEDIATES.INTEGER:
      reader.skipInteger();
      break;
    case IMMEDIATES.TWO_INTEGERS:
      reader.skipInteger();
      reader.skipInteger();
      break;
    case IMMEDIATES.MEMORY:
      skipMemoryArgument(reader);
      break;
    case IMMEDIATES.BLOCK:
      skipBlockType(reader);
      break;
    case IMMEDIATES.BR_TABLE:
      for (let left = reader.count("branch targets") + 1; left > 0; left--) reader.skipInteger();
      return;
    case IMMEDIATES.SELECT:
      for (let left = reader.count("value types"); left > 0; left--) readValueType(reader);
      return;
    case IMMEDIATES.TRY_TABLE:
      skipTryTable(reader);
      break;
    case IMMEDIATES.BYTES_4:
      reader.skip(4);
      break;
    case IMMEDIATES.BYTES_8:
      reader.skip(8);
      break;
    case IMMEDIATES.PREFIX:
      skipPrefixedImmediates(reader, opcode, reader.u32());
      break;
    default:
      reader.fail(`unknown opcode ${hex(opcode)}`, reader.offset - 1);
  }
}

/** Passes over what follows an opcode of two parts. */
export function skipPrefixedImmediates(reader: ByteReader, prefix: number, opcode: number): void {
  const isKnown =
    prefix === OP.PREFIX_GC
      ? skipGcImmediates(reader, opcode)
      : prefix === OP.PREFIX_BULK
        ? skipBulkImmediates(reader, opcode)
        : prefix === OP.PREFIX_SIMD
          ? skipSimdImmediates(reader, opcode)
          : skipAtomicImmediates(reader, opcode);
  if (!isKnown) reader.fail(`unknown opcode ${hex(prefix)} ${hex(opcode)}`);
}

export interface MemoryArgument {
  readonly memory: number;
  /** Exact below 2^53. */
  readonly offset: number;
}

export function readMemoryArgument(reader: ByteReader): MemoryArgument {
  const flags = reader.u32();
  const memory = flags & MEMORY_INDEX_FLAG ? reader.u32() : 0;
  return { memory, offset: reader.u64() };
}

function skipMemoryArgument(reader: ByteReader): void {
  if (reader.u32() & MEMORY_INDEX_FLAG) reader.skipInteger();
  reader.skipInteger();
}

export function skipBlockType(reader: ByteReader): void {
  const lead = reader.peek();
  if (lead === TYPE.REF || lead === TYPE.REF_NULL) readValueType(reader);
  else reader.skipInteger();
}

function skipTryTable(reader: ByteReader): void {
  skipBlockType(reader);
  for (let left = reader.count("catch clauses"); left > 0; left--) {
    const kind = reader.u8();
    if (kind > 3) reader.fail(`${kind} is not a kind of catch clause`, reader.offset - 1);
    // Kinds 0 and 1 name a tag, all name a label.
    if (kind <= 1) reader.skipInteger();
    reader.skipInteger();
  }
}

function skipGcImmediates(reader: ByteReader, opcode: number): boolean {
  if (opcode > 30) return false;
  if (opcode === 15 || opcode >= 26) return true; // array.len, conversions, i31
  if (opcode === 24 || opcode === 25) reader.skip(1); // br_on_cast: flags, label, two heap types
  const integers =
    opcode === 24 || opcode === 25
      ? 3
      : (opcode >= 2 && opcode <= 5) ||
          (opcode >= GC.ARRAY_NEW_FIXED && opcode <= GC.ARRAY_NEW_ELEM) ||
          (opcode >= GC.ARRAY_COPY && opcode <= GC.ARRAY_INIT_ELEM)
        ? 2
        : 1;
  for (let left = integers; left > 0; left--) reader.skipInteger();
  return true;
}

function skipBulkImmediates(reader: ByteReader, opcode: number): boolean {
  if (opcode <= 7) return true; // saturating truncation
  if (opcode >= 19 && opcode <= 22) return true; // wide arithmetic
  if (opcode > BULK.TABLE_FILL) return false;
  reader.skipInteger();
  const hasTwo =
    opcode === BULK.MEMORY_INIT ||
    opcode === BULK.MEMORY_COPY ||
    opcode === BULK.TABLE_INIT ||
    opcode === BULK.TABLE_COPY;
  if (hasTwo) reader.skipInteger();
  return true;
}

/** The last opcode of relaxed SIMD. */
const SIMD_LAST = 0x113;

function skipSimdImmediates(reader: ByteReader, opcode: number): boolean {
  if (opcode > SIMD_LAST) return false;
  if (opcode <= SIMD.V128_STORE || opcode === 0x5c || opcode === 0x5d) skipMemoryArgument(reader);
  else if (opcode <= 13)
    reader.skip(16); // v128.const, i8x16.shuffle
  else if (opcode >= 0x15 && opcode <= 0x22)
    reader.skip(1); // a lane
  else if (opcode >= 0x54 && opcode <= SIMD.V128_STORE64_LANE) {
    skipMemoryArgument(reader);
    reader.skip(1);
  }
  return true;
}

function skipAtomicImmediates(reader: ByteReader, opcode: number): boolean {
  if (opcode === 3)
    reader.skip(1); // atomic.fence
  else if (opcode <= 2 || (opcode >= 0x10 && opcode <= 0x4e)) skipMemoryArgument(reader);
  else return false;
  return true;
}

function hex(opcode: number): string {
  return `0x${opcode.toString(16).padStart(2, "0")}`;
}
