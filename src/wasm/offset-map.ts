// Leads from positions in a rewritten module back to the original, for backtraces.

import { readLayout } from "./layout.ts";
import { ModuleRewriter } from "./module-rewriter.ts";
import type { RewriteOptions } from "./rewritten.ts";

/** Costs as much as rewriting; keep it for as long as traps of the module are likely. */
export class OffsetMap {
  /** Triples of position in the rewritten code, original offset, length; sorted by position. */
  readonly #runs: Int32Array;
  readonly #bodies: { readonly start: number; readonly end: number };

  /**
   * @param bytes the original module
   * @param options those that it was rewritten with
   * @throws MalformedModuleError
   */
  constructor(bytes: Uint8Array, options: RewriteOptions = {}) {
    const runs: number[] = [];
    const rewriter = new ModuleRewriter(readLayout(bytes), options, (rewritten, original, length) => {
      runs.push(rewritten, original, length);
    });
    rewriter.write();
    this.#runs = Int32Array.from(runs);
    this.#bodies = rewriter.bodies;
  }

  /**
   * The offset in the original module for an offset in the rewritten one. Code that was inserted stands
   * for the instruction behind it. Undefined outside of the guest's own functions.
   */
  original(rewrittenOffset: number): number | undefined {
    if (rewrittenOffset < this.#bodies.start || rewrittenOffset >= this.#bodies.end) return undefined;
    const at = rewrittenOffset - this.#bodies.start;
    const run = this.#lastRunUpTo(at);
    const [rewritten, original, length] = this.#runs.subarray(run * 3, run * 3 + 3);
    if (rewritten === undefined || original === undefined || length === undefined) return undefined;
    return original + Math.min(at - rewritten, length);
  }

  /** Index of the last run that begins at or before a position; -1 if there is none. */
  #lastRunUpTo(at: number): number {
    let low = 0;
    let high = this.#runs.length / 3;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#runs[middle * 3] ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** `OffsetMap` for a single question. */
export function originalOffset(
  bytes: Uint8Array,
  options: RewriteOptions,
  rewrittenOffset: number,
): number | undefined {
  return new OffsetMap(bytes, options).original(rewrittenOffset);
}
