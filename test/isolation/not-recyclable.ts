// Makes a module one that needs a fresh instance for each request.

import assert from "node:assert/strict";
import load from "wabt";
import { rewrite } from "../../src/wasm/mod.ts";

/** Reachable, and so a reason for a fresh instance: tables are not restored. */
const CHANGES_A_TABLE = `
  (table $changed 1 funcref)
  (func (export "change a table") i32.const 0 ref.null func table.set $changed)`;

const FEATURES = {
  bulk_memory: true,
  exceptions: true,
  memory64: true,
  multi_memory: true,
  mutable_globals: true,
  reference_types: true,
  simd: true,
  threads: true,
};

/** The same module with a function more, which nobody calls. */
export async function notRecyclable(bytes: Uint8Array): Promise<Uint8Array> {
  const { readWasm, parseWat } = await load();
  const module = readWasm(bytes, { readDebugNames: false, ...FEATURES });
  module.generateNames();
  module.applyNames();
  const text = module.toText({});
  module.destroy();
  const changed = parseWat(
    "guest.wat",
    `${text.slice(0, text.lastIndexOf(")"))} ${CHANGES_A_TABLE})`,
    FEATURES,
  );
  const binary = changed.toBinary({}).buffer.slice();
  changed.destroy();
  assert.equal(rewrite(binary).verdict.kind, "fresh");
  return binary;
}
