// Frees memories that nobody holds any more.
//
// V8 does not count what a WebAssembly memory has grown by when it decides on a collection: sixty
// dropped memories of 256 MiB hold 16 GB. And a process in which nothing happens collects nothing. So once
// enough has been dropped, we ask for a collection.

import { getHeapStatistics } from "node:v8";
import { collectGarbage } from "../bytes/mod.ts";

/** Bytes dropped before a collection, which takes some milliseconds. */
const DROPPED_BYTES_MAX = 128 * 1024 * 1024;

let dropped = 0;

/** Counts bytes that were dropped; when they are many, they are freed in a later turn. */
export function freeLater(bytes: number): void {
  const before = dropped;
  dropped += bytes;
  if (before > DROPPED_BYTES_MAX || dropped <= DROPPED_BYTES_MAX) return;
  // Whoever drops still holds: its frames must be gone first.
  setTimeout(() => {
    dropped = 0;
    collectGarbage();
  }, 0).unref();
}

/** Whether V8's heap is half full, as far as V8 knows: what is in it may be garbage. Where it is full, V8 ends the process. */
export function isHeapShort(): boolean {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return used > limit / 2;
}
