// Reads the names of functions from the name section.

import { ByteReader } from "./byte-reader.ts";
import { readLayout } from "./layout.ts";
import { MalformedModuleError } from "./malformed-module-error.ts";

/** Id of the subsection that names functions. */
const FUNCTION_NAMES = 1;

/**
 * Names of functions by index, as far as the module has any.
 *
 * A name section that is malformed is read up to the mistake: names are for people, and never a
 * reason to refuse a module.
 *
 * @throws MalformedModuleError if the module itself is malformed
 */
export function functionNames(bytes: Uint8Array): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  const section = readLayout(bytes).customSections.find(({ name }) => name === "name");
  if (!section) return names;
  try {
    readNameSection(section.contents, names);
  } catch (error) {
    if (!(error instanceof MalformedModuleError)) throw error;
  }
  return names;
}

function readNameSection(contents: Uint8Array, names: Map<number, string>): void {
  const reader = new ByteReader(contents, { start: 0, end: contents.length });
  while (!reader.done) {
    const id = reader.u8();
    const size = reader.count("bytes of names");
    if (id !== FUNCTION_NAMES) {
      reader.skip(size);
      continue;
    }
    for (let left = reader.count("names"); left > 0; left--) {
      const index = reader.u32();
      names.set(index, reader.name());
    }
    return;
  }
}
