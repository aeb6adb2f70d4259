// What a module's code does right after it has called an import.

import { ByteReader } from "./byte-reader.ts";
import { skipImmediates } from "./instructions.ts";
import { type Layout, type Range, readLayout } from "./layout.ts";
import { OP } from "./opcodes.ts";
import { readValueType } from "./value-types.ts";

/** What is done with a result is seen soon, or not at all. */
const FOLLOWING_MAX = 64;

/** Instructions behind which the next is not the next to run. */
const LEAVES: ReadonlySet<number> = new Set([
  OP.UNREACHABLE,
  OP.LOOP,
  OP.IF,
  OP.ELSE,
  OP.BR,
  OP.BR_IF,
  OP.BR_TABLE,
  OP.RETURN,
  OP.CALL,
  OP.CALL_INDIRECT,
  OP.RETURN_CALL,
  OP.RETURN_CALL_INDIRECT,
]);

/**
 * For each call of an imported function, the opcodes that follow it in a straight line.
 *
 * @throws MalformedModuleError
 */
export function opcodesAfterCalls(
  bytes: Uint8Array,
  imported: { readonly module: string; readonly name: string },
): number[][] {
  const layout = readLayout(bytes);
  const index = functionIndex(layout, imported);
  if (index === -1) return [];
  return layout.bodies.flatMap((body) => callsInBody(bytes, body, index));
}

function functionIndex(layout: Layout, imported: { readonly module: string; readonly name: string }): number {
  const functions = layout.imports.filter(({ kind }) => kind === "func");
  return functions.findIndex(({ module, name }) => module === imported.module && name === imported.name);
}

function callsInBody(bytes: Uint8Array, body: Range, index: number): number[][] {
  const reader = new ByteReader(bytes, body);
  for (let left = reader.count("groups of locals"); left > 0; left--) {
    reader.skipInteger();
    readValueType(reader);
  }
  const found: number[][] = [];
  let following: number[] | undefined;
  while (!reader.done) {
    const opcode = reader.u8();
    if (following && (LEAVES.has(opcode) || following.length === FOLLOWING_MAX)) following = undefined;
    following?.push(opcode);
    if (opcode !== OP.CALL) skipImmediates(reader, opcode);
    else if (reader.u32() === index) {
      following = [];
      found.push(following);
    }
  }
  return found;
}
