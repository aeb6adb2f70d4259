// Which rewriter this is: modules that were rewritten by another one are rewritten again.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

let version: string | undefined;

/**
 * A digest of the rewriter's own code, which is in the folder of this file: any change to it changes the version. The
 * published package has no such folder: there the version is put in place of this file.
 */
export function rewriterVersion(): string {
  version ??= digestOfSources();
  return version;
}

function digestOfSources(): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(import.meta.dirname).sort()) {
    if (!name.endsWith(".ts") || name.endsWith(".test.ts")) continue;
    hash.update(name).update(readFileSync(join(import.meta.dirname, name)));
  }
  return hash.digest("hex").slice(0, 16);
}
