// Writes the code of one function at random: valid, ending, and rich in what the rewriter looks at.
//
// Every loop and every call burns fuel; whoever finds none left returns, so that all code ends. Addresses
// come mostly from locals that are kept within a page: what matters is stores that neighbour, straddle
// and share marks, not accesses that trap.

import { type ByteWriter, OP } from "../../src/wasm/mod.ts";
import {
  addressType,
  type BlockType,
  type NumberType,
  type Plan,
  type PlannedType,
  type Signature,
} from "./plan.ts";
import type { Random } from "./random.ts";

/** Where things stand in the index spaces of the module. */
export interface Indices {
  /** `(i32) -> i32` host functions that come before the planned functions. */
  readonly imports: number;
  readonly fuel: number;
  readonly firstGlobal: number;
  /** Type of structures with one mutable i32, and of arrays of bytes. */
  readonly structure: number;
  readonly array: number;
  /** A tag with one i32. */
  readonly tag: number;
  type(signature: BlockSignature): number;
}

export interface BlockSignature {
  readonly params: readonly BlockType[];
  readonly results: readonly BlockType[];
}

const STATEMENTS_MAX = 40;
const DEPTH_MAX = 4;
const NESTING_MAX = 5;

/** Locals behind the parameters: pointers that stay within a page, a counter of loops, then one of each type. */
const EXTRA_LOCALS = ["i32", "i32", "i64", "i32", "i32", "i64", "f32", "f64", "v128"] as const;
const POINTERS = { P: 0, Q: 1, WIDE: 2 } as const;
const COUNTER = 3;
const FIRST_FREE = 4;

const POINTER_MASK = 0x7fff;
const ADDRESS_MASK = 0xefff;
const OFFSETS = [0, 0, 1, 4, 8, 12, 13, 15, 16, 20, 28, 31, 32, 4088, 4090, 4095, 4096, 8191];
const WILD_OFFSETS = [65_520, 65_535, 131_071, 0x7fff_ffff, 0xffff_ffff];

/** The clauses of a try_table, and what each takes along. */
const CATCHES = {
  catch: { kind: 0, label: ["i32"] },
  catch_ref: { kind: 1, label: ["i32", "exnref"] },
  catch_all: { kind: 2, label: [] },
  catch_all_ref: { kind: 3, label: ["exnref"] },
} as const;

/** What a branch to a label takes along. */
type Label = readonly BlockType[];

export class BodyWriter {
  readonly #plan: Plan;
  readonly #indices: Indices;
  readonly #random: Random;
  readonly #code: ByteWriter;
  readonly #signature: Signature;
  /** Innermost last. The function's own is not among them: `return` is written instead. */
  readonly #labels: Label[] = [];
  #left = STATEMENTS_MAX;

  static readonly locals = EXTRA_LOCALS;

  constructor(
    parts: { readonly plan: Plan; readonly indices: Indices; readonly random: Random },
    signature: Signature,
    code: ByteWriter,
  ) {
    this.#plan = parts.plan;
    this.#indices = parts.indices;
    this.#random = parts.random;
    this.#signature = signature;
    this.#code = code;
  }

  /** All but the last `end`. */
  write(): void {
    this.#burn();
    this.#statements(this.#random.between(5, 25));
    this.#results();
  }

  #results(): void {
    for (const type of this.#signature.results) this.#value(type, 2);
  }

  #burn(): void {
    const { fuel } = this.#indices;
    this.#code.u8(OP.GLOBAL_GET).u32(fuel).u8(OP.I32_EQZ, OP.IF, 0x40);
    for (const type of this.#signature.results) this.#constant(type, 0);
    this.#code.u8(OP.RETURN, OP.END);
    this.#code.u8(OP.GLOBAL_GET).u32(fuel).u8(OP.I32_CONST, 1, OP.I32_SUB, OP.GLOBAL_SET).u32(fuel);
  }

  // --- Statements: they leave the stack as it was.

  #statements(count: number): void {
    for (let left = count; left > 0 && this.#left > 0; left--, this.#left--) this.#statement();
  }

