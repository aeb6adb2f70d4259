import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

import type { Label } from "./invoice.ts";
import { chunksOf } from "./parcel-content.ts";
import { CONNECTIONS_MAX } from "./transport.ts";

/** Of parcels, in memory at once, whatever their sizes. */
const PARCEL_BYTES_MAX = 64 * 2 ** 20;
const SMALL = 256 * 1024;

test("chunksOf() gives all of a file, in chunks so small that those of all connections fit into memory", async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "spindle-test-"));
  let largest = 0;
  for (const size of [0, 1, SMALL - 1, SMALL, SMALL + 1, 5_000_000]) {
    const file = path.join(folder, "file");
    writeFileSync(file, Buffer.alloc(size, "spindle"));
    const label: Label = { sha256: "0".repeat(64), mediaType: "text/plain", name: "file", size };
    let bytes = 0;
    for await (const chunk of chunksOf({ kind: "file", path: file }, label)) {
      bytes += chunk.length;
      // What a chunk is a view of counts, not only what it shows.
      largest = Math.max(largest, chunk.buffer.byteLength);
    }
    assert.equal(bytes, size);
  }
  rmSync(folder, { recursive: true });
  // Each connection sends one chunk while it reads the next.
  assert.ok(2 * largest * CONNECTIONS_MAX <= PARCEL_BYTES_MAX, `a chunk holds ${largest} bytes`);
});
