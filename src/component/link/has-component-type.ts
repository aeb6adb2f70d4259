// Whether a core module describes a component, as the names of its sections tell: little work for a large module.

import { ByteReader, MalformedModuleError } from "../../wasm/mod.ts";

const PREFIX = "component-type";
const HEADER_BYTES = 8;
const CUSTOM_SECTION = 0;

/** Not for a module whose sections cannot be read either: whoever compiles it tells what is wrong with it. */
export function hasComponentType(bytes: Uint8Array): boolean {
  const reader = new ByteReader(bytes, { start: HEADER_BYTES, end: bytes.length });
  try {
    while (!reader.done) {
      const isCustom = reader.u8() === CUSTOM_SECTION;
      const length = reader.u32();
      const { offset } = reader;
      if (isCustom && isComponentType({ name: reader.name() })) return true;
      reader.offset = offset;
      reader.skip(length);
    }
  } catch (error) {
    if (!(error instanceof MalformedModuleError)) throw error;
  }
  return false;
}

export function isComponentType({ name }: { readonly name: string }): boolean {
  return name.startsWith(PREFIX);
}