  #statement(): void {
    const kind = this.#random.below(24);
    if (kind < 5) this.#burst();
    else if (kind < 7) this.#movePointer();
    else if (kind < 9) this.#setLocal();
    else if (kind < 11) this.#setGlobal();
    else if (kind < 13) this.#bulk();
    else if (kind < 15) this.#call();
    else if (kind < 19) this.#nest();
    else if (kind === 19) this.#branch();
    else if (kind === 20) this.#atomic();
    else if (kind === 21) this.#table();
    else if (kind === 22) this.#structure();
    else this.#drop();
  }

  /** Several stores, most of them off one pointer. */
  #burst(): void {
    for (let left = this.#random.between(1, 5); left > 0; left--) this.#store();
  }

  #store(): void {
    const memory = this.#memory();
    const { opcode, type, lanes } = this.#random.pick(STORES);
    this.#address(memory);
    this.#value(type, this.#random.below(3));
    this.#code.append(opcode);
    this.#memoryArgument(memory);
    if (lanes !== undefined) this.#code.u8(this.#random.below(lanes));
  }

  #movePointer(): void {
    if (this.#random.oneIn(4)) {
      this.#code.u8(OP.LOCAL_GET).u32(this.#pointer()).u8(OP.I64_EXTEND_I32_U);
      this.#code.u8(OP.LOCAL_SET).u32(this.#local(POINTERS.WIDE));
      return;
    }
    const target = this.#pointer();
    if (this.#random.oneIn(3)) this.#value("i32", 2);
    else {
      this.#code.u8(OP.LOCAL_GET).u32(this.#random.oneIn(2) ? target : this.#pointer());
      this.#constant("i32", this.#random.pick([1, 4, 8, 16, 17, 64, 4095, 4096, -1, -8, -4096]));
      this.#code.u8(OP.I32_ADD);
      // A sum that nothing else is done with is known to the rewriter as what it is.
      if (this.#random.oneIn(2)) {
        this.#code.u8(OP.LOCAL_SET).u32(target);
        return;
      }
    }
    this.#mask(POINTER_MASK);
    this.#code.u8(OP.LOCAL_SET).u32(target);
  }

  #setLocal(): void {
    const [index, type] = this.#random.pick(this.#freeLocals());
    this.#value(type, 2);
    this.#code.u8(OP.LOCAL_SET).u32(index);
  }

  #setGlobal(): void {
    const globals = [...this.#plan.globals.entries()].filter(([, { mutable }]) => mutable);
    if (globals.length === 0) return;
    const [index, { type }] = this.#random.pick(globals);
    if (type === "ref null func") this.#functionReference();
    else if (type === "exnref") this.#code.u8(OP.REF_NULL, EXNREF);
    else if (type === "ref null struct") {
      if (this.#random.oneIn(3)) this.#code.u8(OP.REF_NULL).signed(this.#indices.structure);
      else this.#newStructure();
    } else this.#value(type, 2);
    this.#code.u8(OP.GLOBAL_SET).u32(this.#indices.firstGlobal + index);
  }

  #bulk(): void {
    const memory = this.#memory();
    const kind = this.#random.below(4);
    if (kind < 2) {
      this.#address(memory);
      const source = kind === 0 ? undefined : this.#memory();
      if (source === undefined) this.#value("i32", 1);
      else this.#address(source);
      this.#length(memory, source);
      if (source === undefined) this.#code.u8(OP.PREFIX_BULK, 11).u32(memory);
      else this.#code.u8(OP.PREFIX_BULK, 10).u32(memory).u32(source);
      return;
    }
    if (this.#plan.data.length === 0) return;
    const segment = this.#random.below(this.#plan.data.length);
    if (kind === 3 && this.#random.oneIn(2)) {
      this.#code.u8(OP.PREFIX_BULK, 9).u32(segment);
      return;
    }
    const { length, active } = this.#plan.data[segment] ?? { length: 0 };
    this.#address(memory);
    const from = active ? 0 : this.#random.below(Math.min(length, 4) + 1);
    this.#constant("i32", from);
    // Active segments count as dropped.
    this.#constant("i32", active ? 0 : this.#random.below(length - from + 1));
    this.#code.u8(OP.PREFIX_BULK, 8).u32(segment).u32(memory);
  }

  #length(memory: number, source: number | undefined): void {
    const isWide = this.#is64(memory) && (source === undefined || this.#is64(source));
    const length = this.#random.oneIn(100)
      ? this.#random.u32() | 0
      : this.#random.pick([0, 1, 20, 4096, 5000]);
    this.#constant(isWide ? "i64" : "i32", isWide ? Math.abs(length) : length);
  }

  #call(): void {
    const { imports } = this.#indices;
    if (this.#random.oneIn(3)) {
      this.#value("i32", 2);
      this.#code.u8(OP.CALL).u32(this.#random.below(imports)).u8(OP_DROP);
      return;
    }
    const callee = this.#random.below(this.#plan.functions.length);
    // The index is below the length.
    const signature = this.#plan.functions[callee] as Signature;
    for (const type of signature.params) this.#value(type, 1);
    const returns = this.#random.oneIn(3) && sameTypes(signature.results, this.#signature.results);
    switch (this.#random.below(4)) {
      case 0:
        this.#callIndirect(signature, callee, returns ? OP.RETURN_CALL_INDIRECT : OP.CALL_INDIRECT);
        break;
      case 1:
        this.#code.u8(OP.REF_FUNC).u32(imports + callee);
        this.#code.u8(returns ? OP.RETURN_CALL_REF : OP.CALL_REF).u32(this.#indices.type(signature));
        break;
      default:
        this.#code.u8(returns ? OP.RETURN_CALL : OP.CALL).u32(imports + callee);
    }
    if (returns) return;
    for (const _ of signature.results) this.#code.u8(OP_DROP);
  }

  /** Table 0 begins with the functions in order; anything else is often of the wrong type, and traps. */
  #callIndirect(signature: Signature, callee: number, opcode: number): void {
    const size = this.#plan.tables[0] ?? 1;
    const isFair = callee < size && !this.#random.oneIn(20);
    this.#constant("i32", isFair ? callee : this.#random.below(size + 3));
    this.#code.u8(opcode).u32(this.#indices.type(signature)).u32(0);
  }

  #nest(): void {
    if (this.#labels.length >= NESTING_MAX) return;
    switch (this.#random.below(6)) {
      case 0:
      case 1:
        this.#loop();
        break;
      case 2:
        this.#value("i32", 2);
        this.#within(undefined, OP.IF, () => {
          this.#statements(3);
          if (this.#random.oneIn(2)) return;
          this.#code.u8(OP.ELSE);
          this.#statements(3);
        });
        break;
      case 3:
        this.#try();
        break;
      case 4:
        this.#blockWithParameters();
        break;
      default:
        this.#within(undefined, OP.BLOCK, () => this.#statements(4));
    }
  }

  /** Takes two operands from outside, and leaves one. A loop has its check behind them. */
  #blockWithParameters(): void {
    const [params, results] = [["i32", "i64"], ["i64"]] as const;
    const isLoop = this.#random.oneIn(2);
    for (const type of params) this.#value(type, 1);
    this.#code.u8(isLoop ? OP.LOOP : OP.BLOCK).signed(this.#indices.type({ params, results }));
    this.#labels.push(isLoop ? params : results);
    for (const type of params.toReversed()) this.#code.u8(OP.LOCAL_SET).u32(this.#freeLocal(type));
    if (isLoop) this.#burn();
    this.#statements(3);
    this.#value("i64", 2);
    this.#labels.pop();
    this.#code.u8(OP.END, OP_DROP);
  }

  /** Runs a few times: the counter is shared by nested loops, so that they end early. */
  #loop(): void {
    const counter = this.#local(COUNTER);
    const [pointer, walks] = [this.#pointer(), this.#random.oneIn(2)];
    this.#within(undefined, OP.LOOP, () => {
      this.#burn();
      this.#statements(4);
      if (walks) {
        this.#code.u8(OP.LOCAL_GET).u32(pointer);
        this.#constant("i32", this.#random.pick([1, 4, 16, 64, 1024]));
        this.#code.u8(OP.I32_ADD);
        if (this.#random.oneIn(2)) this.#mask(POINTER_MASK);
        this.#code.u8(OP.LOCAL_SET).u32(pointer);
      }
      this.#code.u8(OP.LOCAL_GET).u32(counter).u8(OP.I32_CONST, 1, OP.I32_ADD, OP.LOCAL_TEE).u32(counter);
      this.#constant("i32", this.#random.between(1, 12));
      this.#code.u8(OP_I32_LT_U, OP.BR_IF).u32(0);
    });
  }

  #try(): void {
    const { tag } = this.#indices;
    if (this.#plan.exceptions === "legacy" && this.#random.oneIn(3)) {
      this.#delegate();
      return;
    }
    switch (this.#plan.exceptions) {
      case "none":
        return;
      case "legacy":
        this.#within(undefined, OP.TRY, () => {
          this.#statements(3);
          if (this.#random.oneIn(2)) {
            this.#code.u8(OP.CATCH).u32(tag).u8(OP.LOCAL_SET).u32(this.#freeLocal("i32"));
            this.#statements(2);
          }
          this.#code.u8(OP.CATCH_ALL);
          this.#statements(2);
          if (this.#random.oneIn(6)) this.#code.u8(OP_RETHROW).u32(0);
        });
        return;
      case "try-table":
        this.#tryTable(this.#random.pick(["catch", "catch_ref", "catch_all", "catch_all_ref"] as const));
    }
  }

  /** What it throws is caught where a block around it would catch it. */
  #delegate(): void {
    this.#code.u8(OP.TRY, 0x40);
    this.#labels.push([]);
    this.#statements(3);
    this.#labels.pop();
    this.#code.u8(OP.DELEGATE).u32(this.#random.below(this.#labels.length + 1));
  }

  /** What is caught goes to the block around it; an exception is kept in a global, and thrown again at times. */
  #tryTable(clause: keyof typeof CATCHES): void {
    const { kind, label }: { readonly kind: number; readonly label: Label } = CATCHES[clause];
    this.#code.u8(OP.BLOCK).signed(this.#indices.type({ params: [], results: label }));
    this.#labels.push(label);
    this.#code.u8(OP.TRY_TABLE, 0x40, 1, kind);
    if (clause === "catch" || clause === "catch_ref") this.#code.u32(this.#indices.tag);
    this.#code.u32(0);
    this.#labels.push([]);
    this.#statements(4);
    this.#labels.pop();
    this.#code.u8(OP.END);
    this.#operands(label);
    this.#labels.pop();
    this.#code.u8(OP.END);
    if (label.includes("exnref")) this.#code.u8(OP.GLOBAL_SET).u32(this.#caught());
    if (label.includes("i32")) this.#code.u8(OP.LOCAL_SET).u32(this.#freeLocal("i32"));
    this.#statements(2);
    if (label.includes("exnref") && this.#random.oneIn(3)) this.#throwAgain();
  }

  #throwAgain(): void {
    this.#code.u8(OP.GLOBAL_GET).u32(this.#caught()).u8(OP_REF_IS_NULL, OP.I32_EQZ);
    this.#within(undefined, OP.IF, () => this.#code.u8(OP.GLOBAL_GET).u32(this.#caught()).u8(OP_THROW_REF));
  }

  /** The global that keeps an exception. */
  #caught(): number {
    return this.#indices.firstGlobal + this.#plan.globals.findIndex(({ type }) => type === "exnref");
  }

  /** What a label takes. */
  #operands(types: Label): void {
    for (const type of types) {
      if (type === "exnref") this.#code.u8(OP.REF_NULL, EXNREF);
      else this.#value(type, 1);
    }
  }

  #branch(): void {
    const labels = this.#labels;
    const throws = this.#plan.exceptions !== "none" && this.#random.oneIn(5);
    if (throws) {
      this.#value("i32", 1);
      this.#code.u8(OP_THROW).u32(this.#indices.tag);
      return;
    }
    if (labels.length === 0 || this.#random.oneIn(8)) {
      this.#results();
      this.#code.u8(OP.RETURN);
      return;
    }
    const depth = this.#random.below(labels.length);
    const types = labels.at(-1 - depth) ?? [];
    this.#operands(types);
    const kind = this.#random.below(4);
    if (kind === 0) {
      this.#code.u8(OP.BR).u32(depth);
      return;
    }
    this.#value("i32", 1);
    if (kind === 1) this.#code.u8(OP.BR_TABLE).u32(1).u32(depth).u32(depth);
    else {
      this.#code.u8(OP.BR_IF).u32(depth);
      for (const _ of types) this.#code.u8(OP_DROP);
    }
  }

  #atomic(): void {
    const memory = this.#memory();
    const [opcode, type, operands] = this.#random.pick(ATOMICS);
    this.#address(memory);
    // Atomic accesses trap where they are not aligned.
    this.#constant(addressType(this.#limits(memory)), -8);
    this.#code.u8(this.#is64(memory) ? OP_I64_AND : OP_I32_AND);
    for (let left = operands; left > 0; left--) this.#value(type, 1);
    this.#code.u8(OP.PREFIX_ATOMIC).u32(opcode.code);
    this.#memoryArgument(memory, {
      alignment: opcode.alignment,
      offset: this.#random.pick([0, 8, 16, 4096]),
    });
    if (opcode.gives) this.#code.u8(OP_DROP);
  }

  #table(): void {
    const table = this.#random.below(this.#plan.tables.length);
    const size = this.#plan.tables[table] ?? 1;
    const at = () => this.#constant("i32", this.#random.below(size));
    if (!this.#plan.changesTables) {
      at();
      this.#code.u8(OP_TABLE_GET).u32(table).u8(OP_DROP);
      return;
    }
    switch (this.#random.below(6)) {
      case 0:
        at();
        this.#functionReference();
        this.#code.u8(OP.TABLE_SET).u32(table);
        break;
      case 1:
        this.#functionReference();
        this.#constant("i32", this.#random.below(3));
        this.#code.u8(OP.PREFIX_BULK, 15).u32(table).u8(OP_DROP);
        break;
      case 2:
        at();
        this.#functionReference();
        this.#constant("i32", this.#random.below(2));
        this.#code.u8(OP.PREFIX_BULK, 17).u32(table);
        break;
      case 3:
        at();
        at();
        this.#constant("i32", this.#random.below(2));
        this.#code.u8(OP.PREFIX_BULK, 14).u32(table).u32(this.#random.below(this.#plan.tables.length));
        break;
      case 4:
        at();
        this.#constant("i32", 0);
        this.#constant("i32", 1);
        this.#code.u8(OP.PREFIX_BULK, 12).u32(PASSIVE_ELEMENTS).u32(table);
        break;
      default:
        this.#code.u8(OP.PREFIX_BULK, 13).u32(PASSIVE_ELEMENTS);
    }
  }

  #structure(): void {
    if (!this.#plan.hasStructures) return;
    if (this.#random.oneIn(2)) {
      this.#array();
      return;
    }
    const global = this.#indices.firstGlobal + this.#plan.globals.length - 1;
    this.#code.u8(OP.GLOBAL_GET).u32(global).u8(OP_REF_IS_NULL, OP.I32_EQZ);
    this.#within(undefined, OP.IF, () => {
      this.#code.u8(OP.GLOBAL_GET).u32(global);
      this.#value("i32", 1);
      this.#code.u8(OP.PREFIX_GC, 5).u32(this.#indices.structure).u32(0);
    });
  }

  /** An array of bytes, from a segment that may have been dropped; it is forgotten at once. */
  #array(): void {
    const { array } = this.#indices;
    const segment = this.#plan.data.findIndex(({ active }) => !active);
    if (segment >= 0) {
      this.#constant("i32", 0);
      this.#constant("i32", this.#plan.data[segment]?.length ?? 0);
      this.#code.u8(OP.PREFIX_GC, 9).u32(array).u32(segment);
    } else {
      this.#constant("i32", this.#random.below(3000));
      this.#code.u8(OP.PREFIX_GC, 7).u32(array);
    }
    this.#code.u8(OP.PREFIX_GC, 15);
    this.#code.u8(OP.LOCAL_SET).u32(this.#freeLocal("i32"));
  }

  /** May divide by zero, or truncate what is too large. */
  #drop(): void {
    if (this.#random.oneIn(5)) {
      this.#value("i32", 2);
      this.#value("i32", 2);
      this.#code.u8(this.#random.pick([0x6d, 0x6e, 0x6f, 0x70]), OP_DROP);
      return;
    }
    if (this.#random.oneIn(5)) {
      this.#value("f32", 2);
      this.#code.u8(this.#random.pick([0xa8, 0xa9]), OP_DROP);
      return;
    }
    this.#value(this.#random.pick(["i32", "i64", "f32", "f64", "v128"] as const), DEPTH_MAX);
    this.#code.u8(OP_DROP);
  }

  /** Writes a block of some kind, from its opcode to its `end`. */
  #within(type: PlannedType | undefined, opcode: number, write: () => void): void {
    this.#code.u8(opcode, type === undefined ? 0x40 : TYPE_BYTES[type]);
    // A branch to a loop goes to its start and takes nothing.
    this.#labels.push(opcode === OP.LOOP || type === undefined ? [] : [type]);
    write();
    this.#labels.pop();
    this.#code.u8(OP.END);
  }

  // --- Values.

  #value(type: PlannedType, depth: number): void {
    if (depth <= 0 || this.#random.oneIn(4)) {
      this.#leaf(type);
      return;
    }
    switch (this.#random.below(5)) {
      case 0:
        this.#load(type);
        break;
      case 1:
        this.#choice(type, depth);
        break;
      default:
        this.#operation(type, depth);
    }
  }

  #leaf(type: PlannedType): void {
    const locals = this.#allLocals().filter(([, each]) => each === type);
    const globals = [...this.#plan.globals.entries()].filter(([, each]) => each.type === type);
    const kind = this.#random.below(4);
    if (kind < 2 && locals.length > 0) this.#code.u8(OP.LOCAL_GET).u32(this.#random.pick(locals)[0]);
    else if (kind === 2 && globals.length > 0)
      this.#code.u8(OP.GLOBAL_GET).u32(this.#indices.firstGlobal + this.#random.pick(globals)[0]);
    else this.#constant(type, this.#random.i32());
  }

  #constant(type: PlannedType, value: number): void {
    switch (type) {
      case "i32":
        this.#code.u8(OP.I32_CONST).signed(value | 0);
        break;
      case "i64":
        this.#code.u8(OP.I64_CONST).signed(value);
        break;
      case "f32":
        this.#code.u8(OP.F32_CONST).append(new Uint8Array(Float32Array.of(value).buffer));
        break;
      case "f64":
        this.#code.u8(OP.F64_CONST).append(new Uint8Array(Float64Array.of(value / 3).buffer));
        break;
      case "v128":
        this.#code.u8(OP.PREFIX_SIMD, 12).append(new Uint8Array(Int32Array.of(value, 1, ~value, 7).buffer));
    }
  }

  #load(type: PlannedType): void {
    const memory = this.#memory();
    this.#address(memory);
    this.#code.append(this.#random.pick(LOADS[type]));
    this.#memoryArgument(memory);
  }

  /** A value by way of control flow. */
  #choice(type: PlannedType, depth: number): void {
    switch (this.#labels.length >= NESTING_MAX ? 0 : this.#random.below(3)) {
      case 0:
        this.#value(type, depth - 1);
        this.#value(type, depth - 1);
        this.#value("i32", depth - 1);
        if (this.#random.oneIn(2)) this.#code.u8(OP_SELECT);
        else this.#code.u8(OP.SELECT_TYPED, 1, TYPE_BYTES[type]);
        break;
      case 1:
        this.#within(type, OP.BLOCK, () => {
          this.#statements(2);
          this.#value(type, depth - 1);
        });
        break;
      default:
        this.#value("i32", depth - 1);
        this.#within(type, OP.IF, () => {
          this.#value(type, depth - 1);
          this.#code.u8(OP.ELSE);
          this.#statements(1);
          this.#value(type, depth - 1);
        });
    }
  }

  #operation(type: PlannedType, depth: number): void {
    if (type === "i32" && this.#random.oneIn(6)) {
      this.#memorySize();
      return;
    }
    if (this.#random.oneIn(5)) {
      this.#value(type, depth - 1);
      this.#code.u8(OP.LOCAL_TEE).u32(this.#freeLocal(type));
      return;
    }
    const { takes, opcode } = this.#random.pick(OPERATIONS[type]);
    for (const each of takes) this.#value(each, depth - 1);
    this.#code.append(opcode);
  }

  /** Leaves an i32. */
  #memorySize(): void {
    const memory = this.#memory();
    if (this.#random.oneIn(2)) {
      const delta = this.#random.oneIn(6) ? 70_000 : this.#random.below(3);
      this.#constant(this.#is64(memory) ? "i64" : "i32", delta);
      this.#code.u8(OP.MEMORY_GROW).u32(memory);
    } else this.#code.u8(OP.MEMORY_SIZE).u32(memory);
    if (this.#is64(memory)) this.#code.u8(OP.I32_WRAP_I64);
  }

  #functionReference(): void {
    if (this.#random.oneIn(3)) this.#code.u8(OP.REF_NULL, 0x70);
    else {
      const { imports } = this.#indices;
      this.#code.u8(OP.REF_FUNC).u32(imports + this.#random.below(this.#plan.functions.length));
    }
  }

  #newStructure(): void {
    this.#value("i32", 1);
    this.#code.u8(OP.PREFIX_GC, 0).u32(this.#indices.structure);
  }

  // --- Addresses.

  #memory(): number {
    return this.#random.oneIn(3) ? this.#random.below(this.#plan.memories.length) : 0;
  }

  #limits(memory: number) {
    const limits = this.#plan.memories[memory];
    if (!limits) throw new Error("No such memory is planned");
    return limits;
  }

  #is64(memory: number): boolean {
    return this.#limits(memory).is64;
  }

  #address(memory: number): void {
    if (this.#is64(memory)) {
      this.#code.u8(OP.LOCAL_GET).u32(this.#local(POINTERS.WIDE));
      return;
    }
    switch (this.#random.below(16)) {
      case 0:
        this.#value("i32", 2);
        this.#mask(ADDRESS_MASK);
        break;
      case 1:
        this.#code.u8(OP.LOCAL_GET).u32(this.#local(POINTERS.WIDE)).u8(OP.I32_WRAP_I64);
        break;
      case 2:
        this.#constant("i32", this.#random.below(8) * 4096 + 4096 - this.#random.below(24));
        this.#code.u8(OP.LOCAL_TEE).u32(this.#pointer());
        break;
      case 3:
        this.#code.u8(OP.LOCAL_GET).u32(this.#pointer());
        this.#constant("i32", this.#random.below(40));
        this.#code.u8(OP.I32_ADD);
        if (this.#random.oneIn(2)) this.#code.u8(OP.LOCAL_TEE).u32(this.#pointer());
        break;
      case 4:
        this.#constant("i32", this.#random.oneIn(12) ? this.#random.i32() : this.#random.below(60_000));
        break;
      default:
        this.#code.u8(OP.LOCAL_GET).u32(this.#pointer());
    }
  }

  #memoryArgument(
    memory: number,
    options: { readonly alignment?: number; readonly offset?: number } = {},
  ): void {
    const offset = this.#random.oneIn(300) ? this.#random.pick(WILD_OFFSETS) : this.#random.pick(OFFSETS);
    const alignment = options.alignment ?? 0;
    if (memory === 0) this.#code.u8(alignment);
    else this.#code.u8(alignment | 0x40).u32(memory);
    this.#code.u64(options.offset ?? offset);
  }

  #mask(mask: number): void {
    this.#constant("i32", mask);
    this.#code.u8(OP_I32_AND);
  }

  // --- Locals.

  #local(extra: number): number {
    return this.#signature.params.length + extra;
  }

  #pointer(): number {
    return this.#local(this.#random.oneIn(3) ? POINTERS.Q : POINTERS.P);
  }

  #allLocals(): (readonly [index: number, type: PlannedType])[] {
    return [...this.#signature.params, ...EXTRA_LOCALS].map((type, index) => [index, type] as const);
  }

  /** A local that may be assigned anything of that type; there is one of each behind the parameters. */
  #freeLocal(type: PlannedType): number {
    const [local] = this.#random.pick(this.#freeLocals().filter(([, each]) => each === type));
    return local;
  }

  /** Those that may be assigned anything. */
  #freeLocals(): (readonly [index: number, type: PlannedType])[] {
    const { length } = this.#signature.params;
    return this.#allLocals().filter(([index]) => index < length || index >= length + FIRST_FREE);
  }
}

