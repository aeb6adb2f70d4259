// The area in which `handle-http-request` returns its response, in either generation's layout.
//
//     A  status i32 @0, headers tag i32 @8, ptr @16, count @24, body tag i32 @32, ptr @40, length @48
//     B  status u16 @0, headers tag u8  @4, ptr @8,  count @12, body tag u8  @16, ptr @20, length @24

import { spareBytes } from "../../bytes/mod.ts";
import type { GuestMemory } from "../../engine/mod.ts";
import { readPairs } from "./guest-reader.ts";
import type { Generation, SpinAbi } from "./version.ts";

/** A response as the guest gave it: nothing about it has been checked but that it can be read. */
export interface GuestResponse {
  readonly status: number;
  /** Name, value, name, value, ... */
  readonly headers: readonly string[];
  /** Of `spareBytes`. */
  readonly body: Uint8Array | undefined;
}

/** A tag that is neither none nor some. */
export class GuestTagError extends Error {
  override readonly name = "GuestTagError";
}

const AREA_BYTES = { A: 56, B: 28 } as const;

/** Reads the response, and tells `abi` which generation it showed. */
export function readResponse(memory: GuestMemory, pointer: number, abi: SpinAbi): GuestResponse {
  let generation = abi.declared;
  if (generation === undefined) {
    const shown = shownGeneration(memory, pointer);
    if (shown) abi.learn(shown);
    generation = shown ?? abi.version.generation;
  }
  return generation === "A" ? readAreaA(memory, pointer) : readAreaB(memory, pointer);
}

/**
 * Tells the generations apart by their tags, never by pointers. Undefined if the response has neither
 * headers nor a body: then the status reads the same in both.
 */
function shownGeneration(memory: GuestMemory, pointer: number): Generation | undefined {
  const at = memory.check(pointer, AREA_BYTES.B);
  const { view } = memory;
  // In A these are the upper half of the status' slot, which is zero.
  if (view.getUint8(at + 4) === 1) return "B";
  const fitsA = at + AREA_BYTES.A <= memory.byteLength;
  if (fitsA && view.getInt32(at + 8, true) === 1 && view.getInt32(at + 12, true) === 0) return "A";
  if (view.getUint8(at + 16) === 1) return "B";
  if (fitsA && view.getInt32(at + 32, true) === 1) return "A";
  return undefined;
}

function readAreaA(memory: GuestMemory, pointer: number): GuestResponse {
  const at = memory.check(pointer, AREA_BYTES.A);
  const word = (offset: number) => memory.view.getUint32(at + offset, true);
  const hasHeaders = isSome(word(8), "headers");
  const hasBody = isSome(word(32), "body");
  return {
    status: word(0),
    headers: hasHeaders ? readPairs(memory, word(16), word(24)) : [],
    body: hasBody ? readBody(memory, word(40), word(48)) : undefined,
  };
}

function readAreaB(memory: GuestMemory, pointer: number): GuestResponse {
  const at = memory.check(pointer, AREA_BYTES.B);
  const { view } = memory;
  const hasHeaders = isSome(view.getUint8(at + 4), "headers");
  const hasBody = isSome(view.getUint8(at + 16), "body");
  return {
    status: view.getUint16(at, true),
    headers: hasHeaders ? readPairs(memory, view.getUint32(at + 8, true), view.getUint32(at + 12, true)) : [],
    body: hasBody
      ? readBody(memory, view.getUint32(at + 20, true), view.getUint32(at + 24, true))
      : undefined,
  };
}

function readBody(memory: GuestMemory, pointer: number, length: number): Uint8Array {
  return spareBytes.copy(memory.read(pointer, length));
}

function isSome(tag: number, what: string): boolean {
  if (tag > 1) throw new GuestTagError(`The guest's response has ${tag} as the tag of its ${what}`);
  return tag === 1;
}
