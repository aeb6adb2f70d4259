// Reads core types: those of functions, and of modules that are imported or passed on.

import {
  type CompositeType,
  readCompositeType,
  readGlobalType,
  readLimits,
  readTableType,
} from "../../wasm/mod.ts";
import type { CoreDeclaration, CoreExternReference, CoreTypeDefinition } from "./component.ts";
import { type Cursor, hex } from "./cursor.ts";

const MODULE = 0x50;
const SUB = 0x50;
const SUB_FINAL = 0x4f;
const RECURSIVE_GROUP = 0x4e;

/** Reads one entry, which defines several types if it is a recursive group. */
export function readCoreTypes(cursor: Cursor): CoreTypeDefinition[] {
  const lead = cursor.bytes.peek();
  if (lead === MODULE) {
    cursor.u8();
    return [
      { kind: "module", declarations: cursor.list("declarations", () => readDeclaration(cursor)).flat() },
    ];
  }
  if (lead !== 0x00) return readRecursiveTypes(cursor);
  // A type that is not final has the code of a module; here, and only here, 0x00 tells it from one.
  cursor.u8();
  if (cursor.bytes.peek() !== SUB) cursor.fail("a type that is not a subtype after 0x00");
  return readRecursiveTypes(cursor);
}

function readRecursiveTypes(cursor: Cursor): CoreTypeDefinition[] {
  if (cursor.bytes.peek() !== RECURSIVE_GROUP) return [coreType(readSubType(cursor))];
  cursor.u8();
  return cursor.list("types", () => coreType(readSubType(cursor)));
}

function coreType(type: CompositeType): CoreTypeDefinition {
  return type.kind === "func" ? type : { kind: "other" };
}

function readSubType(cursor: Cursor): CompositeType {
  const lead = cursor.bytes.peek();
  if (lead === SUB || lead === SUB_FINAL) {
    cursor.u8();
    cursor.list("supertypes", () => cursor.u32());
  }
  return readCompositeType(cursor.bytes);
}

function readDeclaration(cursor: Cursor): CoreDeclaration[] {
  const start = cursor.offset;
  const kind = cursor.u8();
  switch (kind) {
    case 0x00:
      return [
        {
          kind: "import",
          module: cursor.name(),
          name: cursor.name(),
          type: readCoreExternReference(cursor),
        },
      ];
    case 0x01:
      return readRecursiveTypes(cursor).map((type) => ({ kind: "type", type }));
    case 0x02:
      cursor.expect(0x10, "the sort of an alias in a module type");
      cursor.expect(0x01, "the target of an alias in a module type");
      return [{ kind: "alias", scopes: cursor.u32(), index: cursor.u32() }];
    case 0x03:
      return [{ kind: "export", name: cursor.name(), type: readCoreExternReference(cursor) }];
    default:
      cursor.fail(`${hex(kind)} is not a declaration of a module type`, start);
  }
}

function readCoreExternReference(cursor: Cursor): CoreExternReference {
  const kind = cursor.u8();
  switch (kind) {
    case 0x00:
      return { kind: "func", type: cursor.u32() };
    case 0x01:
      return { kind: "table", type: readTableType(cursor.bytes) };
    case 0x02:
      return { kind: "memory", type: readLimits(cursor.bytes) };
    case 0x03:
      return { kind: "global", type: readGlobalType(cursor.bytes) };
    case 0x04:
      cursor.expect(0x00, "the attribute of a tag");
      return { kind: "tag", type: cursor.u32() };
    default:
      cursor.fail(`${hex(kind)} is not a kind of core import`, cursor.offset - 1);
  }
}
