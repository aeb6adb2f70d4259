// Where everything in a core module is, and how its index spaces are filled.
//
// This is the rewriter's view: positions into the original bytes beside the meaning. Function bodies
// are delimited, not decoded. Whether the module is valid is not asked here.

import { allocatedBytes } from "./allocations.ts";
import { ByteReader } from "./byte-reader.ts";
import { skipImmediates, skipPrefixedImmediates } from "./instructions.ts";
import { MalformedModuleError } from "./malformed-module-error.ts";
import type {
  CompositeType,
  CustomSection,
  Export,
  ExternType,
  FunctionType,
  GlobalType,
  Import,
  Limits,
  TableType,
  ValueType,
} from "./module.ts";
import { EXTERN, OP, SECTION, TYPE } from "./opcodes.ts";
import { readValueType } from "./value-types.ts";

export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface Section extends Range {
  readonly id: number;
  /** Where the contents begin, behind id and size. */
  readonly contents: number;
}

export interface Global extends GlobalType {
  /** Absent for imported globals. */
  readonly initialiser?: { readonly type: Range; readonly expression: Range };
}

export interface ElementSegment {
  readonly type: ValueType;
}

/** More of these than any toolchain makes; V8 keeps some hundred bytes for each, some of them for each instance. */
const COUNT_MAX = {
  /** V8 keeps equal types once per process, for good, and aborts at the two millionth. */
  types: 20_000,
  imports: 20_000,
  functions: 1_000_000,
  tables: 1_000,
  memories: 100,
  tags: 10_000,
  globals: 100_000,
  exports: 50_000,
  "element segments": 100_000,
  "function bodies": 1_000_000,
  "data segments": 100_000,
} as const;

/** Elements of all segments, which each instance keeps once they are used, and of all tables at the start. */
const ELEMENTS_MAX = 1_000_000;

/** Objects that constant expressions make, in each instance. */
const CONSTANT_BYTES_MAX = 16 * 1024 * 1024;

export interface DataSegment {
  readonly bytes: Range;
  /** Absent for passive segments. */
  readonly active?: { readonly memory: number; readonly offset: Range };
}

export interface Layout {
  readonly bytes: Uint8Array;
  readonly sections: readonly Section[];
  readonly types: readonly CompositeType[];
  readonly imports: readonly Import[];
  /** Where the limits of each imported memory are. */
  readonly importedMemoryLimits: readonly Range[];
  /** Type index of each function, imported ones first. */
  readonly functions: readonly number[];
  readonly importedFunctions: number;
  readonly tables: readonly TableType[];
  /** Elements that the tables which it defines begin with. */
  readonly tableElements: number;
  readonly memories: readonly Limits[];
  readonly importedMemories: number;
  readonly globals: readonly Global[];
  readonly tags: readonly number[];
  readonly exports: readonly Export[];
  readonly startFunction: number | undefined;
  readonly elements: readonly ElementSegment[];
  /** Functions that element segments and constant expressions name, with repetitions. */
  readonly referencedFunctions: readonly number[];
  readonly data: readonly DataSegment[];
  /** Bodies of the defined functions, without their sizes. */
  readonly bodies: readonly Range[];
  readonly customSections: readonly CustomSection[];
}

const HEADER_BYTES = 8;
const MAGIC_AND_VERSION = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/** Whether the bytes begin as a component does (layer 1) rather than a core module. */
export function isComponent(bytes: Uint8Array): boolean {
  return startsWith(bytes, MAGIC_AND_VERSION.slice(0, 4)) && bytes[6] === 1 && bytes[7] === 0;
}

function startsWith(bytes: Uint8Array, prefix: readonly number[]): boolean {
  return prefix.every((byte, at) => bytes[at] === byte);
}

/** @throws MalformedModuleError */
export function readLayout(bytes: Uint8Array): Layout {
  checkHeader(bytes);
  const reader = new LayoutReader(bytes);
  reader.readSections();
  reader.checkBodies();
  return reader;
}

/** Without segments and bodies, which are nearly all of a large module, and are passed over unread. */
export type Surface = Omit<Layout, "elements" | "referencedFunctions" | "data" | "bodies">;

/** @throws MalformedModuleError */
export function readSurface(bytes: Uint8Array): Surface {
  checkHeader(bytes);
  const reader = new LayoutReader(bytes, { except: [SECTION.ELEMENT, SECTION.CODE, SECTION.DATA] });
  reader.readSections();
  return reader;
}

