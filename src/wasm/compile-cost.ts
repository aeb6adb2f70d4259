// Estimates what V8 has to do to compile a function, so that none is let in that would end the process.
//
// V8 takes functions of up to 7.6 MB, but few bytes can stand for much code: a structure of two
// thousand fields is made by as many stores, a branch settles where all locals and operands are, a loop
// has a phi for each local that is assigned in it. Where the code outgrows V8's largest buffer, or a
// phase of its optimiser the memory of the machine, the process aborts; and while V8 compiles what is
// about to be called, nothing can interrupt it.

import { ByteReader } from "./byte-reader.ts";
import { skipBlockType, skipImmediates, skipPrefixedImmediates } from "./instructions.ts";
import type { Layout, Range } from "./layout.ts";
import type { CompositeType } from "./module.ts";
import { GC, OP, TYPE } from "./opcodes.ts";

/**
 * In places to settle. At this cost V8 takes up to a third of a second and 400 MB before the first call;
 * the costliest functions of CPython, SpiderMonkey and large Go and Rust programs stay below a third of it.
 */
const COMPILE_COST_MAX = 16_000_000;

/** The optimiser needs a phi for each local in each loop around an assignment: 200 bytes. */
const LOOP_WEIGHT = 16;
/** A field is set by an instruction of eight bytes. */
const FIELD_WEIGHT = 4;

export class CompileCosts {
  readonly #layout: Layout;
  /** The most that two bytes of code can stand for, beside the locals and operands to settle. */
  readonly #densest: number;

  constructor(layout: Layout) {
    this.#layout = layout;
    const costs = layout.types.map((type) => {
      if (type.kind === "func") return moved(widthOf(type));
      return type.kind === "struct" ? FIELD_WEIGHT * type.fields : 0;
    });
    this.#densest = costs.reduce((most, cost) => Math.max(most, cost), 0);
  }

  /**
   * Looks at the instructions of a body.
   *
   * @throws MalformedModuleError
   */
  check(functionIndex: number, code: Range, locals: number): void {
    const bytes = code.end - code.start;
    // Most functions cannot cost too much: at worst half of the bytes push operands, and the others settle them.
    if ((bytes / 2) * (LOOP_WEIGHT * (locals + bytes) + this.#densest) <= COMPILE_COST_MAX) return;
    const reader = new ByteReader(this.#layout.bytes, code);
    const cost = new FunctionCost(this.#layout, locals);
    while (!reader.done) {
      cost.instruction(reader);
      if (cost.total > COMPILE_COST_MAX) reader.fail(`function ${functionIndex} is too complex`, code.start);
    }
  }
}

/** What it costs to move values between stack and registers: V8 takes the square of their number. */
function moved(values: number): number {
  return values + (values * values) / 64;
}

function widthOf(type: CompositeType | undefined): number {
  return type?.kind === "func" ? type.type.params.length + type.type.results.length : 0;
}

interface Block {
  readonly height: number;
  readonly results: number;
  readonly isLoop: boolean;
}

class FunctionCost {
  total = 0;
  readonly #layout: Layout;
  readonly #locals: number;
  /** At least the number of operands: of what is not known, they are one more. */
  #height = 0;
  /** The most values that a block of this function has taken or given. */
  #width = 0;
  readonly #blocks: Block[] = [];
  #loops = 0;

  constructor(layout: Layout, locals: number) {
    this.#layout = layout;
    this.#locals = locals;
  }

  /** Long, but flat. */
  instruction(reader: ByteReader): void {
    const opcode = reader.u8();
    switch (opcode) {
      case OP.BLOCK:
      case OP.LOOP:
      case OP.IF:
      case OP.TRY:
      case OP.TRY_TABLE:
        this.#enter(opcode, reader);
        return;
      case OP.ELSE:
      case OP.CATCH_ALL:
        this.#rewind();
        return;
      case OP.CATCH:
        this.#rewind();
        this.#move(this.#widthOf(this.#layout.tags[reader.u32()]));
        return;
      case OP.END:
      case OP.DELEGATE:
        skipImmediates(reader, opcode);
        this.#leave();
        return;
      case OP.CALL:
      case OP.RETURN_CALL:
        this.#move(this.#widthOf(this.#layout.functions[reader.u32()]));
        return;
      case OP.CALL_INDIRECT:
      case OP.RETURN_CALL_INDIRECT:
      case OP.CALL_REF:
      case OP.RETURN_CALL_REF:
        this.#move(this.#widthOf(reader.u32()));
        if (opcode === OP.CALL_INDIRECT || opcode === OP.RETURN_CALL_INDIRECT) reader.u32();
        return;
      case OP.THROW:
        this.#move(this.#widthOf(this.#layout.tags[reader.u32()]));
        return;
      case OP.BR_TABLE:
        for (let left = reader.count("branch targets"); left >= 0; left--) {
          reader.u32();
          this.#settle();
        }
        return;
      case OP.PREFIX_GC:
        this.#gc(reader);
        return;
    }
    if (BRANCHES.has(opcode)) this.#settle();
    this.#height = Math.max(0, this.#height + (HEIGHT_CHANGES[opcode] ?? 1));
    skipImmediates(reader, opcode);
  }

  /** Another path comes in or goes out. */
  #settle(): void {
    this.total += this.#locals + this.#height + this.#width + LOOP_WEIGHT * this.#loops;
  }

  /** Values go to where a callee, an exception or an object wants them. */
  #move(values: number): void {
    this.total += moved(values);
    this.#height += values;
  }

  #enter(opcode: number, reader: ByteReader): void {
    const results = this.#blockWidth(reader);
    const isLoop = opcode === OP.LOOP;
    if (opcode === OP.TRY_TABLE) this.#catchClauses(reader);
    if (opcode === OP.IF) this.#height = Math.max(0, this.#height - 1);
    if (isLoop) {
      this.#loops++;
      this.total += LOOP_WEIGHT * (this.#locals + this.#height);
    }
    this.#width = Math.max(this.#width, results);
    this.#blocks.push({ height: this.#height, results, isLoop });
    this.#settle();
  }

  #catchClauses(reader: ByteReader): void {
    for (let left = reader.count("catch clauses"); left > 0; left--) {
      const kind = reader.u8();
      // Kinds 0 and 1 name a tag, all name a label.
      if (kind <= 1) this.total += moved(this.#widthOf(this.#layout.tags[reader.u32()]));
      reader.u32();
      this.#settle();
    }
  }

  #rewind(): void {
    this.#height = this.#blocks.at(-1)?.height ?? 0;
    this.#settle();
  }

  #leave(): void {
    const block = this.#blocks.pop();
    if (block?.isLoop) this.#loops--;
    this.#height = (block?.height ?? 0) + (block?.results ?? 0);
    this.#settle();
  }

