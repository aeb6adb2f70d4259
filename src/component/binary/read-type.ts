// Reads the types of components: of values, functions, resources, and of components and instances.

import type { PrimitiveKind } from "../types.ts";
import type { Declaration, ExternType, NamedType, TypeDefinition, TypeReference } from "./component.ts";
import { type Cursor, hex } from "./cursor.ts";
import { readAlias } from "./read-alias.ts";
import { readCoreTypes } from "./read-core-type.ts";

const PRIMITIVES: ReadonlyMap<number, PrimitiveKind | "error-context"> = new Map([
  [0x7f, "bool"],
  [0x7e, "s8"],
  [0x7d, "u8"],
  [0x7c, "s16"],
  [0x7b, "u16"],
  [0x7a, "s32"],
  [0x79, "u32"],
  [0x78, "s64"],
  [0x77, "u64"],
  [0x76, "f32"],
  [0x75, "f64"],
  [0x74, "char"],
  [0x73, "string"],
  [0x64, "error-context"],
]);

/** What type definitions begin with. */
const TYPE = {
  RECORD: 0x72,
  VARIANT: 0x71,
  LIST: 0x70,
  TUPLE: 0x6f,
  FLAGS: 0x6e,
  ENUM: 0x6d,
  OPTION: 0x6b,
  RESULT: 0x6a,
  OWN: 0x69,
  BORROW: 0x68,
  FIXED_LIST: 0x67,
  STREAM: 0x66,
  FUTURE: 0x65,
  MAP: 0x63,
  ASYNC_FUNC: 0x43,
  INSTANCE: 0x42,
  COMPONENT: 0x41,
  FUNC: 0x40,
  RESOURCE: 0x3f,
  ASYNC_RESOURCE: 0x3e,
} as const;

const CORE_I32 = 0x7f;

export function readType(cursor: Cursor): TypeDefinition {
  const start = cursor.offset;
  const lead = cursor.u8();
  switch (lead) {
    case TYPE.RECORD:
      return { kind: "record", fields: cursor.filledList("fields", () => readNamedType(cursor)) };
    case TYPE.VARIANT:
      return { kind: "variant", cases: cursor.filledList("cases", () => readCase(cursor)) };
    case TYPE.LIST:
      return { kind: "list", element: readTypeReference(cursor) };
    case TYPE.FIXED_LIST:
      return { kind: "list", element: readTypeReference(cursor), length: cursor.u32() };
    case TYPE.TUPLE:
      return { kind: "tuple", elements: cursor.filledList("elements", () => readTypeReference(cursor)) };
    case TYPE.FLAGS:
      return { kind: "flags", names: cursor.filledList("flags", () => cursor.name()) };
    case TYPE.ENUM:
      return { kind: "enum", names: cursor.filledList("cases", () => cursor.name()) };
    case TYPE.OPTION:
      return { kind: "option", payload: readTypeReference(cursor) };
    case TYPE.RESULT:
      return { kind: "result", ...readOptionalType(cursor, "ok"), ...readOptionalType(cursor, "error") };
    case TYPE.OWN:
      return { kind: "own", resource: cursor.u32() };
    case TYPE.BORROW:
      return { kind: "borrow", resource: cursor.u32() };
    case TYPE.STREAM:
      return { kind: "stream", ...readOptionalType(cursor, "payload") };
    case TYPE.FUTURE:
      return { kind: "future", ...readOptionalType(cursor, "payload") };
    case TYPE.MAP:
      return { kind: "map", key: readTypeReference(cursor), value: readTypeReference(cursor) };
    case TYPE.FUNC:
      return { kind: "func", async: false, ...readSignature(cursor) };
    case TYPE.ASYNC_FUNC:
      return { kind: "func", async: true, ...readSignature(cursor) };
    case TYPE.INSTANCE:
      return { kind: "instance", declarations: readDeclarations(cursor, "instance") };
    case TYPE.COMPONENT:
      return { kind: "component", declarations: readDeclarations(cursor, "component") };
    case TYPE.RESOURCE:
      return readResource(cursor);
    case TYPE.ASYNC_RESOURCE:
      return cursor.unsupported("a resource with an async destructor", start);
    default:
      return {
        kind: "primitive",
        type: PRIMITIVES.get(lead) ?? cursor.fail(`${hex(lead)} is not a type`, start),
      };
  }
}