function checkHeader(bytes: Uint8Array): void {
  if (startsWith(bytes, MAGIC_AND_VERSION)) return;
  if (isComponent(bytes)) throw new MalformedModuleError("this is a component, not a core module", 4);
  if (!startsWith(bytes, MAGIC_AND_VERSION.slice(0, 4))) {
    throw new MalformedModuleError("it does not begin with the bytes 00 61 73 6d", 0);
  }
  throw new MalformedModuleError("its version is not 1", 4);
}

/** The order in which sections must come; custom sections may stand anywhere. */
export const SECTION_ORDER: readonly number[] = [
  SECTION.TYPE,
  SECTION.IMPORT,
  SECTION.FUNCTION,
  SECTION.TABLE,
  SECTION.MEMORY,
  SECTION.TAG,
  SECTION.GLOBAL,
  SECTION.EXPORT,
  SECTION.START,
  SECTION.ELEMENT,
  SECTION.DATA_COUNT,
  SECTION.CODE,
  SECTION.DATA,
];

class LayoutReader implements Layout {
  readonly bytes: Uint8Array;
  readonly sections: Section[] = [];
  readonly types: CompositeType[] = [];
  readonly imports: Import[] = [];
  readonly importedMemoryLimits: Range[] = [];
  readonly functions: number[] = [];
  importedFunctions = 0;
  readonly tables: TableType[] = [];
  tableElements = 0;
  readonly memories: Limits[] = [];
  importedMemories = 0;
  readonly globals: Global[] = [];
  readonly tags: number[] = [];
  readonly exports: Export[] = [];
  startFunction: number | undefined;
  readonly elements: ElementSegment[] = [];
  readonly referencedFunctions: number[] = [];
  readonly data: DataSegment[] = [];
  readonly bodies: Range[] = [];
  readonly customSections: CustomSection[] = [];
  #elementCount = 0;
  #constantBytes = 0;

  readonly #except: readonly number[];

  constructor(bytes: Uint8Array, { except = [] }: { readonly except?: readonly number[] } = {}) {
    this.bytes = bytes;
    this.#except = except;
  }

  readSections(): void {
    const outer = new ByteReader(this.bytes, { start: HEADER_BYTES, end: this.bytes.length });
    let last = -1;
    while (!outer.done) {
      const start = outer.offset;
      const id = outer.u8();
      const size = outer.u32();
      const contents = outer.offset;
      if (size > outer.end - contents)
        outer.fail(`section of ${size} bytes, ${outer.end - contents} left`, start);
      outer.skip(size);
      if (id !== SECTION.CUSTOM) last = this.#checkOrder(id, last, start);
      const section = { id, start, contents, end: outer.offset };
      this.sections.push(section);
      if (!this.#except.includes(id)) this.#readSection(section);
    }
  }

  checkBodies(): void {
    const defined = this.functions.length - this.importedFunctions;
    if (defined === this.bodies.length) return;
    const message = `${defined} functions are declared, ${this.bodies.length} have a body`;
    throw new MalformedModuleError(message, this.bytes.length);
  }

  #checkOrder(id: number, last: number, start: number): number {
    const rank = SECTION_ORDER.indexOf(id);
    if (rank < 0) throw new MalformedModuleError(`unknown section ${id}`, start);
    if (rank <= last) throw new MalformedModuleError(`section ${id} is out of order`, start);
    return rank;
  }

