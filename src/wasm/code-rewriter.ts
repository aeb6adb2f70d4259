// Rewrites function bodies: stores mark cards, memory.size and memory.grow become logical, loops and
// entries check the epoch. Everything else is copied in runs.
//
// One pass, no recursion: nesting does not matter. Code that is inserted leaves the operands as it
// found them, so it needs to know types only where operands must be set aside in new locals.

import { growBody, growTableBody, markBulkBody, spendArrayBody, spendBody } from "./added-functions.ts";
import { allocatedBytes, exceptionBytes } from "./allocations.ts";
import type { Appendix } from "./appendix.ts";
import { BranchHints } from "./branch-hints.ts";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { CompileCosts } from "./compile-cost.ts";
import { type ControlMemories, markedOffset, type StoredRange } from "./control.ts";
import type { DataSegments } from "./data-segments.ts";
import {
  type MemoryArgument,
  readMemoryArgument,
  skipBlockType,
  skipImmediates,
  skipPrefixedImmediates,
} from "./instructions.ts";
import { ABSOLUTE, KnownMarks } from "./known-marks.ts";
import type { Layout, Range } from "./layout.ts";
import { kindOfLoop } from "./leaf-loops.ts";
import { forgetAssigned } from "./loop-assignments.ts";
import type { ValueType } from "./module.ts";
import { ATOMIC, BULK, GC, OP, SIMD, TYPE } from "./opcodes.ts";
import { constantOf, constantOrigin, OperandStack, UNKNOWN } from "./operand-stack.ts";
import { CARD_SHIFT, CONTROL, HEAP_STEP_BYTES, TABLE_ELEMENTS_MAX } from "./rewritten.ts";
import { readValueType } from "./value-types.ts";

/** V8 takes no more, whatever the module says. */
const LOCALS_MAX = 50_000;
/** A rewritten body. V8 takes 7.6 MB, and aborts for some that are larger than this; 1.5 MB is the largest known of a real guest. */
const BODY_BYTES_MAX = 3 * 1024 * 1024;

/** Longer functions check the epoch even if they call nothing: they may be called a million times in a row. */
const QUIET_BYTES_MAX = 256;

/** Turns of short loops from one look at the epoch to the next: each takes less than a microsecond. */
const TURNS = 64;
/** Of the local that counts them, behind those of operands. */
const ROLE_TURNS = 3;

/** An instruction that writes what restoring memories and globals does not undo. */
export interface LastingWrite {
  readonly function: number;
  readonly instruction: string;
  readonly kind: "table" | "object";
}

/** Is told where each run of copied bytes went, relative to the code that is written, in order. */
export type OnRun = (rewritten: number, original: number, length: number) => void;

export interface CodeRewriterOptions {
  readonly cards: boolean;
  /** Function that is called when the guest is to tick, and the table that it asks; absent: no checks. */
  readonly tick: { readonly index: number; readonly table: number } | undefined;
  readonly onRun?: OnRun;
}

export class CodeRewriter {
  readonly #layout: Layout;
  readonly #appendix: Appendix;
  readonly #control: ControlMemories;
  readonly #data: DataSegments;
  readonly #options: CodeRewriterOptions;
  readonly #epochCheck: { readonly code: Uint8Array; readonly branch: number } | undefined;
  readonly #signatures: readonly Signature[];
  readonly #costs: CompileCosts;

  /** Flags of passive data segments that may be dropped: globals, by segment. */
  readonly dropFlags = new Map<number, number>();
  /** Whether something refers to the empty data segment behind the guest's own. */
  usesEmptySegment = false;
  readonly lastingWrites: LastingWrite[] = [];
  readonly branchHints = new BranchHints();

  /** Globals that say how many elements and bytes are left, if something asks. */
  tableElementsLeft: number | undefined;
  heapBytesLeft: number | undefined;

  readonly #growFunctions = new Map<number, number>();
  readonly #growTableFunctions = new Map<number, number>();
  #spendFunctionIndex: number | undefined;
  #spendArrayFunction: number | undefined;
  readonly #markBulkFunctions = new Map<string, number>();

