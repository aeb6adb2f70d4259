// Decides whether restoring memories, globals and dropped segments makes an instance like new.
//
// Two things are not restored: tables, and objects of the garbage-collected heap. A function that
// writes to them counts if anything can reach it: exports, the start function, references, and calls
// from those. Functions that are called indirectly have been referenced, so they are reachable.
//
// A mutable global that is imported is restored by the module that defines it.

import { ByteReader } from "./byte-reader.ts";
import type { LastingWrite } from "./code-rewriter.ts";
import { skipImmediates } from "./instructions.ts";
import type { Layout } from "./layout.ts";
import type { ValueType } from "./module.ts";
import { OP } from "./opcodes.ts";
import type { Verdict } from "./rewritten.ts";
import { readValueType } from "./value-types.ts";

/** More reasons than these say nothing new. */
const REASONS_MAX = 8;

export function judge(
  layout: Layout,
  writes: readonly LastingWrite[],
  namesOfFunctions: () => ReadonlyMap<number, string>,
): Verdict {
  if (writes.length === 0) return { kind: "recyclable" };
  const reachable = reachableFunctions(layout);
  const keepsObjects = canKeepObjects(layout);
  const names = namesOfFunctions();
  const reasons = new Set<string>();
  for (const write of writes) {
    if (!reachable.has(write.function) || (write.kind === "object" && !keepsObjects)) continue;
    const name = names.get(write.function);
    reasons.add(
      `\`${write.instruction}\` in function ${write.function}${name === undefined ? "" : ` \`${name}\``}`,
    );
    if (reasons.size === REASONS_MAX) break;
  }
  return reasons.size === 0 ? { kind: "recyclable" } : { kind: "fresh", reasons: [...reasons] };
}

function reachableFunctions(layout: Layout): ReadonlySet<number> {
  const reachable = new Set<number>(layout.referencedFunctions);
  for (const { kind, index } of layout.exports) if (kind === "func") reachable.add(index);
  if (layout.startFunction !== undefined) reachable.add(layout.startFunction);
  // A set is iterated in order of insertion, what is added meanwhile included.
  for (const index of reachable) addCallees(layout, index, reachable);
  return reachable;
}

/** Adds the functions that a body calls or takes a reference of. */
function addCallees(layout: Layout, functionIndex: number, callees: Set<number>): void {
  const body = layout.bodies[functionIndex - layout.importedFunctions];
  if (!body) return;
  const reader = new ByteReader(layout.bytes, body);
  for (let groups = reader.u32(); groups > 0; groups--) {
    reader.u32();
    readValueType(reader);
  }
  while (!reader.done) {
    const opcode = reader.u8();
    if (opcode === OP.CALL || opcode === OP.RETURN_CALL || opcode === OP.REF_FUNC) callees.add(reader.u32());
    else skipImmediates(reader, opcode);
  }
}

/** Whether a global, a table or an element segment can hold an object that outlives a call. */
function canKeepObjects(layout: Layout): boolean {
  return [...layout.globals, ...layout.tables, ...layout.elements].some(({ type }) =>
    canBeObject(layout, type),
  );
}

/** Types of values that are never mutable objects, nor anything that could hide one. */
const PLAIN_TYPES: ReadonlySet<string> = new Set(["func", "nofunc", "i31", "none", "noextern", "noexn"]);

function canBeObject(layout: Layout, type: ValueType): boolean {
  if (!type.startsWith("ref ")) return false;
  const heap = type.replace(/^ref (null )?/, "");
  if (PLAIN_TYPES.has(heap)) return false;
  return layout.types[Number(heap)]?.kind !== "func";
}
