// Random programs of stores, assignments, blocks and loops: what shares a mark, and what must not.
//
// Each runs as it is and rewritten; memories must agree, and a restore must undo every byte. The
// programs are the same in every run.

import assert from "node:assert/strict";
import { test } from "node:test";
import { instantiate } from "../../test/suites/wasm-harness.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { ModuleBuilder } from "./module-builder.ts";
import { BULK, OP, TYPE } from "./opcodes.ts";
import { CARD_SHIFT } from "./rewritten.ts";

const PROGRAMS = 300;
const STATEMENTS = 40;
const DEPTH_MAX = 4;
/** Addresses stay within one page of 64 KiB, near the ends of cards. */
const CARD_BYTES = 1 << CARD_SHIFT;
const LIMITS = { min: 1, max: 1, is64: false, shared: false } as const;

/** Locals of a program: its parameter, addresses, a counter for loops, an i64. */
const [SEED, P, Q, COUNTER, WIDE] = [0, 1, 2, 3, 4];
const ADDRESS_LOCALS = [P, Q];

/** Small, fast, and the same everywhere (mulberry32). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

class ProgramWriter {
  readonly #code: ByteWriter;
  readonly #random: (below: number) => number;
  #depth = 0;

  constructor(code: ByteWriter, random: (below: number) => number) {
    this.#code = code;
    this.#random = random;
  }

  #pick<T>(choices: readonly T[]): T {
    // The random number is below the length, which is not 0.
    return choices[this.#random(choices.length)] as T;
  }

  #constant(value: number): void {
    this.#code.u8(OP.I32_CONST).signed(value | 0);
  }

  #get(local: number): void {
    this.#code.u8(OP.LOCAL_GET).u32(local);
  }

  statements(count: number): void {
    for (let left = count; left > 0; left--) this.#statement();
  }

  #statement(): void {
    const kind = this.#random(12);
    if (kind < 6) this.#store();
    else if (kind < 8) this.#assign(this.#pick(ADDRESS_LOCALS));
    else if (kind === 8) this.#bulk();
    else if (this.#depth < DEPTH_MAX) this.#block(kind);
  }

  /** An address about the end of a card, so that offsets reach across. */
  #freshAddress(): void {
    this.#constant(this.#random(8) * CARD_BYTES + CARD_BYTES + 8 - this.#random(24));
  }

  #assign(local: number): void {
    if (this.#random(3) === 0) this.#freshAddress();
    else {
      this.#get(this.#pick(ADDRESS_LOCALS));
      this.#constant(this.#pick(STEPS));
      this.#code.u8(this.#pick([OP.I32_ADD, OP.I32_SUB]));
      // Half of all sums are known to the rewriter as what they are.
      if (this.#random(2) === 0) {
        this.#constant(0x7fff);
        this.#code.u8(I32_AND);
      }
    }
    this.#code.u8(OP.LOCAL_SET).u32(local);
    if (this.#random(3) > 0) return;
    this.#get(local);
    this.#code.u8(OP.I64_EXTEND_I32_U, OP.LOCAL_SET).u32(WIDE);
  }

  #address(): void {
    switch (this.#random(6)) {
      case 0:
        this.#get(WIDE);
        this.#code.u8(OP.I32_WRAP_I64);
        break;
      case 1:
        this.#get(this.#pick(ADDRESS_LOCALS));
        this.#constant(this.#random(30));
        this.#code.u8(OP.I32_ADD);
        if (this.#random(2) === 0) this.#code.u8(OP.LOCAL_TEE).u32(this.#pick(ADDRESS_LOCALS));
        break;
      case 2:
        this.#freshAddress();
        this.#code.u8(OP.LOCAL_TEE).u32(this.#pick(ADDRESS_LOCALS));
        break;
      default:
        this.#get(this.#pick(ADDRESS_LOCALS));
    }
  }

  #store(): void {
    const { opcode, wide } = this.#pick(STORES);
    this.#address();
    this.#value(wide);
    const offset = this.#pick([0, 4, 8, 12, 13, 15, 16, 20, 28, 31, 32, 506, 511, 512, 4096]);
    this.#code.u8(opcode, 0).u32(offset);
  }

  #value(wide: boolean): void {
    const { i32, i64 } = { i32: this.#random(4), i64: this.#random(2) };
    if (wide) {
      if (i64) this.#get(WIDE);
      else this.#code.u8(OP.I64_CONST).signed(-this.#random(1000));
    } else if (i32 === 0) this.#constant(-this.#random(1000));
    else if (i32 === 1) this.#get(SEED);
    else if (i32 === 2) {
      // A value that changes the address's local while the address is on the stack.
      this.#freshAddress();
      this.#code.u8(OP.LOCAL_TEE).u32(this.#pick(ADDRESS_LOCALS));
    } else {
      this.#get(SEED);
      this.#get(P);
      this.#code.u8(OP.I32_ADD);
    }
  }

  #bulk(): void {
    this.#address();
    const isFill = this.#random(2) === 0;
    if (isFill) this.#constant(this.#random(256));
    else this.#freshAddress();
    this.#constant(this.#pick([0, 1, 20, 512, 4096, 5000]));
    if (isFill) this.#code.u8(OP.PREFIX_BULK, BULK.MEMORY_FILL, 0);
    else this.#code.u8(OP.PREFIX_BULK, BULK.MEMORY_COPY, 0, 0);
  }

  #block(kind: number): void {
    this.#depth++;
    if (kind === 9) {
      this.#code.u8(OP.BLOCK, TYPE.EMPTY);
      this.statements(3);
      this.#leaveIfOdd();
      this.statements(3);
    } else if (kind === 10) {
      this.#get(SEED);
      this.#code.u8(OP.IF, TYPE.EMPTY);
      this.statements(3);
      this.#code.u8(OP.ELSE);
      this.statements(3);
    } else this.#loop();
    this.#code.u8(OP.END);
    this.#depth--;
  }

  #leaveIfOdd(): void {
    this.#get(SEED);
    this.#constant(1);
    this.#code.u8(I32_AND, BR_IF, 0);
  }

  /** The counter is shared, so that nested loops end early, not late. */
  #loop(): void {
    this.#code.u8(OP.LOOP, TYPE.EMPTY);
    this.statements(4);
    this.#get(COUNTER);
    this.#constant(1);
    this.#code.u8(OP.I32_ADD, OP.LOCAL_TEE).u32(COUNTER);
    this.#constant(6);
    this.#code.u8(I32_LT_U, BR_IF, 0);
  }
}

