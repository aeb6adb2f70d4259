// Finds what a loop assigns: only that may differ where the loop begins again.

import { ByteReader } from "./byte-reader.ts";
import { skipBlockType, skipImmediates } from "./instructions.ts";
import type { KnownMarks } from "./known-marks.ts";
import { OP } from "./opcodes.ts";

/** Loops may be in loops, and each is read again. */
const LOOP_BYTES_MAX = 1024;

/** Forgets what is known by a local that the loop assigns, whose block type the reader stands before. */
export function forgetAssigned({ bytes, offset, end }: ByteReader, marks: KnownMarks): void {
  if (marks.areAbsolute) return;
  const reader = new ByteReader(bytes, { start: offset, end });
  skipBlockType(reader);
  for (let depth = 1; depth > 0; ) {
    if (reader.offset - offset > LOOP_BYTES_MAX) {
      marks.forgetLocals();
      return;
    }
    const opcode = reader.u8();
    if (OPENS.has(opcode)) depth++;
    if (opcode === OP.END || opcode === OP.DELEGATE) depth--;
    if (opcode === OP.LOCAL_SET || opcode === OP.LOCAL_TEE) marks.forget(reader.u32());
    else skipImmediates(reader, opcode);
  }
}

const OPENS: ReadonlySet<number> = new Set([OP.BLOCK, OP.LOOP, OP.IF, OP.TRY, OP.TRY_TABLE]);
