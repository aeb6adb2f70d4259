// How many bytes of V8's heap the instructions take that allocate.

import type { ByteReader } from "./byte-reader.ts";
import type { CompositeType } from "./module.ts";
import { GC } from "./opcodes.ts";

/** What each object has beside its fields. */
export const OBJECT_BYTES = 16;

/** V8 takes 8 to 48 for an element, depending on its type. */
export const TABLE_ELEMENT_BYTES = 48;

/** An exception is an object with an array of its values; those are boxed. */
export function exceptionBytes(values: number): number {
  return 128 + 40 * values;
}

/**
 * What an instruction of garbage-collected objects allocates: a number of bytes, and so many for each
 * element where the topmost operand is a length. Undefined if it allocates nothing. The reader stands
 * behind the opcode, and stays there.
 */
export function allocatedBytes(
  types: readonly CompositeType[],
  reader: ByteReader,
  opcode: number,
): { readonly base: number; readonly each: number } | undefined {
  if (opcode !== GC.STRUCT_NEW && opcode !== GC.STRUCT_NEW_DEFAULT && !ARRAYS.has(opcode)) return undefined;
  const start = reader.offset;
  const type = types[reader.u32()];
  const operand = opcode === GC.ARRAY_NEW_FIXED ? reader.u32() : 0;
  reader.offset = start;
  // Of another kind, or none at all: V8 refuses the module.
  if (type?.kind === "struct") return { base: OBJECT_BYTES + type.bytes, each: 0 };
  if (type?.kind !== "array") return undefined;
  if (opcode === GC.ARRAY_NEW_FIXED) return { base: OBJECT_BYTES + operand * type.elementBytes, each: 0 };
  return { base: OBJECT_BYTES, each: type.elementBytes };
}

const ARRAYS: ReadonlySet<number> = new Set([
  GC.ARRAY_NEW,
  GC.ARRAY_NEW_DEFAULT,
  GC.ARRAY_NEW_FIXED,
  GC.ARRAY_NEW_DATA,
  GC.ARRAY_NEW_ELEM,
]);
