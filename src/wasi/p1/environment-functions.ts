// Arguments and environment: lists of C strings, sizes first.

import type { GuestMemory } from "../../engine/mod.ts";
import { Errno, type ErrnoValue } from "../sandbox/errno.ts";
import type { EncodedStrings } from "../sandbox/strings.ts";
import type { FunctionTable } from "./functions.ts";

export const environmentFunctions = {
  /** `args_sizes_get(count: ptr u32, bytes: ptr u32) -> errno` */
  args_sizes_get: {
    type: "i32 i32 -> i32",
    run: (wasi, { memory }, count: number, bytes: number) =>
      writeSizes(memory, { count, bytes }, [wasi.encodedArgs]),
  },

  /** `args_get(pointers: ptr [u32], bytes: ptr [u8]) -> errno` */
  args_get: {
    type: "i32 i32 -> i32",
    run: (wasi, { memory }, pointers: number, bytes: number) =>
      writeStrings(memory, { pointers, bytes }, [wasi.encodedArgs]),
  },

  /** `environ_sizes_get(count: ptr u32, bytes: ptr u32) -> errno` */
  environ_sizes_get: {
    type: "i32 i32 -> i32",
    run: (wasi, { memory }, count: number, bytes: number) =>
      writeSizes(memory, { count, bytes }, wasi.encodedEnvironment),
  },

  /** `environ_get(pointers: ptr [u32], bytes: ptr [u8]) -> errno` */
  environ_get: {
    type: "i32 i32 -> i32",
    run: (wasi, { memory }, pointers: number, bytes: number) =>
      writeStrings(memory, { pointers, bytes }, wasi.encodedEnvironment),
  },
} satisfies FunctionTable;

function writeSizes(
  memory: GuestMemory,
  to: { readonly count: number; readonly bytes: number },
  lists: readonly EncodedStrings[],
): ErrnoValue {
  let count = 0;
  let bytes = 0;
  for (const list of lists) {
    count += list.offsets.length;
    bytes += list.bytes.length;
  }
  memory.writeU32(to.count, count);
  memory.writeU32(to.bytes, bytes);
  return Errno.SUCCESS;
}

/**
 * Writes all strings one after the other, and where each begins.
 *
 *     bytes -> 41 3d 31 00 42 3d 32 00   (A=1, B=2)   pointers -> bytes, bytes + 4
 */
function writeStrings(
  memory: GuestMemory,
  to: { readonly pointers: number; readonly bytes: number },
  lists: readonly EncodedStrings[],
): ErrnoValue {
  let pointer = to.pointers >>> 0;
  let start = to.bytes >>> 0;
  for (const list of lists) {
    memory.write(start, list.bytes);
    const pointers = memory.check(pointer, list.offsets.length * 4);
    memory.mark(pointers, list.offsets.length * 4);
    const { view } = memory;
    for (const offset of list.offsets) {
      view.setUint32(pointer, start + offset, true);
      pointer += 4;
    }
    start += list.bytes.length;
  }
  return Errno.SUCCESS;
}
