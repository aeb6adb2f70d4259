// The WebAssembly frames of an error, in terms of the module as its author knows it.

import type { CompiledModule } from "./compiled-module.ts";

/** Frames beyond this many are not told. */
const FRAMES_MAX = 32;
/** Names are the guest's, and may have any length. */
const NAME_LENGTH_MAX = 500;

/** A frame of V8: `at name (wasm://wasm/name-0123abcd:wasm-function[7]:0x1a2)`, the name being optional. */
const FRAME = /^\s*at (?:async )?(?:(.*?) \()?wasm:\/\/wasm\/[^:]*:wasm-function\[(\d+)\]:0x([0-9a-f]+)\)?$/;

/**
 * Extracts the frames, innermost first, as `name (wasm-function[7]:0x1a2)`.
 *
 * @param module maps an offset in the rewritten module to one in the original; `undefined` if the
 *   frames may be of several modules, which cannot be told apart: then places are without offsets
 */
export function wasmBacktrace(
  error: unknown,
  module: Pick<CompiledModule, "originalOffset"> | undefined,
): readonly string[] {
  if (!(error instanceof Error) || error.stack === undefined) return [];
  const frames: string[] = [];
  for (const line of error.stack.split("\n")) {
    const match = FRAME.exec(line);
    if (!match) continue;
    const [, name, index, hexadecimal] = match;
    const offset = module?.originalOffset(Number.parseInt(hexadecimal ?? "", 16));
    // Functions that the rewriter appended have no place in the original: leave them out.
    if (module && offset === undefined) continue;
    const place = `wasm-function[${index}]${offset === undefined ? "" : `:0x${offset.toString(16)}`}`;
    frames.push(name === undefined ? place : `${name.slice(0, NAME_LENGTH_MAX)} (${place})`);
    if (frames.length === FRAMES_MAX) break;
  }
  return frames;
}
