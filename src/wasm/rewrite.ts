// Rewrites a core module so that its instances can be limited, interrupted, and made like new again.

import { functionNames } from "./function-names.ts";
import { readLayout } from "./layout.ts";
import { ModuleRewriter } from "./module-rewriter.ts";
import { describe } from "./read-module.ts";
import type { RewriteOptions, RewrittenModule } from "./rewritten.ts";
import { checkValid } from "./validate.ts";
import { judge } from "./verdict.ts";

/** @throws MalformedModuleError if the bytes are not a valid core module */
export function rewrite(bytes: Uint8Array, options: RewriteOptions = {}): RewrittenModule {
  const layout = readLayout(bytes);
  const rewriter = new ModuleRewriter(layout, options);
  const rewritten = rewriter.write();
  // What is invalid must be found in the original: an index out of range may be in range in what we made.
  checkValid(bytes);
  return {
    bytes: rewritten,
    original: describe(layout),
    importModule: rewriter.importModule,
    hooks: rewriter.hooks,
    verdict: judge(layout, rewriter.code.lastingWrites, () => functionNames(bytes)),
  };
}