/** The segment of elements that is not copied to a table at the start. */
export const PASSIVE_ELEMENTS = 1;

function sameTypes(a: readonly PlannedType[], b: readonly PlannedType[]): boolean {
  return a.join() === b.join();
}

const OP_DROP = 0x1a;
const OP_SELECT = 0x1b;
const OP_TABLE_GET = 0x25;
const OP_THROW = 0x08;
const OP_RETHROW = 0x09;
const OP_THROW_REF = 0x0a;
const EXNREF = 0x69;
const OP_I32_LT_U = 0x49;
const OP_I32_AND = 0x71;
const OP_I64_AND = 0x83;
const OP_REF_IS_NULL = 0xd1;

const TYPE_BYTES: Readonly<Record<PlannedType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};

interface StoreForm {
  readonly opcode: Uint8Array;
  readonly type: PlannedType;
  readonly lanes?: number;
}

const STORES: readonly StoreForm[] = [
  ...([0x36, 0x36, 0x3a, 0x3b] as const).map((byte) => ({
    opcode: Uint8Array.of(byte),
    type: "i32" as const,
  })),
  ...([0x37, 0x37, 0x3c, 0x3d, 0x3e] as const).map((byte) => ({
    opcode: Uint8Array.of(byte),
    type: "i64" as const,
  })),
  { opcode: Uint8Array.of(0x38), type: "f32" },
  { opcode: Uint8Array.of(0x39), type: "f64" },
  { opcode: Uint8Array.of(0xfd, 11), type: "v128" },
  ...[16, 8, 4, 2].map((lanes, index) => ({
    opcode: Uint8Array.of(0xfd, 0x58 + index),
    type: "v128" as const,
    lanes,
  })),
];

