// Writes the rewritten module: sections are copied, or extended at their end.
//
// rewritten.ts says what comes out. Nothing that the guest has gets another index.

import { copyGlobalsBody, initializeDataBody, tickBody } from "./added-functions.ts";
import { Appendix, unusedName } from "./appendix.ts";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { CodeRewriter, type OnRun } from "./code-rewriter.ts";
import { ControlMemories } from "./control.ts";
import { DataSegments } from "./data-segments.ts";
import { type Layout, type Range, SECTION_ORDER, type Section } from "./layout.ts";
import type { Limits } from "./module.ts";
import { writeLimits } from "./module-builder.ts";
import { EXTERN, OP, SECTION, TYPE } from "./opcodes.ts";
import type { RewriteHooks, RewriteOptions } from "./rewritten.ts";

/** Pages of a memory whose module sets no maximum: all that its addresses can reach, in V8. */
const PAGES_MAX = 65536;
const PAGES_MAX_64 = 262144;

/** A card table for the largest memory (256 GiB) and its control block. */
const CARD_TABLE_LIMITS: Limits = { min: 1, max: 1025, is64: false, shared: false };
const EPOCH_LIMITS: Limits = { min: 1, max: 1, is64: false, shared: true };

/** Positional sections of a code or debugging tool; they would be wrong after rewriting. */
const POSITIONAL_SECTIONS = /^(\.debug_|reloc\.|metadata\.code\.|linking$|sourceMappingURL$)/;

export class ModuleRewriter {
  readonly importModule: string;
  /** Filled by `write`. */
  hooks: RewriteHooks = {};
  /** Where the rewritten bodies begin and end in what `write` has written. */
  bodies: Range = { start: 0, end: 0 };
  readonly code: CodeRewriter;
  readonly #layout: Layout;
  readonly #options: Required<RewriteOptions>;
  readonly #appendix: Appendix;
  readonly #control: ControlMemories;
  readonly #data: DataSegments;
  readonly #tick: { readonly index: number; readonly table: number } | undefined;
  readonly #out: ByteWriter;

