// Guests that fill the heap of the host: V8 would end the process, so each serves in a process of its own.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { HOARDING_GUESTS } from "./hoarding-guests.ts";

/** Little enough to be filled soon. */
const HEAP_MIB = 192;

for (const name of Object.keys(HOARDING_GUESTS)) {
  test(`A guest that hoards ${name} loses its requests, and the process lives`, async () => {
    const program = [`--max-old-space-size=${HEAP_MIB}`, join(import.meta.dirname, "hoard.ts"), name];
    const { stdout } = await promisify(execFile)(process.execPath, program);
    const statuses: unknown = JSON.parse(stdout);
    assert.ok(Array.isArray(statuses));
    assert.deepEqual(
      statuses.filter((status) => status !== 500 && status !== 504),
      [],
    );
  });
}