/** What addresses move by: within what a mark covers, and just beyond. */
const STEPS = [1, 4, 8, 20, -8, 240, 248, 256, -248, 506, -512, 4090, -4096];
const I32_AND = 0x71;
const I32_LT_U = 0x49;
const BR_IF = 0x0d;
const STORES = [
  { opcode: 0x36, wide: false },
  { opcode: 0x37, wide: true },
  { opcode: 0x3a, wide: false },
  { opcode: 0x3b, wide: false },
  { opcode: 0x3e, wide: true },
];

function randomProgram(seed: number): Uint8Array {
  const builder = new ModuleBuilder();
  builder.exportMemory("memory", builder.memory(LIMITS));
  const run = builder.func({ params: ["i32"], results: [] }, ["i32", "i32", "i32", "i64"], (code) => {
    new ProgramWriter(code, randomNumbers(seed)).statements(STATEMENTS);
  });
  builder.exportFunction("run", run);
  return builder.build();
}

test(`${PROGRAMS} random programs do the same when rewritten, and every byte that they write is undone`, () => {
  let returned = 0;
  for (let seed = 0; seed < PROGRAMS; seed++) {
    const bytes = randomProgram(seed);
    const original = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
    const rewritten = instantiate(bytes);
    assert.ok(typeof original.run === "function" && original.memory instanceof WebAssembly.Memory);
    const memory = rewritten.memories[0];
    assert.ok(memory);
    const clean = memory.bytes.slice();
    for (const argument of [0, 1, 6]) {
      const expected: Uint8Array = new Uint8Array(original.memory.buffer);
      expected.set(clean);
      const { run } = original;
      const ending = endingOf(() => run(argument));
      assert.equal(
        endingOf(() => rewritten.call("run", argument)),
        ending,
        `program ${seed} with ${argument} ends otherwise`,
      );
      if (ending === "returned") returned++;
      assert.equal(Buffer.compare(memory.bytes, expected), 0, `program ${seed} with ${argument} differs`);
      rewritten.restore();
      assert.equal(Buffer.compare(memory.bytes, clean), 0, `program ${seed} with ${argument} is not undone`);
    }
  }
  assert.ok(returned > PROGRAMS);
});

/** Addresses that move without being masked may leave the memory. */
function endingOf(run: () => unknown): "returned" | "trapped" {
  try {
    run();
    return "returned";
  } catch (error) {
    assert.ok(error instanceof WebAssembly.RuntimeError);
    return "trapped";
  }
}
