// Builds small core modules: shims between a guest and its host, and modules for tests.

import { ByteWriter } from "./byte-writer.ts";
import { limitsFlags } from "./layout.ts";
import type { FunctionType, GlobalType, Limits, TableType, ValueType } from "./module.ts";
import { EXTERN, OP, SECTION } from "./opcodes.ts";
import { encodeFunctionType, encodeValueType } from "./value-types.ts";

/** Writes instructions, without the `end` of the function. */
export type Code = (code: ByteWriter) => void;

/**
 * Every method that adds something returns its index. Imports of a kind come before definitions of
 * that kind.
 *
 * @example
 * const builder = new ModuleBuilder();
 * const log = builder.importFunction("host", "log", { params: ["i32"], results: [] });
 * const twice = builder.func({ params: ["i32"], results: [] }, [], (code) => {
 *   for (let i = 0; i < 2; i++) code.u8(OP.LOCAL_GET).u32(0).u8(OP.CALL).u32(log);
 * });
 * builder.exportFunction("twice", twice);
 * new WebAssembly.Module(builder.build());
 */
export class ModuleBuilder {
  readonly #types = new Map<string, { readonly index: number; readonly encoded: Uint8Array }>();
  readonly #imports: Uint8Array[] = [];
  readonly #functions: number[] = [];
  readonly #bodies: Uint8Array[] = [];
  readonly #tables: Uint8Array[] = [];
  readonly #memories: Uint8Array[] = [];
  readonly #globals: Uint8Array[] = [];
  readonly #exports: Uint8Array[] = [];
  readonly #elements: Uint8Array[] = [];
  readonly #counts = { func: 0, table: 0, memory: 0, global: 0 };

  /** Index of a function type; equal types are written once. */
  type(type: FunctionType): number {
    const key = `${type.params} -> ${type.results}`;
    let entry = this.#types.get(key);
    if (!entry) {
      entry = { index: this.#types.size, encoded: encodeFunctionType(type) };
      this.#types.set(key, entry);
    }
    return entry.index;
  }

  importFunction(module: string, name: string, type: FunctionType): number {
    if (this.#functions.length > 0) throw new Error("Functions are imported before any is defined");
    const entry = this.#importEntry(module, name).u8(EXTERN.FUNC).u32(this.type(type));
    this.#imports.push(entry.take());
    return this.#counts.func++;
  }

  importTable(module: string, name: string, type: TableType): number {
    if (this.#tables.length > 0) throw new Error("Tables are imported before any is defined");
    const entry = this.#importEntry(module, name).u8(EXTERN.TABLE);
    this.#imports.push(writeTableType(entry, type).take());
    return this.#counts.table++;
  }

  importMemory(module: string, name: string, limits: Limits): number {
    if (this.#memories.length > 0) throw new Error("Memories are imported before any is defined");
    const entry = this.#importEntry(module, name).u8(EXTERN.MEMORY);
    this.#imports.push(writeLimits(entry, limits).take());
    return this.#counts.memory++;
  }

  importGlobal(module: string, name: string, type: GlobalType): number {
    if (this.#globals.length > 0) throw new Error("Globals are imported before any is defined");
    const entry = this.#importEntry(module, name).u8(EXTERN.GLOBAL);
    this.#imports.push(writeGlobalType(entry, type).take());
    return this.#counts.global++;
  }

  #importEntry(module: string, name: string): ByteWriter {
    return new ByteWriter(64).name(module).name(name);
  }

  /** Defines a function; `locals` are those behind its parameters. */
  func(type: FunctionType, locals: readonly ValueType[], code: Code): number {
    const body = new ByteWriter().u32(locals.length);
    for (const local of locals) body.u8(1, ...encodeValueType(local));
    code(body);
    this.#functions.push(this.type(type));
    this.#bodies.push(body.u8(OP.END).take());
    return this.#counts.func++;
  }

  table(type: TableType): number {
    this.#tables.push(writeTableType(new ByteWriter(16), type).take());
    return this.#counts.table++;
  }

  memory(limits: Limits): number {
    this.#memories.push(writeLimits(new ByteWriter(16), limits).take());
    return this.#counts.memory++;
  }

  /** Defines a global; `initialiser` writes a constant expression. */
  global(type: GlobalType, initialiser: Code): number {
    const entry = writeGlobalType(new ByteWriter(16), type);
    initialiser(entry);
    this.#globals.push(entry.u8(OP.END).take());
    return this.#counts.global++;
  }

  /** Fills table 0 from an offset on when the module is instantiated. */
  elements(offset: number, functions: readonly number[]): void {
    const entry = new ByteWriter()
      .u8(0, OP.I32_CONST)
      .signed(offset | 0)
      .u8(OP.END);
    entry.u32(functions.length);
    for (const index of functions) entry.u32(index);
    this.#elements.push(entry.take());
  }

  exportFunction(name: string, index: number): void {
    this.#export(name, EXTERN.FUNC, index);
  }

  exportTable(name: string, index: number): void {
    this.#export(name, EXTERN.TABLE, index);
  }

  exportMemory(name: string, index: number): void {
    this.#export(name, EXTERN.MEMORY, index);
  }

  exportGlobal(name: string, index: number): void {
    this.#export(name, EXTERN.GLOBAL, index);
  }

  #export(name: string, kind: number, index: number): void {
    this.#exports.push(new ByteWriter(64).name(name).u8(kind).u32(index).take());
  }

  build(): Uint8Array {
    const out = new ByteWriter().append(MODULE_HEADER);
    writeVector(
      out,
      SECTION.TYPE,
      [...this.#types.values()].map(({ encoded }) => encoded),
    );
    writeVector(out, SECTION.IMPORT, this.#imports);
    writeVector(
      out,
      SECTION.FUNCTION,
      this.#functions.map((type) => new ByteWriter(8).u32(type).take()),
    );
    writeVector(out, SECTION.TABLE, this.#tables);
    writeVector(out, SECTION.MEMORY, this.#memories);
    writeVector(out, SECTION.GLOBAL, this.#globals);
    writeVector(out, SECTION.EXPORT, this.#exports);
    writeVector(out, SECTION.ELEMENT, this.#elements);
    writeVector(
      out,
      SECTION.CODE,
      this.#bodies.map((body) => new ByteWriter(body.length + 8).sized(body).take()),
    );
    return out.take();
  }
}

/** The bytes that every core module begins with. */
export const MODULE_HEADER = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);

/** Writes a section that is a vector of encoded elements; nothing if there are none. */
function writeVector(out: ByteWriter, id: number, elements: readonly Uint8Array[]): void {
  if (elements.length === 0) return;
  const contents = new ByteWriter().u32(elements.length);
  for (const element of elements) contents.append(element);
  out.u8(id).sized(contents.view());
}

export function writeLimits(writer: ByteWriter, limits: Limits): ByteWriter {
  writer.u8(limitsFlags(limits)).u64(limits.min);
  return limits.max === undefined ? writer : writer.u64(limits.max);
}

function writeTableType(writer: ByteWriter, type: TableType): ByteWriter {
  return writeLimits(writer.u8(...encodeValueType(type.type)), type.limits);
}

function writeGlobalType(writer: ByteWriter, type: GlobalType): ByteWriter {
  return writer.u8(...encodeValueType(type.type), type.mutable ? 1 : 0);
}
