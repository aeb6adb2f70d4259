// The operand stack must never name a wrong local: a store would mark the card of another address.

import assert from "node:assert/strict";
import { test } from "node:test";
import { instantiate } from "../../test/suites/wasm-harness.ts";
import { type Code, ModuleBuilder } from "./module-builder.ts";
import { OP, TYPE } from "./opcodes.ts";
import { CARD_SHIFT } from "./rewritten.ts";

const MEMORY_LIMITS = { min: 1, max: 1, is64: false, shared: false } as const;
const [BELOW, ADDRESS] = [20_000, 40_000];
const DROP = 0x1a;

/** Constants of each number type, none of which makes an instruction trap. */
const CONSTANTS: readonly (readonly number[])[] = [
  [OP.I32_CONST, 1],
  [OP.I64_CONST, 1],
  [OP.F32_CONST, 0, 0, 0x80, 0x3f],
  [OP.F64_CONST, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f],
];

/** All lists of a length that can be made of constants. */
function operandLists(length: number): number[][] {
  if (length === 0) return [[]];
  return operandLists(length - 1).flatMap((list) => CONSTANTS.map((constant) => [...list, ...constant]));
}

function runnable(code: Code): Uint8Array {
  const builder = new ModuleBuilder();
  builder.memory(MEMORY_LIMITS);
  builder.global({ type: "i32", mutable: true }, (initialiser) => initialiser.u8(OP.I32_CONST, 0));
  builder.exportFunction("run", builder.func({ params: ["i32", "i32"], results: [] }, [], code));
  return builder.build();
}

/** A function that pushes two locals, runs what leaves them as they are, and stores through the upper one. */
function storing(between: readonly number[]): Uint8Array {
  return runnable((code) => {
    code.u8(OP.LOCAL_GET, 0, OP.LOCAL_GET, 1, ...between, OP.I32_CONST, 1, OP.I32_STORE, 2, 0, DROP);
  });
}

/** Finds out, by asking V8, which operands an instruction takes and whether it gives a result. */
function validUse(instruction: readonly number[]): number[] | undefined {
  for (const takes of [0, 1, 2, 3]) {
    for (const operands of operandLists(takes)) {
      for (const drops of [[DROP], []]) {
        const use = [...operands, ...instruction, ...drops];
        if (WebAssembly.validate(runnable((code) => code.u8(...use)))) return use;
      }
    }
  }
  return undefined;
}

function assertMarks(bytes: Uint8Array, what: string): void {
  const guest = instantiate(bytes);
  guest.call("run", BELOW, ADDRESS);
  const marks = guest.memories[0]?.marks;
  assert.ok(marks?.[ADDRESS >> CARD_SHIFT], `${what}: the card of the address is marked`);
  assert.ok(!marks[BELOW >> CARD_SHIFT], `${what}: that of the operand below is not`);
}

/** Instructions without side effects on control, with immediates that are valid. */
const INSTRUCTIONS: readonly (readonly number[])[] = [
  [0x01], // nop
  [DROP],
  [0x1b], // select
  [0x1c, 1, TYPE.I32], // select with a type
  [OP.I32_CONST, 0, 0x0d, 0], // br_if, not taken
  [OP.GLOBAL_GET, 0],
  [OP.GLOBAL_SET, 0],
  [OP.MEMORY_SIZE, 0],
  [OP.MEMORY_GROW, 0],
  ...CONSTANTS,
  ...range(0x28, 0x3e).map((opcode) => [opcode, 0, 0]), // loads and stores
  ...range(0x45, 0xc4).map((opcode) => [opcode]), // arithmetic and conversions
];

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

test("A store is marked by its own address whatever instruction of one byte came before", () => {
  for (const instruction of INSTRUCTIONS) {
    const name = instruction.map((byte) => byte.toString(16)).join(" ");
    const use = validUse(instruction);
    if (!use) assert.fail(`${name} fits no operands`);
    assertMarks(storing(use), name);
  }
});

const calls = [
  { params: 0, results: 1 },
  { params: 1, results: 0 },
  { params: 1, results: 1 },
  { params: 3, results: 2 },
];
for (const { params, results } of calls) {
  for (const kind of ["call", "call_indirect"] as const) {
    test(`A store is marked by its own address after a ${kind} of ${params} parameters and ${results} results`, () => {
      const builder = new ModuleBuilder();
      builder.memory(MEMORY_LIMITS);
      builder.table({ type: "ref null func", limits: { min: 1, max: 1, is64: false, shared: false } });
      const type = {
        params: Array.from({ length: params }, () => "i32" as const),
        results: Array.from({ length: results }, () => "i32" as const),
      };
      const callee = builder.func(type, [], (code) => {
        for (let left = results; left > 0; left--) code.u8(OP.I32_CONST, 1);
      });
      builder.elements(0, [callee]);
      const run = builder.func({ params: ["i32", "i32"], results: [] }, [], (code) => {
        code.u8(OP.LOCAL_GET, 0, OP.LOCAL_GET, 1);
        // The arguments are copies of the wrong local.
        for (let left = params; left > 0; left--) code.u8(OP.LOCAL_GET, 0);
        if (kind === "call") code.u8(OP.CALL).u32(callee);
        else code.u8(OP.I32_CONST, 0, OP.CALL_INDIRECT).u32(builder.type(type)).u8(0);
        for (let left = results; left > 1; left--) code.u8(DROP);
        if (results === 0) code.u8(OP.I32_CONST, 1);
        code.u8(OP.I32_STORE, 2, 0, DROP);
      });
      builder.exportFunction("run", run);
      assertMarks(builder.build(), kind);
    });
  }
}
