// What must hold for any bytes that claim to be a module, whoever made them.
//
// V8 says whether they are valid. Invalid ones are refused with MalformedModuleError and an offset within
// the bytes; valid ones are rewritten into a valid module, and run or trap like any guest.

import {
  functionNames,
  MalformedModuleError,
  opcodesAfterCalls,
  originalOffset,
  type RewrittenModule,
  readModule,
  rewrite,
} from "../../src/wasm/mod.ts";
import type { GuestRun } from "./guest-run.ts";

/** Whoever reads a module without asking whether it is valid. */
const READERS: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  readModule,
  functionNames,
  originalOffset: (bytes) => originalOffset(bytes, {}, bytes.length >> 1),
  opcodesAfterCalls: (bytes) =>
    opcodesAfterCalls(bytes, { module: "wasi_snapshot_preview1", name: "fd_write" }),
};

/** What is wrong; undefined if nothing is. */
export async function checkBinary(
  bytes: Uint8Array,
  options: { readonly run: GuestRun; readonly seed: number },
): Promise<string | undefined> {
  const isValid = WebAssembly.validate(new Uint8Array(bytes));
  for (const [name, read] of Object.entries(READERS)) {
    const wrong = complaint(bytes, () => read(bytes));
    if (wrong !== undefined && (isValid || wrong !== REFUSED)) return `${name}: ${wrong}`;
  }
  let rewritten: RewrittenModule | undefined;
  const wrong = complaint(bytes, () => {
    rewritten = rewrite(bytes);
  });
  if (wrong !== undefined && wrong !== REFUSED) return `rewrite: ${wrong}`;
  if (isValid !== (wrong === undefined))
    return `rewrite: ${isValid ? "refuses a valid module" : "takes an invalid module"}`;
  if (!rewritten) return undefined;
  if (!WebAssembly.validate(new Uint8Array(rewritten.bytes))) return "rewrite: what it makes is not valid";
  return options.run.check(bytes, options.seed);
}

const REFUSED = "refused";

/** What `act` throws that it may not; REFUSED for what it may. */
function complaint(bytes: Uint8Array, act: () => void): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (!(error instanceof MalformedModuleError))
      return `throws ${error instanceof Error ? error.stack : error}`;
    const { offset } = error;
    if (Number.isInteger(offset) && offset >= 0 && offset <= bytes.length) return REFUSED;
    return `gives the offset ${offset} in ${bytes.length} bytes: ${error.message}`;
  }
}