  constructor(layout: Layout, options: RewriteOptions, onRun?: OnRun) {
    this.#layout = layout;
    this.#options = { cards: options.cards ?? true, epoch: options.epoch ?? true };
    this.#appendix = new Appendix(layout);
    this.#control = new ControlMemories(layout);
    this.#data = new DataSegments(layout);
    this.importModule = unusedName("spindle", new Set(layout.imports.map(({ module }) => module)));
    this.#tick = this.#options.epoch && layout.functions.length > 0 ? this.#addTick() : undefined;
    this.code = new CodeRewriter(
      { layout, appendix: this.#appendix, control: this.#control, data: this.#data },
      { cards: this.#options.cards, tick: this.#tick, ...(onRun && { onRun }) },
    );
    this.#out = new ByteWriter(layout.bytes.length + (layout.bytes.length >> 1));
  }

  #addTick(): { readonly index: number; readonly table: number } {
    const table = this.#layout.tables.length;
    const poll = this.#appendix.type([], ["i32"]);
    const wait = this.#appendix.type([], []);
    return { index: this.#appendix.func(wait, tickBody(table, { poll, wait })), table };
  }

  write(): Uint8Array {
    const code = this.#rewriteBodies();
    this.hooks = this.#addHooks();
    this.#out.append(this.#layout.bytes.subarray(0, 8));
    let next = 0;
    for (const section of this.#layout.sections) {
      if (section.id === SECTION.CUSTOM) {
        this.#copyCustom(section);
        continue;
      }
      for (; SECTION_ORDER[next] !== section.id; next++)
        this.#writeSection(SECTION_ORDER[next], undefined, code);
      this.#writeSection(section.id, section, code);
      next++;
    }
    for (; next < SECTION_ORDER.length; next++) this.#writeSection(SECTION_ORDER[next], undefined, code);
    return this.#out.take();
  }

  #rewriteBodies(): ByteWriter {
    const { bodies, importedFunctions } = this.#layout;
    const size = bodies.reduce((sum, { start, end }) => sum + end - start, 0);
    const code = new ByteWriter(size + (size >> 1));
    for (const [position, range] of bodies.entries())
      this.code.rewrite(importedFunctions + position, range, code);
    return code;
  }

  #addHooks(): RewriteHooks {
    const { startFunction } = this.#layout;
    const pairs = this.#addShadows();
    const { merged } = this.#data;
    const hasActiveData = merged.some(({ active }) => active);
    return {
      ...(hasActiveData && {
        initializeData: this.#hook("initialize-data", initializeDataBody(this.#layout, merged)),
      }),
      ...(startFunction !== undefined && {
        start: this.#appendix.export("start", EXTERN.FUNC, startFunction),
      }),
      ...(pairs.length > 0 && {
        save: this.#hook(
          "save",
          copyGlobalsBody(pairs.map(({ global, shadow }) => ({ from: global, to: shadow }))),
        ),
        restore: this.#hook(
          "restore",
          copyGlobalsBody(pairs.map(({ global, shadow }) => ({ from: shadow, to: global }))),
        ),
      }),
      ...(this.code.tableElementsLeft !== undefined && {
        tableElementsLeft: this.#appendix.export(
          "table-elements-left",
          EXTERN.GLOBAL,
          this.code.tableElementsLeft,
        ),
      }),
      ...(this.code.heapBytesLeft !== undefined && {
        heapBytesLeft: this.#appendix.export("heap-bytes-left", EXTERN.GLOBAL, this.code.heapBytesLeft),
      }),
      ...(this.#tick && { ticks: this.#appendix.export("ticks", EXTERN.TABLE, this.#tick.table) }),
    };
  }

  #hook(name: string, body: Uint8Array): string {
    return this.#appendix.export(name, EXTERN.FUNC, this.#appendix.func(this.#appendix.type([], []), body));
  }

  /** A second global for each that can change, begun with the same value: that works for every type. */
  #addShadows(): { readonly global: number; readonly shadow: number }[] {
    const { bytes, globals } = this.#layout;
    const pairs = [...this.code.dropFlags.values()].map((global) => ({
      global,
      shadow: this.#appendix.global(Uint8Array.of(TYPE.I32), Uint8Array.of(OP.I32_CONST, 0)),
    }));
    if (this.code.heapBytesLeft !== undefined) {
      const shadow = this.#appendix.global(Uint8Array.of(TYPE.I64), Uint8Array.of(OP.I64_CONST, 0));
      pairs.push({ global: this.code.heapBytesLeft, shadow });
    }
    for (const [global, { mutable, initialiser }] of globals.entries()) {
      if (!mutable || !initialiser) continue;
      const { type, expression } = initialiser;
      const shadow = this.#appendix.global(
        bytes.subarray(type.start, type.end),
        bytes.subarray(expression.start, expression.end),
      );
      pairs.push({ global, shadow });
    }
    return pairs;
  }

  #copyCustom(section: Section): void {
    const { bytes } = this.#layout;
    const name = new ByteReader(bytes, { start: section.contents, end: section.end }).name();
    if (!POSITIONAL_SECTIONS.test(name)) this.#out.copy(bytes, section.start, section.end);
  }

  #writeSection(id: number | undefined, section: Section | undefined, code: ByteWriter): void {
    const { types, functions, bodies, globals, exports } = this.#appendix;
    switch (id) {
      case SECTION.TYPE:
        this.#extend(id, section, types);
        break;
      case SECTION.IMPORT:
        this.#writeImports(section);
        break;
      case SECTION.FUNCTION:
        this.#extend(id, section, functions.map(encodeIndex));
        break;
      case SECTION.TABLE:
        this.#extend(id, section, this.#tick ? [Uint8Array.of(TYPE.FUNCREF, 1, 3, 3)] : []);
        break;
      case SECTION.GLOBAL:
        this.#extend(id, section, globals);
        break;
      case SECTION.EXPORT:
        this.#extend(id, section, exports);
        break;
      case SECTION.DATA_COUNT:
        this.#writeDataCount();
        break;
      case SECTION.CODE:
        this.#writeCode(bodies, code);
        break;
      case SECTION.DATA:
        this.#writeData();
        break;
      case SECTION.MEMORY:
      case SECTION.START:
        return;
      case SECTION.TAG:
      case SECTION.ELEMENT:
        if (section) this.#out.copy(this.#layout.bytes, section.start, section.end);
        return;
    }
  }

  /** Copies a section that is a vector, with elements added behind it. */
  #extend(id: number, section: Section | undefined, added: readonly Uint8Array[]): void {
    if (added.length === 0) {
      if (section) this.#out.copy(this.#layout.bytes, section.start, section.end);
      return;
    }
    const contents = new ByteWriter();
    const reader =
      section && new ByteReader(this.#layout.bytes, { start: section.contents, end: section.end });
    contents.u32((reader?.u32() ?? 0) + added.length);
    if (reader) contents.copy(reader.bytes, reader.offset, reader.end);
    for (const element of added) contents.append(element);
    this.#out.u8(id).sized(contents.view());
  }

  #writeImports(section: Section | undefined): void {
    const added = this.#addedImports();
    if (!section && added.length === 0) return;
    const contents = new ByteWriter();
    contents.u32(this.#layout.imports.length + added.length);
    if (section) this.#copyImports(section, contents);
    for (const element of added) contents.append(element);
    this.#out.u8(SECTION.IMPORT).sized(contents.view());
  }

  /** Copies the guest's imports; the limits of memories get the maximum that they may lack. */
  #copyImports(section: Section, contents: ByteWriter): void {
    const { bytes, importedMemoryLimits, memories } = this.#layout;
    const reader = new ByteReader(bytes, { start: section.contents, end: section.end });
    reader.u32();
    let copied = reader.offset;
    for (const [memory, range] of importedMemoryLimits.entries()) {
      contents.copy(bytes, copied, range.start);
      const limits = memories[memory];
      if (limits) writeLimits(contents, bounded(limits));
      copied = range.end;
    }
    contents.copy(bytes, copied, reader.end);
  }

  #addedImports(): Uint8Array[] {
    const { memories, importedMemories } = this.#layout;
    const imports: Uint8Array[] = [];
    const add = (name: string, limits: Limits): void => {
      const entry = new ByteWriter(64).name(this.importModule).name(name).u8(EXTERN.MEMORY);
      writeLimits(entry, limits);
      imports.push(entry.take());
    };
    for (const [memory, limits] of memories.entries()) {
      if (memory >= importedMemories) add(`memory${memory}`, bounded(limits));
    }
    for (const memory of memories.keys()) add(`cards${memory}`, CARD_TABLE_LIMITS);
    add("epoch", EPOCH_LIMITS);
    return imports;
  }

  get #dataSegments(): number {
    return this.#data.merged.length + (this.code.usesEmptySegment ? 1 : 0);
  }

  #writeDataCount(): void {
    if (this.#dataSegments === 0) return;
    this.#out.u8(SECTION.DATA_COUNT).sized(encodeIndex(this.#dataSegments));
  }

  #writeCode(added: readonly Uint8Array[], code: ByteWriter): void {
    const count = encodeIndex(this.#layout.bodies.length + added.length);
    const tail = new ByteWriter();
    for (const body of added) tail.sized(body);
    if (code.length + tail.length === 0) return;
    this.code.branchHints.write(this.#out);
    this.#out.u8(SECTION.CODE).u32(count.length + code.length + tail.length);
    const start = this.#out.length + count.length;
    this.bodies = { start, end: start + code.length };
    this.#out.append(count).append(code.view()).append(tail.view());
  }

  /** All segments become passive; `initializeData` writes those that were active. */
  #writeData(): void {
    if (this.#dataSegments === 0) return;
    const { merged } = this.#data;
    const contents = new ByteWriter(merged.reduce((sum, { length }) => sum + length + 6, 8));
    contents.u32(this.#dataSegments);
    for (const { pieces, length } of merged) {
      contents.u8(PASSIVE).u32(length);
      for (const { gap, bytes } of pieces) {
        contents.zeros(gap).copy(this.#layout.bytes, bytes.start, bytes.end);
      }
    }
    if (this.code.usesEmptySegment) contents.u8(PASSIVE, 0);
    this.#out.u8(SECTION.DATA).sized(contents.view());
  }
}

/** Flags of a passive data segment. */
const PASSIVE = 1;

function encodeIndex(index: number): Uint8Array {
  return new ByteWriter(8).u32(index).take();
}

function bounded(limits: Limits): Limits & { readonly max: number } {
  return { ...limits, max: limits.max ?? (limits.is64 ? PAGES_MAX_64 : PAGES_MAX) };
}