  // The state of one function body.
  readonly #head = new ByteWriter();
  readonly #body = new ByteWriter(1 << 16);
  readonly #stack = new OperandStack();
  readonly #marks = new KnownMarks();
  #reader: ByteReader;
  #function = 0;
  /** Original bytes up to here have been copied or replaced. */
  #copied = 0;
  /** Where the instruction before this one begins if all it does is to push a local or a constant. */
  #simpleAt = NOWHERE;
  #locals = 0;
  /** Labels from the innermost to that of the leaf loop; 0 outside of one. */
  #leafLabels = 0;
  #temporaries: { readonly key: number; readonly type: number }[] = [];
  /** Without loops and calls, what a short function does ends soon; loops have checks of their own. */
  #endsSoon = true;
  /** Branches of epoch checks, by position in the body. */
  #branches: number[] = [];
  /** Triples of position in the body, original offset, length; only for `onRun`. */
  #runs: number[] = [];

  constructor(
    parts: { layout: Layout; appendix: Appendix; control: ControlMemories; data: DataSegments },
    options: CodeRewriterOptions,
  ) {
    this.#layout = parts.layout;
    this.#appendix = parts.appendix;
    this.#control = parts.control;
    this.#data = parts.data;
    this.#costs = new CompileCosts(parts.layout);
    this.#options = options;
    this.#reader = new ByteReader(parts.layout.bytes, { start: 0, end: 0 });
    this.#epochCheck = options.tick && this.#encodeEpochCheck(options.tick.index);
    this.#signatures = parts.layout.types.map((type) =>
      type.kind === "func"
        ? { params: type.type.params.length, results: type.type.results.length }
        : { params: 0, results: 0 },
    );
  }

  #encodeEpochCheck(tick: number): { readonly code: Uint8Array; readonly branch: number } {
    const code = new ByteWriter();
    const branch = this.#control.checkEpoch(code, tick);
    return { code: code.take(), branch };
  }

  /** Appends the rewritten body of a defined function, with its size in front. */
  rewrite(functionIndex: number, range: Range, out: ByteWriter): void {
    const reader = new ByteReader(this.#layout.bytes, range);
    this.#begin(functionIndex, reader);
    const groups = this.#readLocals();
    this.#costs.check(functionIndex, { start: reader.offset, end: range.end }, this.#locals);
    this.#copied = reader.offset;
    while (!reader.done) this.#instruction();
    this.#flush(range.end);
    this.#finish(groups, out);
  }

  #begin(functionIndex: number, reader: ByteReader): void {
    this.#reader = reader;
    this.#function = functionIndex;
    this.#body.clear();
    this.#stack.forget();
    this.#marks.clear();
    this.#simpleAt = NOWHERE;
    this.#leafLabels = 0;
    this.#temporaries = [];
    this.#endsSoon = reader.end - reader.offset <= QUIET_BYTES_MAX;
    this.#branches = [];
    this.#runs = [];
    this.#locals = this.#signatures[this.#layout.functions[functionIndex] ?? NOWHERE]?.params ?? 0;
  }

  /** Counts the locals; returns where their groups are. */
  #readLocals(): { readonly count: number; readonly range: Range } {
    const reader = this.#reader;
    const count = reader.count("groups of locals");
    const start = reader.offset;
    for (let left = count; left > 0; left--) {
      this.#locals += reader.u32();
      if (this.#locals > LOCALS_MAX) reader.fail(`more than ${LOCALS_MAX} locals`);
      readValueType(reader);
    }
    return { count, range: { start, end: reader.offset } };
  }

  #finish(groups: { readonly count: number; readonly range: Range }, out: ByteWriter): void {
    const head = this.#head;
    head.clear();
    head.u32(groups.count + this.#temporaries.length);
    head.copy(this.#layout.bytes, groups.range.start, groups.range.end);
    for (const { type } of this.#temporaries) head.op(1).op(type);
    const entry = this.#endsSoon ? undefined : this.#epochCheck;
    const entryBranch = head.length + (entry?.branch ?? 0);
    if (entry) head.append(entry.code);
    const branches = this.#branches.map((at) => head.length + at);
    if (entry) branches.unshift(entryBranch);
    this.branchHints.add(this.#function, branches);
    const size = head.length + this.#body.length;
    if (size > BODY_BYTES_MAX) {
      this.#reader.fail(
        `function ${this.#function} is too large once it marks what it stores`,
        groups.range.start,
      );
    }
    out.u32(size);
    this.#tellRuns({ head: out.length, body: out.length + head.length, code: groups.range.end });
    out.append(head.view()).append(this.#body.view());
  }

  /** The head, where the first check is, counts as the first instruction. */
  #tellRuns(start: { readonly head: number; readonly body: number; readonly code: number }): void {
    const { onRun } = this.#options;
    if (!onRun) return;
    onRun(start.head, start.code, 0);
    for (let at = 0; at < this.#runs.length; at += 3) {
      // Runs are pushed in triples.
      const [rewritten, original, length] = this.#runs.slice(at, at + 3) as [number, number, number];
      onRun(start.body + rewritten, original, length);
    }
  }

  /** Copies what has not been copied, up to an offset of the original. */
  #flush(until: number): ByteWriter {
    if (this.#options.onRun) this.#runs.push(this.#body.length, this.#copied, until - this.#copied);
    this.#body.copy(this.#layout.bytes, this.#copied, until);
    this.#copied = until;
    return this.#body;
  }

  /** Copies up to `start`, and leaves out what follows until where the reader is. */
  #replace(start: number): ByteWriter {
    const code = this.#flush(start);
    this.#copied = this.#reader.offset;
    return code;
  }

  /** Long, but flat: each instruction that is of interest has its case. */
  #instruction(): void {
    const reader = this.#reader;
    const at = reader.offset;
    const opcode = reader.u8();
    let simpleAt = NOWHERE;
    switch (opcode) {
      case OP.LOCAL_GET:
        this.#stack.push(reader.u32());
        simpleAt = at;
        break;
      case OP.LOCAL_SET:
      case OP.LOCAL_TEE:
        this.#assign(reader.u32(), opcode);
        break;
      case OP.I32_CONST:
        this.#stack.push(constantOrigin(reader.s33() >>> 0));
        simpleAt = at;
        break;
      case OP.I64_CONST:
      case OP.F32_CONST:
      case OP.F64_CONST:
        skipImmediates(reader, opcode);
        this.#stack.push(UNKNOWN);
        simpleAt = at;
        break;
      case OP.LOOP:
        this.#loop(at);
        break;
      case OP.BR:
      case OP.BR_IF:
        this.#branch(at, opcode);
        break;
      case OP.BLOCK:
      case OP.IF:
      case OP.TRY:
      case OP.TRY_TABLE:
        skipImmediates(reader, opcode);
        this.#stack.forget();
        this.#marks.enterBlock();
        if (this.#leafLabels > 0) this.#leafLabels++;
        break;
      case OP.ELSE:
      case OP.CATCH:
      case OP.CATCH_ALL:
        skipImmediates(reader, opcode);
        this.#stack.forget();
        this.#marks.alternate();
        break;
      case OP.DELEGATE:
      case OP.END:
        skipImmediates(reader, opcode);
        this.#stack.forget();
        this.#marks.leaveBlock();
        if (this.#leafLabels > 0 && --this.#leafLabels === 0) this.#flush(reader.offset).op(OP.END);
        break;
      case OP.I32_WRAP_I64:
        this.#stack.wrap();
        break;
      case OP.CALL:
      case OP.CALL_INDIRECT:
      case OP.RETURN_CALL:
      case OP.RETURN_CALL_INDIRECT:
      case OP.CALL_REF:
      case OP.RETURN_CALL_REF:
        this.#call(opcode);
        break;
      case OP.MEMORY_SIZE:
        this.#memorySize(at, reader.u32());
        break;
      case OP.MEMORY_GROW:
        this.#memoryGrow(at, reader.u32());
        break;
      case OP.THROW: {
        const tag = this.#signatures[this.#layout.tags[reader.u32()] ?? NOWHERE];
        this.#spend(at, { base: exceptionBytes(tag?.params ?? 0), each: 0 });
        this.#stack.forget();
        break;
      }
      case OP.TABLE_SET:
        reader.u32();
        this.#note("table", "table.set");
        this.#stack.apply(opcode);
        break;
      case OP.PREFIX_GC:
        this.#gc(at, reader.u32());
        break;
      case OP.PREFIX_BULK:
        this.#bulk(at, reader.u32());
        break;
      case OP.PREFIX_SIMD:
        this.#simd(at, reader.u32());
        break;
      case OP.PREFIX_ATOMIC:
        this.#atomic(at, reader.u32());
        break;
      default:
        if (opcode >= OP.I32_STORE && opcode <= OP.I64_STORE32) this.#store(at, opcode);
        else {
          skipImmediates(reader, opcode);
          this.#stack.apply(opcode);
        }
    }
    this.#simpleAt = simpleAt;
  }

  #assign(local: number, opcode: number): void {
    this.#marks.assign(local, this.#stack.originBelow(0), this.#stack.addendBelow(0));
    this.#stack.pop(1);
    this.#stack.overwrite(local);
    if (opcode === OP.LOCAL_TEE) this.#stack.push(local);
  }

  /**
   * A loop begins with a check; one whose turns are short, at the first of some turns. They are counted in
   * one local for all loops of the function, so that it is used up whichever of them turns.
   *
   * A leaf loop is put into one more, which has the check, and is left for that one after those turns: so it
   * is free of calls.
   *
   *     loop $turns  (check) (left = TURNS)
   *       loop $leaf  ...  (if --left <= 0, br $turns) br $leaf  ...  end
   *     end
   */
  #loop(at: number): void {
    const reader = this.#reader;
    const kind = this.#epochCheck ? kindOfLoop(reader) : "long";
    forgetAssigned(reader, this.#marks);
    skipBlockType(reader);
    this.#stack.forget();
    this.#marks.enterBlock();
    if (kind === "long") {
      this.#checkEpoch(reader.offset);
    } else if (kind === "short") {
      const code = this.#flush(reader.offset);
      this.#countTurn(code);
      code.op(OP.IF).op(TYPE.EMPTY);
      this.#checkEpochForTurns(reader.offset);
      code.op(OP.END);
    } else {
      this.#flush(at).copy(reader.bytes, at, reader.offset);
      this.#checkEpochForTurns(at);
      this.#leafLabels = 1;
    }
  }

  #checkEpochForTurns(at: number): void {
    this.#checkEpoch(at);
    this.#body.op(OP.I32_CONST).signed(TURNS).op(OP.LOCAL_SET).u32(this.#turnsLeft());
  }

  /** `[] -> [i32]`: whether no turns are left, as it is where a function begins; a branch on it follows. */
  #countTurn(code: ByteWriter): void {
    const left = this.#turnsLeft();
    code.op(OP.LOCAL_GET).u32(left).u8(OP.I32_CONST, 1, OP.I32_SUB, OP.LOCAL_TEE).u32(left);
    code.u8(OP.I32_CONST, 0, OP.I32_LE_S);
    this.#branches.push(code.length);
  }

  #turnsLeft(): number {
    return this.#temporary(TYPE.I32, ROLE_TURNS);
  }

  /** In a leaf loop, branches back to its start count, and those that leave it have farther to go. */
  #branch(at: number, opcode: number): void {
    const label = this.#reader.u32();
    this.#stack.apply(opcode);
    const labels = this.#leafLabels;
    if (label < labels - 1 || labels === 0) return;
    const code = this.#replace(at);
    if (label >= labels) {
      code.op(opcode).u32(label + 1);
      return;
    }
    const inner = opcode === OP.BR_IF ? 1 : 0;
    if (inner) code.op(OP.IF).op(TYPE.EMPTY);
    this.#countTurn(code);
    code
      .op(OP.BR_IF)
      .u32(label + inner + 1)
      .op(OP.BR)
      .u32(label + inner);
    if (inner) code.op(OP.END);
  }

  #checkEpoch(at: number): void {
    if (!this.#epochCheck) return;
    const code = this.#flush(at);
    this.#branches.push(code.length + this.#epochCheck.branch);
    code.append(this.#epochCheck.code);
  }

  #call(opcode: number): void {
    const reader = this.#reader;
    // What is imported may be another guest's.
    this.#endsSoon = false;
    const index = reader.u32();
    if (opcode === OP.CALL_INDIRECT || opcode === OP.RETURN_CALL_INDIRECT) reader.u32();
    const isByType = opcode !== OP.CALL && opcode !== OP.RETURN_CALL;
    const signature = this.#signatures[isByType ? index : (this.#layout.functions[index] ?? NOWHERE)];
    if (!signature) {
      this.#stack.forget();
      return;
    }
    this.#stack.pop(signature.params + (isByType ? 1 : 0));
    for (let left = signature.results; left > 0; left--) this.#stack.push(UNKNOWN);
  }

  #memorySize(at: number, memory: number): void {
    const code = this.#replace(at);
    this.#control.loadControl(code, memory, CONTROL.PAGES);
    if (this.#control.is64(memory)) code.u8(OP.I64_EXTEND_I32_U);
    this.#stack.push(UNKNOWN);
  }

  #memoryGrow(at: number, memory: number): void {
    this.#replace(at).u8(OP.CALL).u32(this.#growFunction(memory));
    this.#stack.apply(OP.MEMORY_GROW);
  }

  #growFunction(memory: number): number {
    let index = this.#growFunctions.get(memory);
    if (index === undefined) {
      const address: ValueType = this.#control.is64(memory) ? "i64" : "i32";
      const type = this.#appendix.type([address], [address]);
      index = this.#appendix.func(type, growBody(this.#control, memory));
      this.#growFunctions.set(memory, index);
    }
    return index;
  }

  #store(at: number, opcode: number): void {
    const argument = readMemoryArgument(this.#reader);
    // Both tables have an entry for each opcode from i32.store to i64.store32.
    const bytes = STORE_BYTES[opcode - OP.I32_STORE] as number;
    const type = STORE_TYPES[opcode - OP.I32_STORE] as number;
    this.#mark(at, { ...argument, bytes, values: [type] });
    this.#stack.pop(2);
  }

  #simd(at: number, opcode: number): void {
    if (opcode === SIMD.V128_STORE) {
      this.#mark(at, { ...readMemoryArgument(this.#reader), bytes: 16, values: [TYPE.V128] });
      this.#stack.pop(2);
      return;
    }
    if (opcode >= SIMD.V128_STORE8_LANE && opcode <= SIMD.V128_STORE64_LANE) {
      const argument = readMemoryArgument(this.#reader);
      this.#reader.skip(1);
      const bytes = 1 << (opcode - SIMD.V128_STORE8_LANE);
      this.#mark(at, { ...argument, bytes, values: [TYPE.V128] });
      this.#stack.pop(2);
      return;
    }
    skipPrefixedImmediates(this.#reader, OP.PREFIX_SIMD, opcode);
    this.#stack.forget();
  }

  #atomic(at: number, opcode: number): void {
    const writes =
      (opcode >= ATOMIC.I32_STORE && opcode < ATOMIC.RMW_FIRST) ||
      (opcode >= ATOMIC.RMW_FIRST && opcode <= ATOMIC.CMPXCHG_LAST);
    if (!writes) {
      skipPrefixedImmediates(this.#reader, OP.PREFIX_ATOMIC, opcode);
      // A wait would block the thread for all guests, and there is nobody who could end it: it traps, as
      // it does wherever an agent must not block.
      if (opcode === ATOMIC.WAIT32 || opcode === ATOMIC.WAIT64) this.#replace(at).u8(OP.UNREACHABLE);
      this.#stack.forget();
      return;
    }
    const argument = readMemoryArgument(this.#reader);
    const variant = (opcode - ATOMIC.I32_STORE) % ATOMIC_BYTES.length;
    // The remainder is an index of both tables, which are of the same length.
    const bytes = ATOMIC_BYTES[variant] as number;
    const type = ATOMIC_TYPES[variant] as number;
    const values = opcode >= ATOMIC.CMPXCHG_FIRST ? [type, type] : [type];
    this.#mark(at, { ...argument, bytes, values });
    this.#stack.pop(values.length + 1);
    if (opcode >= ATOMIC.RMW_FIRST) this.#stack.push(UNKNOWN);
  }

  /**
   * Inserts a mark before an instruction that stores; `values` are the types of the operands above the
   * address. The address is taken from a local that still has it, else from a new one.
   */
  #mark(
    at: number,
    store: MemoryArgument & { readonly bytes: number; readonly values: readonly number[] },
  ): void {
    if (!this.#options.cards) return;
    const { values, memory } = store;
    const origin = this.#stack.originBelow(values.length);
    const constant = constantOf(origin);
    if (constant !== undefined) {
      this.#markConstant(at, { ...store, offset: constant + store.offset });
      return;
    }
    if (origin !== UNKNOWN) {
      const addend = this.#stack.addendBelow(values.length);
      if (this.#marks.covers(origin, { ...store, offset: addend + store.offset })) return;
      this.#marks.add(origin, memory, addend + markedOffset(store));
      this.#control.markStore(this.#flush(at), { origin, addend }, store);
      return;
    }
    const address = this.#temporary(this.#control.addressType(memory), 0);
    if (values.length === 1 && this.#simpleAt !== NOWHERE) {
      // The value is pushed by the instruction just before: the mark goes in front of that one.
      const code = this.#flush(this.#simpleAt).op(OP.LOCAL_TEE).u32(address);
      this.#control.markStore(code, { origin: address, addend: 0 }, store);
      return;
    }
    const code = this.#flush(at);
    const kept = values.map((type, slot) => this.#temporary(type, slot + 1));
    for (const value of kept.toReversed()) code.op(OP.LOCAL_SET).u32(value);
    code.op(OP.LOCAL_TEE).u32(address);
    this.#control.markStore(code, { origin: address, addend: 0 }, store);
    for (const value of kept) code.op(OP.LOCAL_GET).u32(value);
  }

  #markConstant(at: number, range: StoredRange): void {
    // Nothing is there to be written to.
    if (range.offset >= ADDRESSES_END || this.#marks.covers(ABSOLUTE, range)) return;
    const card = Math.floor(range.offset / 2 ** CARD_SHIFT);
    this.#marks.add(ABSOLUTE, range.memory, card * 2 ** CARD_SHIFT);
    this.#control.markCard(this.#flush(at), range.memory, card);
  }

  /** A new local for a role (0: address, then the operands above it, ROLE_TURNS); functions have one for each type and role. */
  #temporary(type: number, role: number): number {
    const key = type * 4 + role;
    let position = this.#temporaries.findIndex((temporary) => temporary.key === key);
    if (position < 0) position = this.#temporaries.push({ key, type }) - 1;
    return this.#locals + position;
  }

  #bulk(at: number, opcode: number): void {
    const reader = this.#reader;
    switch (opcode) {
      case BULK.MEMORY_INIT: {
        const segment = reader.u32();
        const memory = reader.u32();
        this.#markBulk(at, { memory, x: "i32", lengthIs64: false });
        this.#readSegment(at, segment, {
          blockType: () => this.#appendix.type([this.#address(memory), "i32", "i32"], []),
          emit: (code, index) => code.u8(OP.PREFIX_BULK, BULK.MEMORY_INIT).u32(index).u32(memory),
        });
        break;
      }
      case BULK.DATA_DROP:
        this.#dropSegment(at, reader.u32());
        break;
      case BULK.MEMORY_COPY: {
        const memory = reader.u32();
        const x = this.#address(reader.u32());
        this.#markBulk(at, { memory, x, lengthIs64: x === "i64" && this.#control.is64(memory) });
        break;
      }
      case BULK.MEMORY_FILL: {
        const memory = reader.u32();
        this.#markBulk(at, { memory, x: "i32", lengthIs64: this.#control.is64(memory) });
        break;
      }
      default: {
        const name = TABLE_WRITES.get(opcode);
        if (name !== undefined) {
          this.#note("table", name);
          this.#checkEpoch(at);
        }
        if (opcode === BULK.TABLE_GROW) {
          const table = reader.u32();
          this.#replace(at).u8(OP.CALL).u32(this.#growTableFunction(table));
        } else {
          skipPrefixedImmediates(reader, OP.PREFIX_BULK, opcode);
        }
      }
    }
    this.#stack.forget();
  }

  #growTableFunction(table: number): number {
    const type = this.#layout.tables[table];
    if (!type) this.#reader.fail(`there is no table ${table}`);
    let index = this.#growTableFunctions.get(table);
    if (index === undefined) {
      this.tableElementsLeft ??= this.#appendix.global(
        Uint8Array.of(TYPE.I64),
        encodeConstant(Math.max(0, TABLE_ELEMENTS_MAX - this.#layout.tableElements)),
      );
      const { is64 } = type.limits;
      const address: ValueType = is64 ? "i64" : "i32";
      index = this.#appendix.func(
        this.#appendix.type([type.type, address], [address]),
        growTableBody({ table, is64, left: this.tableElementsLeft, spend: this.#spendFunction() }),
      );
      this.#growTableFunctions.set(table, index);
    }
    return index;
  }

  #address(memory: number): ValueType {
    return this.#control.is64(memory) ? "i64" : "i32";
  }

  /** Inserts a call that marks before a bulk operation with the operands address, `x`, length. */
  #markBulk(at: number, operation: { memory: number; x: ValueType; lengthIs64: boolean }): void {
    if (!this.#options.cards) return;
    this.#flush(at).u8(OP.CALL).u32(this.#markBulkFunction(operation));
  }

  #markBulkFunction({
    memory,
    x,
    lengthIs64,
  }: {
    memory: number;
    x: ValueType;
    lengthIs64: boolean;
  }): number {
    const types: ValueType[] = [this.#address(memory), x, lengthIs64 ? "i64" : "i32"];
    const key = `${memory} ${types}`;
    let index = this.#markBulkFunctions.get(key);
    if (index === undefined) {
      const body = markBulkBody(this.#control, { memory, lengthIs64, tick: this.#options.tick?.index });
      index = this.#appendix.func(this.#appendix.type(types, types), body);
      this.#markBulkFunctions.set(key, index);
    }
    return index;
  }

  /**
   * An instruction that reads a data segment. Active segments count as dropped, since instantiation
   * drops them; a passive one is read unless its flag says that the guest has dropped it.
   */
  #readSegment(
    at: number,
    segment: number,
    instruction: { blockType: () => number; emit: (code: ByteWriter, segment: number) => void },
  ): void {
    this.usesEmptySegment = true;
    const { empty } = this.#data;
    const code = this.#replace(at);
    if (this.#layout.data[segment]?.active) {
      instruction.emit(code, empty);
      return;
    }
    const index = this.#data.indexOf(segment) ?? this.#reader.fail(`there is no data segment ${segment}`);
    code.u8(OP.GLOBAL_GET).u32(this.#dropFlag(segment)).u8(OP.IF).signed(instruction.blockType());
    instruction.emit(code, empty);
    code.u8(OP.ELSE);
    instruction.emit(code, index);
    code.u8(OP.END);
  }

  #dropSegment(at: number, segment: number): void {
    const code = this.#replace(at);
    if (this.#layout.data[segment]?.active) return;
    code.u8(OP.I32_CONST, 1, OP.GLOBAL_SET).u32(this.#dropFlag(segment));
  }

  #dropFlag(segment: number): number {
    let flag = this.dropFlags.get(segment);
    if (flag === undefined) {
      flag = this.#appendix.global(Uint8Array.of(TYPE.I32), Uint8Array.of(OP.I32_CONST, 0));
      this.dropFlags.set(segment, flag);
    }
    return flag;
  }

  #gc(at: number, opcode: number): void {
    const reader = this.#reader;
    const name = OBJECT_WRITES.get(opcode);
    if (name !== undefined) this.#note("object", name);
    if (ARRAY_BULK.has(opcode)) this.#checkEpoch(at);
    const bytes = allocatedBytes(this.#layout.types, reader, opcode);
    if (bytes) this.#spend(at, bytes);
    if (opcode === GC.ARRAY_NEW_DATA || opcode === GC.ARRAY_INIT_DATA) {
      const type = reader.u32();
      const segment = reader.u32();
      this.#readSegment(at, segment, {
        blockType: () =>
          opcode === GC.ARRAY_NEW_DATA
            ? this.#appendix.type(["i32", "i32"], [`ref ${type}`])
            : this.#appendix.type([`ref null ${type}`, "i32", "i32", "i32"], []),
        emit: (code, index) => code.u8(OP.PREFIX_GC, opcode).u32(type).u32(index),
      });
    } else {
      skipPrefixedImmediates(reader, OP.PREFIX_GC, opcode);
    }
    this.#stack.forget();
  }

  /** Inserts what asks whether so much may still be allocated; if there is `each`, a length is on top. */
  #spend(at: number, bytes: { readonly base: number; readonly each: number }): void {
    const spend = this.#spendFunction();
    if (spend === undefined) return;
    const code = this.#flush(at).u8(OP.I64_CONST);
    if (bytes.each === 0) {
      code.signed(bytes.base).u8(OP.CALL).u32(spend);
      return;
    }
    this.#spendArrayFunction ??= this.#appendix.func(
      this.#appendix.type(["i32", "i64"], ["i32"]),
      spendArrayBody(spend),
    );
    code.signed(bytes.each).u8(OP.CALL).u32(this.#spendArrayFunction);
  }

  /** Absent where there is nobody to ask. */
  #spendFunction(): number | undefined {
    const { tick } = this.#options;
    if (!tick) return undefined;
    this.heapBytesLeft ??= this.#appendix.global(Uint8Array.of(TYPE.I64), encodeConstant(HEAP_STEP_BYTES));
    this.#spendFunctionIndex ??= this.#appendix.func(
      this.#appendix.type(["i64"], []),
      spendBody({ left: this.heapBytesLeft, ticks: tick.table, spent: this.#appendix.type([], []) }),
    );
    return this.#spendFunctionIndex;
  }

  #note(kind: LastingWrite["kind"], instruction: string): void {
    this.lastingWrites.push({ kind, instruction, function: this.#function });
  }
}

