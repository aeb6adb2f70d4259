// Which tools made a binary, as its `producers` sections tell.
//
// Facts: "Producers section" in tool-conventions, WebAssembly.

import {
  ByteReader,
  type CustomSection,
  isComponent,
  MalformedModuleError,
  readModule,
} from "../../wasm/mod.ts";
import { readComponent } from "../binary/read-component.ts";

/** A tool that had a hand in a binary, such as `wit-bindgen-rust`, or the language it is written in. */
export interface Producer {
  readonly field: string;
  readonly name: string;
  readonly version: string;
}

/**
 * The producers that a component or a core module names, each once. A section that cannot be read names none:
 * nothing depends on it.
 *
 * @throws MalformedModuleError, MalformedComponentError or UnsupportedComponentError
 */
export function readProducers(bytes: Uint8Array): Producer[] {
  const { customSections } = isComponent(bytes) ? readComponent(bytes) : readModule(bytes);
  const producers = customSections.filter(isProducers).flatMap(({ contents }) => {
    try {
      return readProducersSection(contents);
    } catch (error) {
      if (!(error instanceof MalformedModuleError)) throw error;
      return [];
    }
  });
  return [...new Map(producers.map((each) => [`${each.field} ${each.name} ${each.version}`, each])).values()];
}

export function isProducers({ name }: Pick<CustomSection, "name">): boolean {
  return name === "producers";
}

/** @throws MalformedModuleError */
export function readProducersSection(contents: Uint8Array): Producer[] {
  const reader = new ByteReader(contents, { start: 0, end: contents.length });
  const list = <T>(what: string, read: () => T): T[] => Array.from({ length: reader.count(what) }, read);
  return list("fields", () => {
    const field = reader.name();
    return list("values", () => ({ field, name: reader.name(), version: reader.name() }));
  }).flat();
}
