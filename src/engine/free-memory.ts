// Frees memories that nobody holds any more.
//
// V8 does not count what a WebAssembly memory has grown by when it decides on a collection: sixty
// dropped memories of 256 MiB hold 16 GB. And a process in which nothing happens collects nothing. So once
// enough has been dropped, we ask for a collection.

import { getHeapStatistics, setFlagsFromString } from "node:v8";
import vm from "node:vm";

/** Bytes dropped before a collection, which takes some milliseconds. */
const DROPPED_BYTES_MAX = 128 * 1024 * 1024;

let dropped = 0;
let collect: (() => void) | undefined;

/** Counts bytes that were dropped; when they are many, they are freed in a later turn. */
export function freeLater(bytes: number): void {
  const before = dropped;
  dropped += bytes;
  if (before > DROPPED_BYTES_MAX || dropped <= DROPPED_BYTES_MAX) return;
  // Whoever drops still holds: its frames must be gone first.
  setTimeout(() => {
    dropped = 0;
    collect ??= garbageCollector();
    collect();
  }, 0).unref();
}

/** Whether V8's heap is half full, as far as V8 knows: what is in it may be garbage. Where it is full, V8 ends the process. */
export function isHeapShort(): boolean {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return used > limit / 2;
}

/** The function that `--expose-gc` offers, without exposing it. */
function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  // A context made while the flag is set has the function; V8 promises its type.
  const gc = vm.runInNewContext("gc") as () => void;
  setFlagsFromString("--no-expose-gc");
  return gc;
}