function encodeConstant(value: number): Uint8Array {
  return new ByteWriter(16).u8(OP.I64_CONST).signed(value).take();
}

interface Signature {
  readonly params: number;
  readonly results: number;
}

const NOWHERE = -1;
/** Where addresses of 32 bits end. */
const ADDRESSES_END = 2 ** 32;

/** Bytes written, and type of the value, of i32.store and the opcodes that follow it. */
const STORE_BYTES = [4, 8, 4, 8, 1, 2, 1, 2, 4];
const STORE_TYPES = [
  TYPE.I32,
  TYPE.I64,
  TYPE.F32,
  TYPE.F64,
  TYPE.I32,
  TYPE.I32,
  TYPE.I64,
  TYPE.I64,
  TYPE.I64,
];

/** The same for the seven variants of each atomic access. */
const ATOMIC_BYTES = [4, 8, 1, 2, 1, 2, 4];
const ATOMIC_TYPES = [TYPE.I32, TYPE.I64, TYPE.I32, TYPE.I32, TYPE.I64, TYPE.I64, TYPE.I64];

const TABLE_WRITES: ReadonlyMap<number, string> = new Map([
  [BULK.TABLE_INIT, "table.init"],
  [BULK.ELEM_DROP, "elem.drop"],
  [BULK.TABLE_COPY, "table.copy"],
  [BULK.TABLE_GROW, "table.grow"],
  [BULK.TABLE_FILL, "table.fill"],
]);

/** What takes the longer the more elements there are. */
const ARRAY_BULK: ReadonlySet<number> = new Set([
  GC.ARRAY_NEW,
  GC.ARRAY_NEW_DEFAULT,
  GC.ARRAY_NEW_DATA,
  GC.ARRAY_NEW_ELEM,
  GC.ARRAY_FILL,
  GC.ARRAY_COPY,
  GC.ARRAY_INIT_DATA,
  GC.ARRAY_INIT_ELEM,
]);

const OBJECT_WRITES: ReadonlyMap<number, string> = new Map([
  [GC.STRUCT_SET, "struct.set"],
  [GC.ARRAY_SET, "array.set"],
  [GC.ARRAY_FILL, "array.fill"],
  [GC.ARRAY_COPY, "array.copy"],
  [GC.ARRAY_INIT_DATA, "array.init_data"],
  [GC.ARRAY_INIT_ELEM, "array.init_elem"],
]);
