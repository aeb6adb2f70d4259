// Takes texts, lists and bodies from a guest that may lie about where they are and how many.
//
// Everything is copied: the guest's memory is made like new for the next call. Nothing is freed either,
// for the same reason. Texts of HTTP come out as strings whose characters are bytes.

import { isUtf8 } from "node:buffer";
import { type GuestMemory, GuestTextFault } from "../../engine/mod.ts";

/** Names and values of one message; more than any client or server accepts. */
const PAIRS_MAX = 1024;
const PAIRS_BYTES_MAX = 256 * 1024;
const PAIR_BYTES = 16;

/** What a guest hands over is more than the host takes. */
export class GuestLimitError extends Error {
  override readonly name = "GuestLimitError";
}

/** Reads `list<tuple<string, string>>`; returns name, value, name, value, ... */
export function readPairs(memory: GuestMemory, pointer: number, count: number): string[] {
  if (count > PAIRS_MAX) {
    throw new GuestLimitError(`The guest gave ${count} headers, more than the ${PAIRS_MAX} that are allowed`);
  }
  const start = memory.check(pointer, count * PAIR_BYTES);
  const { view } = memory;
  const texts: string[] = [];
  let bytes = 0;
  for (let at = start; at < start + count * PAIR_BYTES; at += PAIR_BYTES / 2) {
    const length = view.getUint32(at + 4, true);
    bytes += length;
    if (bytes > PAIRS_BYTES_MAX) {
      throw new GuestLimitError(`The guest's headers are larger than ${PAIRS_BYTES_MAX} bytes`);
    }
    texts.push(readLatin1(memory, view.getUint32(at, true), length));
  }
  return texts;
}

/** Reads a text byte by byte; throws GuestTextFault where it is not UTF-8. */
export function readLatin1(memory: GuestMemory, pointer: number, length: number): string {
  if (length === 0) return "";
  const at = memory.check(pointer, length);
  const text = memory.bytes.toString("latin1", at, at + length);
  if (!isAscii(text) && !isUtf8(memory.bytes.subarray(at, at + length))) {
    throw new GuestTextFault("Text from the guest is not UTF-8");
  }
  return text;
}

/** Copies bytes out. */
export function readBytes(memory: GuestMemory, pointer: number, length: number): Uint8Array {
  return Buffer.from(memory.read(pointer, length));
}

function isAscii(text: string): boolean {
  return !/[^\x00-\x7f]/.test(text);
}