/** A type index, which is not negative, or the code of a primitive type, which is negative as a signed LEB. */
function readTypeReference(cursor: Cursor): TypeReference {
  const start = cursor.offset;
  const value = cursor.bytes.s33();
  if (value >= 0) return value;
  return PRIMITIVES.get(value + 0x80) ?? cursor.fail(`${hex(value & 0x7f)} is not a value type`, start);
}

function readOptionalType<K extends string>(cursor: Cursor, key: K): { readonly [key in K]?: TypeReference } {
  const type = cursor.optional(() => readTypeReference(cursor));
  // An object with one computed key has the type of its mapped type; the compiler widens the key to string.
  return (type === undefined ? {} : { [key]: type }) as { readonly [key in K]?: TypeReference };
}

function readNamedType(cursor: Cursor): NamedType {
  return { name: cursor.name(), type: readTypeReference(cursor) };
}

function readCase(cursor: Cursor): { readonly name: string; readonly type?: TypeReference } {
  const name = cursor.name();
  const type = readOptionalType(cursor, "type");
  cursor.expect(0x00, "the case that another refines");
  return { name, ...type };
}

function readSignature(cursor: Cursor): {
  readonly params: readonly NamedType[];
  readonly result?: TypeReference;
} {
  const params = cursor.list("parameters", () => readNamedType(cursor));
  return { params, ...readResult(cursor) };
}

/** One result without a name, or none. */
export function readResult(cursor: Cursor): { readonly result?: TypeReference } {
  if (!cursor.flag("the results of a function")) return { result: readTypeReference(cursor) };
  const start = cursor.offset;
  if (cursor.u32() > 0) cursor.unsupported("named results", start);
  return {};
}

function readResource(cursor: Cursor): TypeDefinition {
  const start = cursor.offset;
  if (cursor.u8() !== CORE_I32) cursor.unsupported("a resource whose representation is not i32", start);
  const destructor = cursor.optional(() => cursor.u32());
  return { kind: "resource", ...(destructor === undefined ? {} : { destructor }) };
}

type Scope = "component" | "instance";

function readDeclarations(outer: Cursor, scope: Scope): Declaration[] {
  const cursor = outer.nested();
  return cursor.list("declarations", () => readDeclaration(cursor, scope)).flat();
}

function readDeclaration(cursor: Cursor, scope: Scope): Declaration[] {
  const offset = cursor.offset;
  const kind = cursor.u8();
  switch (kind) {
    case 0x00:
      return readCoreTypes(cursor).map((type) => ({ kind: "core type", type, offset }));
    case 0x01:
      return [{ kind: "type", type: readType(cursor), offset }];
    case 0x02:
      return [{ ...readAlias(cursor), offset }];
    case 0x03:
      if (scope === "instance") cursor.fail("an import in an instance type", offset);
      return [{ kind: "import", name: cursor.externName(), type: readExternType(cursor), offset }];
    case 0x04:
      return [{ kind: "declared export", name: cursor.externName(), type: readExternType(cursor), offset }];
    default:
      cursor.fail(`${hex(kind)} is not a declaration of a type`, offset);
  }
}

export function readExternType(cursor: Cursor): ExternType {
  const kind = cursor.u8();
  switch (kind) {
    case 0x00:
      cursor.expect(0x11, "the sort of a core import");
      return { kind: "core module", type: cursor.u32() };
    case 0x01:
      return { kind: "func", type: cursor.u32() };
    case 0x02:
      return cursor.unsupported("an imported or exported value", cursor.offset - 1);
    case 0x03:
      if (cursor.flag("a bound of a type")) return { kind: "type", bound: "resource" };
      return { kind: "type", bound: { equal: cursor.u32() } };
    case 0x04:
      return { kind: "component", type: cursor.u32() };
    case 0x05:
      return { kind: "instance", type: cursor.u32() };
    default:
      cursor.fail(`${hex(kind)} is not a kind of import or export`, cursor.offset - 1);
  }
}
