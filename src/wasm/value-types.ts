// Value types, between their binary and their text form.

import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { FunctionType, ValueType } from "./module.ts";
import { TYPE } from "./opcodes.ts";

const NUMBER_TYPES: ReadonlyMap<number, ValueType> = new Map([
  [TYPE.I32, "i32"],
  [TYPE.I64, "i64"],
  [TYPE.F32, "f32"],
  [TYPE.F64, "f64"],
  [TYPE.V128, "v128"],
]);

/** Abstract heap types, by the byte that stands for a nullable reference to them. */
const HEAP_TYPES: ReadonlyMap<number, string> = new Map([
  [0x74, "noexn"],
  [0x73, "nofunc"],
  [0x72, "noextern"],
  [0x71, "none"],
  [0x70, "func"],
  [0x6f, "extern"],
  [0x6e, "any"],
  [0x6d, "eq"],
  [0x6c, "i31"],
  [0x6b, "struct"],
  [0x6a, "array"],
  [0x69, "exn"],
]);

export function readValueType(reader: ByteReader): ValueType {
  const start = reader.offset;
  const byte = reader.u8();
  const number = NUMBER_TYPES.get(byte);
  if (number) return number;
  if (byte === TYPE.REF_NULL) return `ref null ${readHeapType(reader)}`;
  if (byte === TYPE.REF) return `ref ${readHeapType(reader)}`;
  const heap = HEAP_TYPES.get(byte);
  if (heap === undefined) reader.fail(`0x${byte.toString(16)} is not a value type`, start);
  return `ref null ${heap}`;
}

/** An abstract heap type by its name, a concrete one by its type index. */
export function readHeapType(reader: ByteReader): string {
  const start = reader.offset;
  const index = reader.s33();
  if (index >= 0) return String(index);
  const heap = HEAP_TYPES.get(index + 0x80);
  if (heap === undefined) reader.fail(`${index} is not a heap type`, start);
  return heap;
}

/** Binary form of a value type as `readValueType` gives it. */
export function encodeValueType(type: ValueType): number[] {
  for (const [byte, name] of NUMBER_TYPES) if (name === type) return [byte];
  const [, nullable, heap] = /^ref (null )?(\w+)$/.exec(type) ?? [];
  if (heap === undefined) throw new Error(`"${type}" is not a value type`);
  const lead = nullable ? TYPE.REF_NULL : TYPE.REF;
  for (const [byte, name] of HEAP_TYPES) if (name === heap) return nullable ? [byte] : [lead, byte];
  return [lead, ...encodeTypeIndex(Number(heap))];
}

function encodeTypeIndex(index: number): number[] {
  // A type index is written as a signed integer, so that it can share its place with abstract types.
  const bytes: number[] = [];
  let rest = index;
  for (; rest >= 0x40; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return bytes;
}

export function encodeFunctionType({ params, results }: FunctionType): Uint8Array {
  const writer = new ByteWriter(32).u8(TYPE.FUNC);
  for (const types of [params, results]) {
    writer.u32(types.length);
    for (const type of types) writer.u8(...encodeValueType(type));
  }
  return writer.take();
}
