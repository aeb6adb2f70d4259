// Makes a valid module from a seed: code at random, and functions that tell of all its state.

import { type ByteWriter, type Code, OP } from "../../src/wasm/mod.ts";
import { type BlockSignature, BodyWriter, type Indices } from "./body-writer.ts";
import { START_VALUE } from "./host-functions.ts";
import {
  addressType,
  type BlockType,
  makePlan,
  type Plan,
  type PlannedGlobal,
  type PlannedType,
} from "./plan.ts";
import { Random } from "./random.ts";
import { SectionWriter } from "./section-writer.ts";

/** Exported functions `() -> i64` of these names tell, together, of all memories, globals and tables. */
export const OBSERVER = /^observe\d+$/;

/** Host functions `(i32) -> i32` of the module "host": one that answers at once, one that may wait. */
export const HOST_FUNCTIONS = ["note", "wait"] as const;

const FUEL = 400;
const NUMBER_OF_TYPE: Readonly<Record<BlockType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  exnref: 0x69,
};

export function generateModule(seed: number): Uint8Array {
  const random = new Random(seed);
  return new ModuleGenerator(random, makePlan(random)).generate();
}

class ModuleGenerator {
  readonly #random: Random;
  readonly #plan: Plan;
  readonly #sections = new SectionWriter();
  readonly #indices: Indices;