  #readSection(section: Section): void {
    const reader = new ByteReader(this.bytes, { start: section.contents, end: section.end });
    this.#readContents(section.id, reader);
    if (!reader.done) reader.fail(`section ${section.id} has ${reader.end - reader.offset} bytes too many`);
  }

  #readContents(id: number, reader: ByteReader): void {
    switch (id) {
      case SECTION.CUSTOM:
        this.#readCustom(reader);
        break;
      case SECTION.TYPE:
        this.#each(reader, "types", () => this.#readRecursionGroup(reader));
        break;
      case SECTION.IMPORT:
        this.#each(reader, "imports", () => this.#readImport(reader));
        break;
      case SECTION.FUNCTION:
        this.#each(reader, "functions", () => this.functions.push(this.#functionType(reader).index));
        break;
      case SECTION.TABLE:
        this.#each(reader, "tables", () => this.#readTable(reader));
        break;
      case SECTION.MEMORY:
        this.#each(reader, "memories", () => this.memories.push(readLimits(reader)));
        break;
      case SECTION.TAG:
        this.#each(reader, "tags", () => this.tags.push(this.#readTag(reader).index));
        break;
      case SECTION.GLOBAL:
        this.#each(reader, "globals", () => this.#readGlobal(reader));
        break;
      case SECTION.EXPORT:
        this.#each(reader, "exports", () => this.#readExport(reader));
        break;
      case SECTION.START:
        this.startFunction = this.#index(reader, "function", this.functions.length);
        return;
      case SECTION.ELEMENT:
        this.#each(reader, "element segments", () => this.#readElementSegment(reader));
        break;
      case SECTION.DATA_COUNT:
        reader.u32();
        return;
      case SECTION.CODE:
        this.#each(reader, "function bodies", () => this.bodies.push(readBody(reader)));
        break;
      case SECTION.DATA:
        this.#each(reader, "data segments", () => this.#readDataSegment(reader));
        break;
    }
  }

  #each(reader: ByteReader, what: keyof typeof COUNT_MAX, read: () => void): void {
    const start = reader.offset;
    const count = reader.count(what);
    if (count > COUNT_MAX[what]) reader.fail(`more than ${COUNT_MAX[what]} ${what}`, start);
    for (let left = count; left > 0; left--) read();
  }

  #readCustom(reader: ByteReader): void {
    const name = reader.name();
    const contents = this.bytes.subarray(reader.offset, reader.end);
    this.customSections.push({ name, contents });
    reader.skip(contents.length);
  }

  #readRecursionGroup(reader: ByteReader): void {
    if (reader.peek() !== TYPE.REC) {
      this.#readSubType(reader);
      return;
    }
    reader.skip(1);
    for (let left = reader.count("types"); left > 0; left--) this.#readSubType(reader);
  }

  #readSubType(reader: ByteReader): void {
    const lead = reader.peek();
    if (lead === TYPE.SUB || lead === TYPE.SUB_FINAL) {
      reader.skip(1);
      for (let left = reader.count("supertypes"); left > 0; left--) reader.u32();
    }
    if (this.types.length === COUNT_MAX.types) reader.fail(`more than ${COUNT_MAX.types} types`);
    this.types.push(readCompositeType(reader));
  }

  #readImport(reader: ByteReader): void {
    const module = reader.name();
    const name = reader.name();
    const type = this.#readExternType(reader);
    this.imports.push({ module, name, ...type });
  }

  #readExternType(reader: ByteReader): ExternType {
    const kind = reader.u8();
    switch (kind) {
      case EXTERN.FUNC: {
        const { index, type } = this.#functionType(reader);
        this.functions.push(index);
        this.importedFunctions++;
        return { kind: "func", type };
      }
      case EXTERN.TABLE: {
        const type = readTableType(reader);
        this.tables.push(type);
        return { kind: "table", type };
      }
      case EXTERN.MEMORY: {
        const start = reader.offset;
        const type = readLimits(reader);
        this.importedMemoryLimits.push({ start, end: reader.offset });
        this.importedMemories++;
        this.memories.push(type);
        return { kind: "memory", type };
      }
      case EXTERN.GLOBAL: {
        const type = readGlobalType(reader);
        this.globals.push(type);
        return { kind: "global", type };
      }
      case EXTERN.TAG: {
        const { index, type } = this.#readTag(reader);
        this.tags.push(index);
        return { kind: "tag", type };
      }
      default:
        reader.fail(`${kind} is not a kind of import`, reader.offset - 1);
    }
  }

  #functionType(reader: ByteReader): { readonly index: number; readonly type: FunctionType } {
    const start = reader.offset;
    const index = reader.u32();
    const composite = this.types[index];
    if (composite?.kind !== "func") reader.fail(`type ${index} is not a function type`, start);
    return { index, type: composite.type };
  }

  #readTag(reader: ByteReader): { readonly index: number; readonly type: FunctionType } {
    if (reader.u8() !== 0) reader.fail("unknown attribute of a tag", reader.offset - 1);
    return this.#functionType(reader);
  }

  /** A table may come with an initial value: 0x40 0x00, the type, an expression. */
  #readTable(reader: ByteReader): void {
    const start = reader.offset;
    const hasInitialiser = reader.peek() === 0x40;
    if (hasInitialiser) reader.skip(2);
    const type = readTableType(reader);
    this.tables.push(type);
    this.tableElements += type.limits.min;
    if (this.tableElements > ELEMENTS_MAX) reader.fail(`tables of more than ${ELEMENTS_MAX} elements`, start);
    if (hasInitialiser) this.#constantExpression(reader);
  }

  #readGlobal(reader: ByteReader): void {
    const typeStart = reader.offset;
    const type = readValueType(reader);
    const typeRange = { start: typeStart, end: reader.offset };
    const mutable = readMutability(reader);
    const expression = this.#constantExpression(reader);
    this.globals.push({ type, mutable, initialiser: { type: typeRange, expression } });
  }

  #readExport(reader: ByteReader): void {
    const name = reader.name();
    const start = reader.offset;
    const kind = reader.u8();
    const index = reader.u32();
    const type = this.#externTypeAt(kind, index);
    if (!type) reader.fail(`export "${name}" of what the module does not have`, start);
    this.exports.push({ name, index, ...type });
  }

  #externTypeAt(kind: number, index: number): ExternType | undefined {
    switch (kind) {
      case EXTERN.FUNC:
        return withKind("func", this.#signature(this.functions[index]));
      case EXTERN.TABLE:
        return withKind("table", this.tables[index]);
      case EXTERN.MEMORY:
        return withKind("memory", this.memories[index]);
      case EXTERN.GLOBAL: {
        const global = this.globals[index];
        return global && { kind: "global", type: { type: global.type, mutable: global.mutable } };
      }
      case EXTERN.TAG:
        return withKind("tag", this.#signature(this.tags[index]));
    }
    return undefined;
  }

  #signature(typeIndex: number | undefined): FunctionType | undefined {
    const composite = typeIndex === undefined ? undefined : this.types[typeIndex];
    return composite?.kind === "func" ? composite.type : undefined;
  }

  #index(reader: ByteReader, what: string, count: number): number {
    const start = reader.offset;
    const index = reader.u32();
    if (index >= count) reader.fail(`${what} ${index} of ${count}`, start);
    return index;
  }

  #readElementSegment(reader: ByteReader): void {
    const flags = reader.u32();
    if (flags > 7) reader.fail(`unknown flags ${flags} of an element segment`);
    const isActive = (flags & 1) === 0;
    const hasIndexOrIsDeclared = (flags & 2) !== 0;
    const hasExpressions = (flags & 4) !== 0;
    if (isActive) {
      if (hasIndexOrIsDeclared) reader.u32();
      this.#constantExpression(reader);
    }
    const hasType = (flags & 3) !== 0;
    const type = hasType ? readElementType(reader, hasExpressions) : "ref null func";
    const start = reader.offset;
    const count = reader.count("elements");
    this.#elementCount += count;
    if (this.#elementCount > ELEMENTS_MAX)
      reader.fail(`segments of more than ${ELEMENTS_MAX} elements`, start);
    for (let left = count; left > 0; left--) {
      if (hasExpressions) this.#constantExpression(reader);
      else this.referencedFunctions.push(reader.u32());
    }
    this.elements.push({ type });
  }

  #readDataSegment(reader: ByteReader): void {
    const flags = reader.u32();
    if (flags > 2) reader.fail(`unknown flags ${flags} of a data segment`);
    const memory = flags === 2 ? reader.u32() : 0;
    const offset = flags === 1 ? undefined : this.#constantExpression(reader);
    const length = reader.count("bytes");
    const bytes = { start: reader.offset, end: reader.offset + length };
    reader.skip(length);
    this.data.push(offset ? { bytes, active: { memory, offset } } : { bytes });
  }

  /** Returns where the instructions are, without the `end` behind them. */
  #constantExpression(reader: ByteReader): Range {
    const start = reader.offset;
    // What the instruction before has pushed, if it is a constant.
    let constant: number | undefined;
    for (;;) {
      const end = reader.offset;
      const opcode = reader.u8();
      if (opcode === OP.END) return { start, end };
      if (opcode === OP.REF_FUNC) this.referencedFunctions.push(reader.u32());
      else if (opcode === OP.PREFIX_GC) this.#constantObject(reader, constant);
      else if (opcode === OP.I32_CONST) {
        constant = reader.s33() >>> 0;
        continue;
      } else skipImmediates(reader, opcode);
      constant = undefined;
    }
  }

  #constantObject(reader: ByteReader, length: number | undefined): void {
    const start = reader.offset;
    const opcode = reader.u32();
    const bytes = allocatedBytes(this.types, reader, opcode);
    if (bytes) {
      if (bytes.each > 0 && length === undefined) reader.fail("an array whose length is no constant", start);
      this.#constantBytes += bytes.base + bytes.each * (length ?? 0);
      if (this.#constantBytes > CONSTANT_BYTES_MAX) {
        reader.fail(`constant objects of more than ${CONSTANT_BYTES_MAX} bytes`, start);
      }
    }
    skipPrefixedImmediates(reader, OP.PREFIX_GC, opcode);
  }
}

