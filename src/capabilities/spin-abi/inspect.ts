// Guesses the generation of a guest that sends requests from what its code does with the answers.
//
// Right behind a call of the import, generation B reads the tag of the result as one byte, and A, which
// has a slot of 8 bytes for it, as a word. Bindings of both were inlined or not, but the tag is looked at
// before anything else can be decided.

import { MalformedModuleError, OP, opcodesAfterCalls } from "../../wasm/mod.ts";
import type { Generation } from "./version.ts";

const OUTBOUND_REQUEST = { module: "wasi-outbound-http", name: "request" };

/** Undefined if the module does not call the import, or its calls do not agree, or it is malformed. */
export function inspectGeneration(binary: Buffer): Generation | undefined {
  // Nearly all modules end here, at the cost of a search.
  if (!binary.includes(OUTBOUND_REQUEST.module)) return undefined;
  const seen = new Set(opcodesOf(binary).map(readsLike));
  const [only] = seen;
  return seen.size === 1 ? only : undefined;
}

function opcodesOf(binary: Buffer): number[][] {
  try {
    return opcodesAfterCalls(binary, OUTBOUND_REQUEST);
  } catch (error) {
    // Whoever compiles the module will tell what is wrong with it.
    if (error instanceof MalformedModuleError) return [];
    throw error;
  }
}

function readsLike(opcodes: readonly number[]): Generation | undefined {
  if (opcodes.includes(OP.I32_LOAD8_U) || opcodes.includes(OP.I32_LOAD16_U)) return "B";
  return opcodes.includes(OP.I32_LOAD) ? "A" : undefined;
}