  constructor(random: Random, plan: Plan) {
    this.#random = random;
    this.#plan = plan;
    const structure = plan.hasStructures ? this.#sections.type(Uint8Array.of(0x5f, 1, 0x7f, 1)) : -1;
    const array = plan.hasStructures ? this.#sections.type(Uint8Array.of(0x5e, 0x78, 1)) : -1;
    this.#indices = {
      imports: HOST_FUNCTIONS.length,
      fuel: 0,
      firstGlobal: 1,
      structure,
      array,
      tag: 0,
      type: (signature) => this.#functionType(signature),
    };
  }

  generate(): Uint8Array {
    this.#declare();
    this.#writeFunctions();
    this.#writeObservers();
    if (this.#plan.hasStart) this.#writeStart();
    if (this.#plan.names) this.#sections.custom("name", this.#plan.names);
    return this.#sections.build();
  }

  #functionType({ params, results }: BlockSignature): number {
    const encode = (types: readonly BlockType[]) => [
      types.length,
      ...types.map((type) => NUMBER_OF_TYPE[type]),
    ];
    return this.#sections.type(Uint8Array.of(0x60, ...encode(params), ...encode(results)));
  }

  #declare(): void {
    const { memories, tables, data, exceptions } = this.#plan;
    const sections = this.#sections;
    for (const name of HOST_FUNCTIONS)
      sections.importFunction("host", name, this.#functionType({ params: ["i32"], results: ["i32"] }));
    for (const limits of memories) sections.memory(limits);
    sections.export("memory", "memory", 0);
    for (const elements of tables) sections.table(elements, elements + 8);
    if (exceptions !== "none") sections.tag(this.#functionType({ params: ["i32"], results: [] }));
    sections.global([0x7f, 1], (code) => code.u8(OP.I32_CONST).signed(FUEL));
    for (const global of this.#plan.globals) this.#declareGlobal(global);
    for (const { length, active } of data) {
      const bytes = Uint8Array.from({ length }, () => this.#random.u32());
      sections.data(bytes, active && { memory: active.memory, offset: active.offset });
    }
    // The first segment fills table 0, the second stays for `table.init`; both declare what they name.
    const all = this.#plan.functions.map((_, index) => HOST_FUNCTIONS.length + index);
    sections.elements(all.slice(0, this.#plan.tables[0]), { offset: 0 });
    sections.elements(all, "passive");
  }

  #declareGlobal({ type, mutable }: PlannedGlobal): void {
    const flag = Number(mutable);
    if (type === "ref null func") {
      const index = HOST_FUNCTIONS.length + this.#random.below(this.#plan.functions.length);
      const isNull = this.#random.oneIn(2);
      this.#sections.global([0x70, flag], (code) =>
        isNull ? code.u8(OP.REF_NULL, 0x70) : code.u8(OP.REF_FUNC).u32(index),
      );
    } else if (type === "ref null struct") {
      const { structure } = this.#indices;
      this.#sections.global([0x63, structure, flag], (code) =>
        code.u8(OP.I32_CONST, 7, OP.PREFIX_GC, 0).u32(structure),
      );
    } else if (type === "exnref") {
      this.#sections.global([NUMBER_OF_TYPE[type], flag], (code) =>
        code.u8(OP.REF_NULL, NUMBER_OF_TYPE[type]),
      );
    } else this.#sections.global([NUMBER_OF_TYPE[type], flag], constant(type, this.#random.i32()));
  }

  #writeFunctions(): void {
    for (const [position, signature] of this.#plan.functions.entries()) {
      const index = this.#sections.func(
        this.#functionType(signature),
        BodyWriter.locals.map((type) => NUMBER_OF_TYPE[type]),
        (code) => {
          new BodyWriter(
            { plan: this.#plan, indices: this.#indices, random: this.#random },
            signature,
            code,
          ).write();
        },
      );
      if (!signature.isExported) continue;
      // Some try to look like what the rewriter adds.
      const name = this.#random.oneIn(10) ? this.#random.pick(TAKEN_NAMES) : "f";
      this.#sections.export(position === 0 ? name : `${name}${position}`, "func", index);
    }
  }

  #writeObservers(): void {
    const type = this.#functionType({ params: [], results: ["i64"] });
    let count = 0;
    const observe = (locals: readonly number[], write: Code) => {
      this.#sections.export(`observe${count++}`, "func", this.#sections.func(type, locals, write));
    };
    for (const [index, limits] of this.#plan.memories.entries())
      observe([0x7e, 0x7e], hashMemory(index, addressType(limits)));
    observe([], (code) => code.u8(OP.GLOBAL_GET).u32(this.#indices.fuel).u8(OP.I64_EXTEND_I32_U));
    for (const [index, { type: held }] of this.#plan.globals.entries())
      observe([], readGlobal(this.#indices.firstGlobal + index, held, this.#indices.structure));
    for (let index = 0; index < this.#plan.tables.length; index++) observe([0x7e, 0x7f], hashTable(index));
  }

  /** Writes to memory and to a global, calls the host at times, and may trap. */
  #writeStart(): void {
    const type = this.#functionType({ params: [], results: [] });
    const asksHost = this.#random.oneIn(2);
    const index = this.#sections.func(type, [], (code) => {
      code
        .u8(OP.I32_CONST)
        .signed(this.#random.below(65_000))
        .u8(OP.I32_CONST)
        .signed(this.#random.u32() | 0);
      code.u8(0x36, 0).u32(0);
      if (asksHost) code.u8(OP.I32_CONST, START_VALUE, OP.CALL).u32(0).u8(0x1a);
      code
        .u8(OP.I32_CONST)
        .signed(FUEL - 10)
        .u8(OP.GLOBAL_SET)
        .u32(this.#indices.fuel);
      if (this.#random.oneIn(10)) code.u8(OP.UNREACHABLE);
    });
    this.#sections.start(index);
  }
}

const TAKEN_NAMES = [
  "spindle:save",
  "spindle:restore",
  "spindle:ticks",
  "spindle:start",
  "__proto__",
  "constructor",
];

function constant(type: PlannedType, value: number): Code {
  return (code) => {
    switch (type) {
      case "i32":
        code.u8(OP.I32_CONST).signed(value);
        break;
      case "i64":
        code.u8(OP.I64_CONST).signed(value);
        break;
      case "f32":
        // A signalling NaN at times.
        code
          .u8(OP.F32_CONST)
          .append(new Uint8Array(Int32Array.of(value % 3 === 0 ? 0x7fa00001 : value).buffer));
        break;
      case "f64":
        code.u8(OP.F64_CONST).append(new Uint8Array(Float64Array.of(value).buffer));
        break;
      case "v128":
        code.u8(OP.PREFIX_SIMD, 12).append(new Uint8Array(Int32Array.of(value, -1, 3, value ^ 5).buffer));
    }
  };
}

/** `() -> i64` with two locals of i64, the address and the hash: the whole memory, and how large it is. */
function hashMemory(memory: number, address: "i32" | "i64"): Code {
  const [AT, HASH] = [0, 1];
  const is64 = address === "i64";
  const pages = (code: ByteWriter) => {
    code.u8(OP.MEMORY_SIZE).u32(memory);
    if (!is64) code.u8(OP.I64_EXTEND_I32_U);
  };
  return (code) => {
    code.u8(OP.BLOCK, 0x40, OP.LOOP, 0x40, OP.LOCAL_GET, AT);
    pages(code);
    code.u8(OP.I64_CONST, 16, 0x86, 0x5a, OP.BR_IF, 1); // i64.shl, i64.ge_u
    code.u8(OP.LOCAL_GET, HASH, OP.I64_CONST, 5, 0x89, OP.LOCAL_GET, AT); // i64.rotl
    if (!is64) code.u8(OP.I32_WRAP_I64);
    code.u8(0x29, 0x40).u32(memory).u32(0); // i64.load
    code.u8(0x85, OP.I64_CONST).signed(0x9e3779b1).u8(0x7e, OP.LOCAL_SET, HASH); // i64.xor, i64.mul
    code.u8(OP.LOCAL_GET, AT, OP.I64_CONST, 8, OP.I64_ADD, OP.LOCAL_SET, AT, OP.BR, 0, OP.END, OP.END);
    code.u8(OP.LOCAL_GET, HASH);
    pages(code);
    code.u8(0x85);
  };
}

function readGlobal(global: number, type: PlannedGlobal["type"], structure: number): Code {
  return (code) => {
    const get = () => code.u8(OP.GLOBAL_GET).u32(global);
    get();
    switch (type) {
      case "i32":
        code.u8(OP.I64_EXTEND_I32_U);
        break;
      case "i64":
        break;
      case "f32":
        code.u8(0xbc, OP.I64_EXTEND_I32_U);
        break;
      case "f64":
        code.u8(0xbd);
        break;
      case "v128":
        code.u8(OP.PREFIX_SIMD, 0x1d, 0);
        get();
        code.u8(OP.PREFIX_SIMD, 0x1d, 1, OP.I64_CONST, 13, 0x89, 0x85);
        break;
      case "exnref":
      case "ref null func":
        code.u8(0xd1, OP.I64_EXTEND_I32_U);
        break;
      case "ref null struct":
        code.u8(0xd1, OP.IF, 0x7e, OP.I64_CONST, 0x7f, OP.ELSE);
        get();
        code.u8(OP.PREFIX_GC, 2).u32(structure).u32(0).u8(OP.I64_EXTEND_I32_U, OP.END);
    }
  };
}

/** `() -> i64` with the locals hash and index: which elements are null, and how many there are. */
function hashTable(table: number): Code {
  const [HASH, AT] = [0, 1];
  return (code) => {
    code.u8(OP.BLOCK, 0x40, OP.LOOP, 0x40, OP.LOCAL_GET, AT, OP.PREFIX_BULK, 16).u32(table);
    code.u8(0x4f, OP.BR_IF, 1); // i32.ge_u
    code.u8(OP.LOCAL_GET, HASH, OP.I64_CONST, 1, 0x86, OP.LOCAL_GET, AT, 0x25).u32(table);
    code.u8(0xd1, OP.I64_EXTEND_I32_U, 0x84, OP.LOCAL_SET, HASH); // i64.or
    code.u8(OP.LOCAL_GET, AT, OP.I32_CONST, 1, OP.I32_ADD, OP.LOCAL_SET, AT, OP.BR, 0, OP.END, OP.END);
    code.u8(OP.LOCAL_GET, HASH, OP.PREFIX_BULK, 16).u32(table);
    code.u8(OP.I64_EXTEND_I32_U, OP.I64_CONST, 32, 0x86, 0x85);
  };
}
