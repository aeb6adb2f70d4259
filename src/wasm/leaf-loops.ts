// Finds loops whose turns are short: without calls, and without what takes long by itself. Of those, leaf
// loops hold no other loop: V8 unrolls them, and keeps more in registers there, as long as that is so. A
// check of the epoch must not spoil it by its call.

import { ByteReader } from "./byte-reader.ts";
import { skipBlockType, skipImmediates } from "./instructions.ts";
import { OP } from "./opcodes.ts";

/** In longer ones it makes no difference. */
const LEAF_BYTES_MAX = 256;
const SHORT_BYTES_MAX = 1024;

/** What loops or branches by other instructions than `br` and `br_if`. */
const NO_LEAVES: ReadonlySet<number> = new Set([OP.LOOP, OP.BR_TABLE]);

/** What calls, or may take as long; what is rare is left out with it. */
const LONG: ReadonlySet<number> = new Set([
  OP.TRY,
  OP.TRY_TABLE,
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

/** Which kind of loop the reader stands before the block type of; a leaf loop has no parameters. */
export function kindOfLoop({ bytes, offset, end }: ByteReader): "leaf" | "short" | "long" {
  const reader = new ByteReader(bytes, { start: offset, end });
  let isLeaf = isShorthand(reader.peek());
  skipBlockType(reader);
  for (let depth = 0; reader.offset - offset <= SHORT_BYTES_MAX; ) {
    const opcode = reader.u8();
    if (LONG.has(opcode)) return "long";
    if (NO_LEAVES.has(opcode)) isLeaf = false;
    if (opcode === OP.BLOCK || opcode === OP.IF || opcode === OP.LOOP) depth++;
    if (opcode === OP.END && depth-- === 0) {
      return isLeaf && reader.offset - offset <= LEAF_BYTES_MAX ? "leaf" : "short";
    }
    skipImmediates(reader, opcode);
  }
  return "long";
}

/** Whether a block type is a value type, or empty, rather than the index of a type. */
function isShorthand(lead: number): boolean {
  return (lead & 0xc0) === 0x40;
}