function withKind<K extends string, T>(kind: K, type: T | undefined): { kind: K; type: T } | undefined {
  return type === undefined ? undefined : { kind, type };
}

export function readCompositeType(reader: ByteReader): CompositeType {
  const lead = reader.u8();
  switch (lead) {
    case TYPE.FUNC:
      return { kind: "func", type: { params: readValueTypes(reader), results: readValueTypes(reader) } };
    case TYPE.STRUCT:
      return { kind: "struct", ...readFields(reader) };
    case TYPE.ARRAY:
      return { kind: "array", elementBytes: readFieldType(reader) };
    default:
      reader.fail(`0x${lead.toString(16)} is not a kind of type`, reader.offset - 1);
  }
}

function readValueTypes(reader: ByteReader): ValueType[] {
  return Array.from({ length: reader.count("value types") }, () => readValueType(reader));
}

function readFields(reader: ByteReader): { readonly fields: number; readonly bytes: number } {
  const fields = reader.count("fields");
  let bytes = 0;
  for (let left = fields; left > 0; left--) bytes += readFieldType(reader);
  return { fields, bytes };
}

/** Returns the bytes that such a field takes. */
function readFieldType(reader: ByteReader): number {
  const packed = PACKED_BYTES.get(reader.peek());
  const type = packed === undefined ? readValueType(reader) : reader.u8();
  readMutability(reader);
  return packed ?? NUMBER_BYTES.get(String(type)) ?? 8;
}

