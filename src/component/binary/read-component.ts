// Reads the binary form of a component: its sections, and in them its definitions, in order.
//
// Facts: design/mvp/Binary.md in WebAssembly/component-model. Core modules are not looked into.

import { ByteReader, MalformedModuleError } from "../../wasm/mod.ts";
import type { Component, ComponentCustomSection, Definition, NamedItem } from "./component.ts";
import { MalformedComponentError } from "./component-error.ts";
import { Cursor } from "./cursor.ts";
import { readAlias } from "./read-alias.ts";
import { readCanon } from "./read-canon.ts";
import { readCoreTypes } from "./read-core-type.ts";
import { readExternType, readType } from "./read-type.ts";

const HEADER_BYTES = 8;
const MAGIC = [0x00, 0x61, 0x73, 0x6d];
/** The version that all toolchains write since 2023, and the layer that tells components from modules. */
const VERSION_AND_LAYER = [0x0d, 0x00, 0x01, 0x00];

const SECTION = {
  CUSTOM: 0,
  CORE_MODULE: 1,
  CORE_INSTANCE: 2,
  CORE_TYPE: 3,
  COMPONENT: 4,
  INSTANCE: 5,
  ALIAS: 6,
  TYPE: 7,
  CANON: 8,
  START: 9,
  IMPORT: 10,
  EXPORT: 11,
  VALUE: 12,
} as const;

/**
 * @throws MalformedComponentError
 * @throws UnsupportedComponentError for what cannot even be read
 */
export function readComponent(bytes: Uint8Array): Component {
  try {
    return readAt(new Cursor(new ByteReader(bytes, { start: 0, end: bytes.length })));
  } catch (error) {
    if (!(error instanceof MalformedModuleError)) throw error;
    throw new MalformedComponentError(error.reason, error.offset, { cause: error });
  }
}

function readAt(cursor: Cursor): Component {
  const offset = cursor.offset;
  checkHeader(cursor);
  const definitions: Definition[] = [];
  const customSections: ComponentCustomSection[] = [];
  while (!cursor.bytes.done) {
    const id = cursor.u8();
    const size = cursor.bytes.count("bytes of a section");
    const contents = sectionCursor(cursor, size);
    if (id === SECTION.CUSTOM) customSections.push(readCustom(contents));
    else for (const definition of readSection(id, contents)) definitions.push(definition);
    if (!contents.bytes.done) {
      contents.fail(`section ${id} has ${contents.bytes.end - contents.offset} bytes too many`);
    }
    cursor.bytes.skip(size);
  }
  return { definitions, customSections, offset };
}

function checkHeader(cursor: Cursor): void {
  const start = cursor.offset;
  cursor.bytes.skip(HEADER_BYTES);
  const header = cursor.bytes.bytes.subarray(start, cursor.offset);
  if (!MAGIC.every((byte, at) => header[at] === byte)) {
    cursor.fail("it does not begin with the bytes 00 61 73 6d", start);
  }
  if (VERSION_AND_LAYER.every((byte, at) => header[at + MAGIC.length] === byte)) return;
  const found = [...header.subarray(MAGIC.length)].map((byte) => byte.toString(16).padStart(2, "0"));
  cursor.fail(`its version and layer are ${found.join(" ")}, not 0d 00 01 00`, start + MAGIC.length);
}

function sectionCursor(cursor: Cursor, size: number): Cursor {
  const range = { start: cursor.offset, end: cursor.offset + size };
  return cursor.over(new ByteReader(cursor.bytes.bytes, range));
}

function readCustom(cursor: Cursor): ComponentCustomSection {
  return { name: cursor.name(), contents: rest(cursor) };
}

function rest({ bytes }: Cursor): Uint8Array {
  const contents = bytes.bytes.subarray(bytes.offset, bytes.end);
  bytes.skip(contents.length);
  return contents;
}

function readSection(id: number, cursor: Cursor): Definition[] {
  const offset = cursor.offset;
  switch (id) {
    case SECTION.CORE_MODULE:
      return [{ kind: "core module", bytes: rest(cursor), offset }];
    case SECTION.CORE_INSTANCE:
      return readEach(cursor, "core instances", readCoreInstance);
    case SECTION.CORE_TYPE:
      return cursor
        .list("core types", () => readCoreTypes(cursor))
        .flat()
        .map((type) => ({ kind: "core type", type, offset }));
    case SECTION.COMPONENT:
      return [{ kind: "component", component: readAt(cursor.nested()), offset }];
    case SECTION.INSTANCE:
      return readEach(cursor, "instances", readInstance);
    case SECTION.ALIAS:
      return readEach(cursor, "aliases", readAlias);
    case SECTION.TYPE:
      return readEach(cursor, "types", () => ({ kind: "type", type: readType(cursor) }));
    case SECTION.CANON:
      return readEach(cursor, "canons", readCanon);
    case SECTION.START:
      return [readStart(cursor)];
    case SECTION.IMPORT:
      return readEach(cursor, "imports", readImport);
    case SECTION.EXPORT:
      return readEach(cursor, "exports", readExport);
    case SECTION.VALUE:
      rest(cursor);
      return [{ kind: "value", offset }];
    default:
      cursor.fail(`unknown section ${id}`, offset);
  }
}

type WithoutOffset<T> = T extends unknown ? Omit<T, "offset"> : never;

function readEach(
  cursor: Cursor,
  what: string,
  read: (cursor: Cursor) => WithoutOffset<Definition>,
): Definition[] {
  return cursor.list(what, () => {
    const offset = cursor.offset;
    // Spreading a union loses its members; each has lost nothing but its offset, which is given back here.
    return { ...read(cursor), offset } as Definition;
  });
}

function readCoreInstance(cursor: Cursor): WithoutOffset<Definition> {
  if (cursor.flag("a kind of core instance")) {
    return {
      kind: "core exports",
      exports: cursor.list("exports", () => ({ name: cursor.name(), item: cursor.coreItem() })),
    };
  }
  const module = cursor.u32();
  const args = cursor.list("arguments", () => {
    const name = cursor.name();
    cursor.expect(0x12, "the sort of an argument of a core module");
    return { name, instance: cursor.u32() };
  });
  return { kind: "core instantiate", module, args };
}

function readInstance(cursor: Cursor): WithoutOffset<Definition> {
  if (cursor.flag("a kind of instance")) {
    return {
      kind: "exports",
      exports: cursor.list("exports", () => readNamedItem(cursor, () => cursor.externName())),
    };
  }
  const component = cursor.u32();
  const args = cursor.list("arguments", () => readNamedItem(cursor, () => cursor.name()));
  return { kind: "instantiate", component, args };
}

function readNamedItem(cursor: Cursor, name: () => string): NamedItem {
  return { name: name(), item: cursor.item() };
}

function readStart(cursor: Cursor): Definition {
  const offset = cursor.offset;
  const start = cursor.u32();
  cursor.list("arguments", () => cursor.u32());
  cursor.u32();
  return { kind: "start", function: start, offset };
}

function readImport(cursor: Cursor): WithoutOffset<Definition> {
  return { kind: "import", name: cursor.externName(), type: readExternType(cursor) };
}

function readExport(cursor: Cursor): WithoutOffset<Definition> {
  const name = cursor.externName();
  const item = cursor.item();
  const type = cursor.optional(() => readExternType(cursor));
  return { kind: "export", name, item, ...(type ? { type } : {}) };
}
