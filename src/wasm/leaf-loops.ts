// Finds loops that hold no other loop, and no call: V8 unrolls them, and keeps more in registers there,
// as long as that is so. A check of the epoch must not spoil it by its call.

import { ByteReader } from "./byte-reader.ts";
import { skipBlockType, skipImmediates } from "./instructions.ts";
import { OP } from "./opcodes.ts";

/** In longer ones it makes no difference. */
const LEAF_BYTES_MAX = 256;

/** What calls or loops, or branches by other instructions than `br` and `br_if`. */
const NO_LEAVES: ReadonlySet<number> = new Set([
  OP.LOOP,
  OP.TRY,
  OP.TRY_TABLE,
  OP.BR_TABLE,
  OP.BR_ON_NULL,
  OP.BR_ON_NON_NULL,
  OP.CALL,
  OP.CALL_INDIRECT,
  OP.RETURN_CALL,
  OP.RETURN_CALL_INDIRECT,
  OP.CALL_REF,
  OP.RETURN_CALL_REF,
  OP.MEMORY_GROW,
  OP.PREFIX_BULK,
  OP.PREFIX_GC,
  OP.PREFIX_ATOMIC,
]);

/** Whether it is such a loop, without parameters, whose block type the reader stands before. */
export function isLeafLoop({ bytes, offset, end }: ByteReader): boolean {
  const reader = new ByteReader(bytes, { start: offset, end });
  if (!isShorthand(reader.peek())) return false;
  skipBlockType(reader);
  for (let depth = 0; reader.offset - offset <= LEAF_BYTES_MAX; ) {
    const opcode = reader.u8();
    if (NO_LEAVES.has(opcode)) return false;
    if (opcode === OP.BLOCK || opcode === OP.IF) depth++;
    if (opcode === OP.END && depth-- === 0) return true;
    skipImmediates(reader, opcode);
  }
  return false;
}

/** Whether a block type is a value type, or empty, rather than the index of a type. */
function isShorthand(lead: number): boolean {
  return (lead & 0xc0) === 0x40;
}
