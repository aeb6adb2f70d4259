// Writes the sections of a module of any kind, valid or not: it checks nothing.

import { ByteWriter, type Code, type Limits, OP } from "../../src/wasm/mod.ts";

const KINDS = { func: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;

export class SectionWriter {
  readonly #types: Uint8Array[] = [];
  readonly #imports: Uint8Array[] = [];
  readonly #functions: Uint8Array[] = [];
  readonly #tables: Uint8Array[] = [];
  readonly #memories: Uint8Array[] = [];
  readonly #tags: Uint8Array[] = [];
  readonly #globals: Uint8Array[] = [];
  readonly #exports: Uint8Array[] = [];
  readonly #elements: Uint8Array[] = [];
  readonly #data: Uint8Array[] = [];
  readonly #bodies: Uint8Array[] = [];
  readonly #customs: Uint8Array[] = [];
  #start: number | undefined;

  /** Equal types are written once. */
  type(encoded: Uint8Array): number {
    const known = this.#types.findIndex((type) => Buffer.compare(type, encoded) === 0);
    return known >= 0 ? known : this.#types.push(encoded) - 1;
  }

  importFunction(module: string, name: string, type: number): void {
    this.#imports.push(new ByteWriter().name(module).name(name).u8(0).u32(type).take());
  }

  memory({ min, max, is64, shared }: Limits): void {
    const flags = Number(max !== undefined) | (Number(shared) << 1) | (Number(is64) << 2);
    const entry = new ByteWriter().u8(flags).u32(min);
    this.#memories.push((max === undefined ? entry : entry.u32(max)).take());
  }

  table(min: number, max: number): void {
    this.#tables.push(new ByteWriter().u8(0x70, 1).u32(min).u32(max).take());
  }

  tag(type: number): void {
    this.#tags.push(new ByteWriter().u8(0).u32(type).take());
  }

  global(type: readonly number[], initialiser: Code): void {
    const entry = new ByteWriter().u8(...type);
    initialiser(entry);
    this.#globals.push(entry.u8(OP.END).take());
  }

  /** Returns the index among all functions, imported ones first. */
  func(type: number, locals: readonly number[], code: Code): number {
    const body = new ByteWriter().u32(locals.length);
    for (const local of locals) body.u8(1, local);
    code(body);
    this.#functions.push(new ByteWriter().u32(type).take());
    return (
      this.#imports.length + this.#bodies.push(new ByteWriter().sized(body.u8(OP.END).take()).take()) - 1
    );
  }

  export(name: string, kind: keyof typeof KINDS, index: number): void {
    this.#exports.push(new ByteWriter().name(name).u8(KINDS[kind]).u32(index).take());
  }

  start(index: number): void {
    this.#start = index;
  }

  /** For table 0, or passive. */
  elements(functions: readonly number[], where: "passive" | { readonly offset: number }): void {
    const entry = new ByteWriter();
    if (where === "passive") entry.u8(1, 0);
    else entry.u8(0, OP.I32_CONST).signed(where.offset).u8(OP.END);
    entry.u32(functions.length);
    for (const index of functions) entry.u32(index);
    this.#elements.push(entry.take());
  }

  data(bytes: Uint8Array, active: { readonly memory: number; readonly offset: number } | undefined): void {
    const entry = new ByteWriter();
    if (active) entry.u8(0, OP.I32_CONST).signed(active.offset).u8(OP.END);
    else entry.u8(1);
    this.#data.push(entry.sized(bytes).take());
  }

  custom(name: string, contents: Uint8Array): void {
    this.#customs.push(new ByteWriter().name(name).append(contents).take());
  }

  build(): Uint8Array {
    const out = new ByteWriter().u8(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);
    const section = (id: number, contents: Uint8Array) => out.u8(id).sized(contents);
    const vector = (id: number, elements: readonly Uint8Array[]) => {
      if (elements.length > 0) section(id, joined(elements));
    };
    vector(1, this.#types);
    vector(2, this.#imports);
    vector(3, this.#functions);
    vector(4, this.#tables);
    vector(5, this.#memories);
    vector(13, this.#tags);
    vector(6, this.#globals);
    vector(7, this.#exports);
    if (this.#start !== undefined) section(8, new ByteWriter().u32(this.#start).take());
    vector(9, this.#elements);
    if (this.#data.length > 0) section(12, new ByteWriter().u32(this.#data.length).take());
    vector(10, this.#bodies);
    vector(11, this.#data);
    for (const contents of this.#customs) section(0, contents);
    return out.take();
  }
}

function joined(elements: readonly Uint8Array[]): Uint8Array {
  const contents = new ByteWriter().u32(elements.length);
  for (const element of elements) contents.append(element);
  return contents.take();
}
