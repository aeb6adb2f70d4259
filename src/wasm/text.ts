// Assembles WebAssembly text, as a source may be, with the WebAssembly Binary Toolkit.

import { MalformedTextError } from "./malformed-text-error.ts";

/** Everything that the toolkit knows beyond the first version of WebAssembly. */
const FEATURES = {
  exceptions: true,
  mutable_globals: true,
  sat_float_to_int: true,
  sign_extension: true,
  simd: true,
  threads: true,
  function_references: true,
  multi_value: true,
  tail_call: true,
  bulk_memory: true,
  reference_types: true,
  annotations: true,
  code_metadata: true,
  gc: true,
  memory64: true,
  multi_memory: true,
  extended_const: true,
  relaxed_simd: true,
};

/**
 * Turns the text of a core module into its binary form, names included.
 *
 * @throws MalformedTextError with line and column of the first mistake
 */
export async function assembleText(text: string): Promise<Uint8Array> {
  // The toolkit is 2 MB of JavaScript, and hardly any application has a source in text.
  const { default: load } = await import("wabt");
  const toolkit = await load();
  let module: ReturnType<typeof toolkit.parseWat> | undefined;
  try {
    module = toolkit.parseWat(FILE_NAME, encoder.encode(text), FEATURES);
    module.resolveNames();
    // The declarations of the package lack the parameter, without which most of the features are off.
    (module as { validate(features: typeof FEATURES): void }).validate(FEATURES);
    // The buffer is a view of the toolkit's own memory.
    return module.toBinary({ write_debug_names: true }).buffer.slice();
  } catch (error) {
    throw malformed(error, text);
  } finally {
    module?.destroy();
  }
}

const FILE_NAME = "source.wat";
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** `parseWat failed:\nsource.wat:3:5: error: unexpected token "x", expected ...` and an excerpt. */
function malformed(error: unknown, text: string): unknown {
  if (!(error instanceof Error)) return error;
  const [, line, byteColumn, reason] = /source\.wat:(\d+):(\d+): error: (.*)/.exec(error.message) ?? [];
  if (reason === undefined) return error;
  const before = encoder.encode(text.split("\n")[Number(line) - 1]).subarray(0, Number(byteColumn) - 1);
  const column = decoder.decode(before).length + 1;
  return new MalformedTextError(reason, { line: Number(line), column, cause: error });
}
