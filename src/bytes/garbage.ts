// Asks V8 to look for garbage, which it does too late by itself where most of the garbage is outside its heap.

import { setFlagsFromString } from "node:v8";
import vm from "node:vm";

/** Bytes that pass through before a collection of young objects, which takes less than a millisecond. */
const PASSED_BYTES_MAX = 4 * 1024 * 1024;

type Collect = (options?: { readonly type: "minor" }) => void;

let collect: Collect | undefined;
let passed = 0;

/** Collects all garbage, which takes some milliseconds. */
export function collectGarbage(): void {
  collect ??= collector();
  collect();
}

/**
 * Counts bytes of a body that passes through, piece by piece. The pieces are garbage soon, and each is a small object
 * to V8: before it looks for them, 100 MiB may have gathered.
 */
export function countPassing(bytes: number): void {
  passed += bytes;
  if (passed < PASSED_BYTES_MAX) return;
  passed = 0;
  collect ??= collector();
  collect({ type: "minor" });
}

/** The function that `--expose-gc` offers, without exposing it. */
function collector(): Collect {
  setFlagsFromString("--expose-gc");
  // A context made while the flag is set has the function; V8 promises its type.
  const gc = vm.runInNewContext("gc") as Collect;
  setFlagsFromString("--no-expose-gc");
  return gc;
}