  #gc(reader: ByteReader): void {
    const opcode = reader.u32();
    const start = reader.offset;
    if (opcode === GC.STRUCT_NEW || opcode === GC.STRUCT_NEW_DEFAULT) {
      const type = this.#layout.types[reader.u32()];
      this.total += type?.kind === "struct" ? FIELD_WEIGHT * type.fields : 0;
    } else if (opcode === GC.ARRAY_NEW_FIXED) {
      reader.u32();
      this.total += FIELD_WEIGHT * reader.u32();
    } else if (opcode === GC.BR_ON_CAST || opcode === GC.BR_ON_CAST_FAIL) {
      this.#settle();
    }
    reader.offset = start;
    skipPrefixedImmediates(reader, OP.PREFIX_GC, opcode);
    this.#height++;
  }

  #blockWidth(reader: ByteReader): number {
    const lead = reader.peek();
    if (lead === TYPE.EMPTY || lead === TYPE.REF || lead === TYPE.REF_NULL || (lead & 0xc0) === 0x40) {
      skipBlockType(reader);
      return lead === TYPE.EMPTY ? 0 : 1;
    }
    return this.#widthOf(reader.u32());
  }

  #widthOf(typeIndex: number | undefined): number {
    return widthOf(this.#layout.types[typeIndex ?? -1]);
  }
}

const BRANCHES: ReadonlySet<number> = new Set([OP.BR, OP.BR_IF, OP.RETURN, OP.BR_ON_NULL, OP.BR_ON_NON_NULL]);

/** By how much an opcode of one byte changes the number of operands. */
const HEIGHT_CHANGES = heightChanges();

function heightChanges(): Int8Array {
  const table = new Int8Array(256).fill(1);
  const set = (change: number, ...ranges: readonly (readonly [first: number, last: number])[]): void => {
    for (const [first, last] of ranges) table.fill(change, first, last + 1);
  };
  set(-1, [OP.BR_IF, OP.BR_IF], [0x1a, 0x1a], [OP.LOCAL_SET, OP.LOCAL_SET], [OP.GLOBAL_SET, OP.GLOBAL_SET]);
  set(-2, [0x1b, OP.SELECT_TYPED], [OP.TABLE_SET, OP.TABLE_SET], [OP.I32_STORE, OP.I64_STORE32]);
  set(0, [0x00, 0x01], [OP.BR, OP.BR], [OP.RETURN, OP.RETURN], [OP.LOCAL_TEE, OP.LOCAL_TEE], [0x25, 0x25]);
  set(
    0,
    [OP.I32_LOAD, 0x35],
    [OP.MEMORY_GROW, OP.MEMORY_GROW],
    [OP.I32_EQZ, OP.I32_EQZ],
    [OP.I64_EQZ, OP.I64_EQZ],
  );
  set(
    -1,
    [OP.I32_EQ, 0x4f],
    [OP.I64_EQ, 0x66],
    [OP.I32_ADD, 0x78],
    [OP.I64_ADD, 0x8a],
    [0x92, 0x98],
    [0xa0, 0xa6],
  );
  set(0, [0x67, 0x69], [0x79, 0x7b], [0x8b, 0x91], [0x99, 0x9f], [0xa7, 0xc4]);
  return table;
}