const LOADS: Readonly<Record<PlannedType, readonly Uint8Array[]>> = {
  i32: [0x28, 0x2c, 0x2d, 0x2e, 0x2f].map((byte) => Uint8Array.of(byte)),
  i64: [0x29, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35].map((byte) => Uint8Array.of(byte)),
  f32: [Uint8Array.of(0x2a)],
  f64: [Uint8Array.of(0x2b)],
  v128: [0, 1, 2, 7, 8, 9, 10, 0x5c, 0x5d].map((byte) => Uint8Array.of(0xfd, byte)),
};

interface Operation {
  readonly takes: readonly PlannedType[];
  readonly opcode: Uint8Array;
}

function operations(takes: readonly PlannedType[], ...opcodes: readonly number[]): Operation[] {
  return opcodes.map((opcode) => ({ takes, opcode: Uint8Array.of(opcode) }));
}

function vectorOperation(takes: readonly PlannedType[], ...bytes: readonly number[]): Operation {
  return { takes, opcode: Uint8Array.of(0xfd, ...bytes) };
}

/** No arithmetic of floats: which NaN comes out depends on the compiler. */
const OPERATIONS: Readonly<Record<PlannedType, readonly Operation[]>> = {
  i32: [
    ...operations(
      ["i32", "i32"],
      0x6a,
      0x6b,
      0x6c,
      0x71,
      0x72,
      0x73,
      0x74,
      0x75,
      0x76,
      0x78,
      0x46,
      0x48,
      0x4d,
    ),
    ...operations(["i64", "i64"], 0x51, 0x54, 0x59),
    ...operations(["f32", "f32"], 0x5b, 0x5d),
    ...operations(["f64", "f64"], 0x61, 0x66),
    ...operations(["i32"], 0x45, 0x67, 0x68, 0x69, 0xc0, 0xc1),
    ...operations(["i64"], 0xa7, 0xa7, 0x50),
    ...operations(["f32"], 0xbc),
    { takes: ["f64"], opcode: Uint8Array.of(0xfc, 2) },
    vectorOperation(["v128"], 0x1b, 3),
    vectorOperation(["v128"], 0x15, 15),
  ],
  i64: [
    ...operations(["i64", "i64"], 0x7c, 0x7d, 0x7e, 0x83, 0x84, 0x85, 0x86, 0x88, 0x8a),
    ...operations(["i32"], 0xac, 0xad, 0xad),
    ...operations(["f64"], 0xbd),
    { takes: ["f32"], opcode: Uint8Array.of(0xfc, 5) },
    vectorOperation(["v128"], 0x1d, 1),
  ],
  f32: [
    ...operations(["i32"], 0xb2, 0xb3, 0xbe),
    ...operations(["f32"], 0x8b, 0x8c),
    ...operations(["f32", "f32"], 0x98),
    vectorOperation(["v128"], 0x1f, 2),
  ],
  f64: [
    ...operations(["i64"], 0xb9, 0xba, 0xbf),
    ...operations(["f64"], 0x99, 0x9a),
    ...operations(["f64", "f64"], 0xa6),
  ],
  v128: [
    vectorOperation(["i32"], 0x0f),
    vectorOperation(["i64"], 0x12),
    vectorOperation(["v128", "v128"], 0x6e),
    vectorOperation(["v128", "v128"], 0x51),
    vectorOperation(["v128", "i32"], 0x1c, 1),
    vectorOperation(["v128", "v128"], 0x0d, ...Array.from({ length: 16 }, (_, lane) => (lane * 7) % 32)),
  ],
};

interface AtomicForm {
  readonly code: number;
  readonly alignment: number;
  readonly gives: boolean;
}

/** Opcode, type of the operands, how many there are. */
const ATOMICS: readonly (readonly [AtomicForm, NumberType, number])[] = [
  ...[2, 3, 0, 1, 0, 1, 2].flatMap((alignment, variant): [AtomicForm, NumberType, number][] => {
    const type = variant === 1 || variant > 3 ? "i64" : "i32";
    return [
      [{ code: 0x17 + variant, alignment, gives: false }, type, 1],
      ...[0x1e, 0x25, 0x33, 0x41].map((first): [AtomicForm, NumberType, number] => [
        { code: first + variant, alignment, gives: true },
        type,
        1,
      ]),
      [{ code: 0x48 + variant, alignment, gives: true }, type, 2],
      [{ code: 0x10 + variant, alignment, gives: true }, type, 0],
    ];
  }),
];
