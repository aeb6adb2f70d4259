// Leads from positions in a rewritten module back to the original, for backtraces.
//
// Where code went is not kept: the function that a position is in is rewritten again. That takes next to no time,
// while a large module takes half a second.

import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { type Layout, type Range, readLayout } from "./layout.ts";
import { ModuleRewriter } from "./module-rewriter.ts";
import { rewrite } from "./rewrite.ts";
import type { RewriteOptions } from "./rewritten.ts";

/** Functions whose places are kept, for those that trap again and again. */
const FUNCTIONS_MAX = 256;

/** Keep it for as long as traps of the module are likely: it reads the sections of both modules. */
export class OffsetMap {
  readonly #original: Layout;
  readonly #rewritten: Layout;
  readonly #options: RewriteOptions;
  readonly #again: RewriteAgain;
  /** For each function, by position among the bodies. */
  readonly #functions = new Map<number, Int32Array>();

  /**
   * @param options those that the module was rewritten with
   * @throws MalformedModuleError
   */
  constructor(
    { original, rewritten }: { readonly original: Uint8Array; readonly rewritten: Uint8Array },
    options: RewriteOptions = {},
  ) {
    this.#original = readLayout(original);
    this.#rewritten = readLayout(rewritten);
    this.#options = options;
    this.#again = new RewriteAgain(this.#original, options);
  }

  /**
   * The offset in the original module for an offset in the rewritten one. Code that was inserted stands
   * for the instruction behind it. Undefined outside of the guest's own functions.
   */
  original(rewrittenOffset: number): number | undefined {
    const position = this.#positionOf(rewrittenOffset);
    const body = this.#rewritten.bodies[position];
    if (!body || position >= this.#original.bodies.length) return undefined;
    const at = rewrittenOffset - body.start;
    const runs = this.#runsOf(position, body);
    const run = lastUpTo(at, (index) => runs[index * 3] ?? 0, runs.length / 3);
    const [rewritten, original, length] = runs.subarray(run * 3, run * 3 + 3);
    if (rewritten === undefined || original === undefined || length === undefined) return undefined;
    return original + Math.min(at - rewritten, length);
  }

  /** Which body an offset is in, the size of the next one included; -1 if it is in none. */
  #positionOf(offset: number): number {
    const { bodies } = this.#rewritten;
    const end = bodies.at(-1)?.end ?? 0;
    return offset < end ? lastUpTo(offset, (index) => bodies[index]?.start ?? 0, bodies.length) : -1;
  }

  /** Triples of position in the rewritten body, original offset, length; sorted by position. */
  #runsOf(position: number, body: Range): Int32Array {
    let runs = this.#functions.get(position);
    if (!runs) {
      if (this.#functions.size >= FUNCTIONS_MAX) this.#functions.clear();
      const size = body.end - body.start;
      runs = this.#again.rewrite(position, size);
      // It refers to what the functions before it have added, by numbers with more digits.
      runs ??= new RewriteAgain(this.#original, this.#options).rewriteAll(position, size);
      this.#functions.set(position, runs ?? new Int32Array());
    }
    return runs ?? new Int32Array();
  }
}

class RewriteAgain {
  readonly #layout: Layout;
  readonly #rewriter: ModuleRewriter;
  readonly #out = new ByteWriter();
  #runs: number[] = [];

  constructor(layout: Layout, options: RewriteOptions) {
    this.#layout = layout;
    this.#rewriter = new ModuleRewriter(layout, options, (rewritten, original, length) => {
      this.#runs.push(rewritten, original, length);
    });
  }

  /** The runs of a function; undefined if it has become another size than this. */
  rewrite(position: number, size: number): Int32Array | undefined {
    const { bodies, importedFunctions } = this.#layout;
    const range = bodies[position];
    if (!range) return undefined;
    this.#out.clear();
    this.#runs = [];
    this.#rewriter.code.rewrite(importedFunctions + position, range, this.#out);
    const reader = new ByteReader(this.#out.view(), { start: 0, end: this.#out.length });
    if (reader.u32() !== size) return undefined;
    return Int32Array.from(this.#runs, (value, index) => (index % 3 === 0 ? value - reader.offset : value));
  }

  /** The same, with all functions before it. */
  rewriteAll(position: number, size: number): Int32Array | undefined {
    for (let before = 0; before < position; before++) this.rewrite(before, 0);
    return this.rewrite(position, size);
  }
}

/** The index of the last of so many sorted values that is no larger than another; -1 if there is none. */
function lastUpTo(value: number, at: (index: number) => number, count: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(middle) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** `OffsetMap` for a single question. */
export function originalOffset(
  bytes: Uint8Array,
  options: RewriteOptions,
  rewrittenOffset: number,
): number | undefined {
  const rewritten = rewrite(bytes, options).bytes;
  return new OffsetMap({ original: bytes, rewritten }, options).original(rewrittenOffset);
}