const PACKED_BYTES: ReadonlyMap<number, number> = new Map([
  [0x78, 1],
  [0x77, 2],
]);
const NUMBER_BYTES: ReadonlyMap<string, number> = new Map([
  ["i32", 4],
  ["f32", 4],
  ["v128", 16],
]);

function readMutability(reader: ByteReader): boolean {
  const mutability = reader.u8();
  if (mutability > 1) reader.fail(`${mutability} is not a mutability`, reader.offset - 1);
  return mutability === 1;
}

export function readGlobalType(reader: ByteReader): GlobalType {
  return { type: readValueType(reader), mutable: readMutability(reader) };
}

export function readTableType(reader: ByteReader): TableType {
  return { type: readValueType(reader), limits: readLimits(reader) };
}

/** Flags of limits. */
const HAS_MAX = 1;
const SHARED = 2;
const IS_64 = 4;

export function readLimits(reader: ByteReader): Limits {
  const flags = reader.u8();
  if (flags > (HAS_MAX | SHARED | IS_64)) reader.fail(`unknown flags ${flags} of limits`, reader.offset - 1);
  const is64 = (flags & IS_64) !== 0;
  const shared = (flags & SHARED) !== 0;
  const read = (): number => (is64 ? reader.u64() : reader.u32());
  const min = read();
  return flags & HAS_MAX ? { min, max: read(), is64, shared } : { min, is64, shared };
}

export function limitsFlags(limits: Limits): number {
  return (limits.max === undefined ? 0 : HAS_MAX) | (limits.shared ? SHARED : 0) | (limits.is64 ? IS_64 : 0);
}

function readElementType(reader: ByteReader, hasExpressions: boolean): ValueType {
  if (hasExpressions) return readValueType(reader);
  if (reader.u8() !== 0) reader.fail("unknown kind of elements", reader.offset - 1);
  return "ref func";
}

function readBody(reader: ByteReader): Range {
  const size = reader.count("bytes");
  const start = reader.offset;
  reader.skip(size);
  return { start, end: reader.offset };
}
