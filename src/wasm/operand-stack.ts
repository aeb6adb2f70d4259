// Remembers which of the topmost operands are a local variable and a constant added to it, or constants.
//
// It serves stores: if the address is still in a local, it need not be kept in a new one. Only what
// was pushed by straight-line code is known; whatever else happens, the rest is unknown, and so is
// everything after a block. That is always safe, since values are only taken from the top.

import { OP } from "./opcodes.ts";

/** Origin of an operand of which nothing is known. Others are indices of locals, or below it for constants. */
export const UNKNOWN = -1;

/**
 * Added to the index of a local of i64 that was wrapped to i32, as Go has its pointers. No function
 * has that many locals.
 */
export const WRAPPED = 1 << 16;

/** The origin of a constant of i32, given as unsigned. */
export function constantOrigin(value: number): number {
  return UNKNOWN - 1 - value;
}

/** The constant, if that is the origin. */
export function constantOf(origin: number): number | undefined {
  return origin < UNKNOWN ? UNKNOWN - 1 - origin : undefined;
}

/** Deeper operands are forgotten. */
const DEPTH_MAX = 64;

/** How many operands an opcode takes (times two) and whether it gives one; FORGET if it does more than that. */
const FORGET = 0xff;

function effectsByOpcode(): Uint8Array {
  const table = new Uint8Array(256).fill(FORGET);
  const set = (takes: number, gives: 0 | 1, ...ranges: readonly (readonly [number, number])[]): void => {
    for (const [first, last] of ranges) table.fill(takes * 2 + gives, first, last + 1);
  };
  set(0, 0, [0x01, 0x01]); // nop
  set(1, 0, [0x0d, 0x0d], [0x1a, 0x1a], [0x24, 0x24]); // br_if, drop, global.set
  set(3, 1, [0x1b, 0x1c]); // select
  set(0, 1, [0x23, 0x23], [0x3f, 0x3f], [0x41, 0x44]); // global.get, memory.size, constants
  set(1, 1, [0x28, 0x35], [0x40, 0x40]); // loads, memory.grow
  set(1, 1, [0x45, 0x45], [0x50, 0x50], [0x67, 0x69], [0x79, 0x7b], [0x8b, 0x91], [0x99, 0x9f], [0xa7, 0xc4]);
  set(2, 1, [0x46, 0x4f], [0x51, 0x66], [0x6a, 0x78], [0x7c, 0x8a], [0x92, 0x98], [0xa0, 0xa6]);
  return table;
}

const EFFECTS = effectsByOpcode();

export class OperandStack {
  readonly #origins = new Float64Array(DEPTH_MAX);
  /** What was added to each local, as signed. */
  readonly #addends = new Int32Array(DEPTH_MAX);
  #height = 0;

  forget(): void {
    this.#height = 0;
  }

  push(origin: number, addend = 0): void {
    if (this.#height === DEPTH_MAX) this.#height = 0;
    this.#addends[this.#height] = addend;
    this.#origins[this.#height++] = origin;
  }

  pop(count: number): void {
    this.#height = count < this.#height ? this.#height - count : 0;
  }

  /** The local that the value below the `depth` topmost operands comes from, or UNKNOWN. */
  originBelow(depth: number): number {
    return this.#origins[this.#height - depth - 1] ?? UNKNOWN;
  }

  /** What has been added to that local. */
  addendBelow(depth: number): number {
    return this.#addends[this.#height - depth - 1] ?? 0;
  }

  /** A local gets a new value: what was copied from it before is no copy any more. */
  overwrite(local: number): void {
    for (let at = 0; at < this.#height; at++) {
      const origin = this.#origins[at];
      if (origin === local || origin === local + WRAPPED) this.#origins[at] = UNKNOWN;
    }
  }

  /** Follows `i32.wrap_i64`. */
  wrap(): void {
    const origin = this.originBelow(0);
    this.pop(1);
    this.push(origin >= 0 && origin < WRAPPED ? origin + WRAPPED : UNKNOWN);
  }

  /** Follows `i32.add` or `i32.sub`: the sum of a local and a constant is known. */
  #add(opcode: number): void {
    const [left, right] = [this.originBelow(1), this.originBelow(0)];
    const [first, second] = [constantOf(left), constantOf(right)];
    let origin = UNKNOWN;
    let sum = 0;
    if (left >= 0 && second !== undefined) {
      origin = left;
      sum = this.addendBelow(1) + (opcode === OP.I32_ADD ? second : -second);
    } else if (right >= 0 && first !== undefined && opcode === OP.I32_ADD) {
      origin = right;
      sum = this.addendBelow(0) + first;
    }
    this.pop(2);
    this.push(origin, sum);
  }

  /** Follows an opcode of one byte. */
  apply(opcode: number): void {
    if (opcode === OP.I32_ADD || opcode === OP.I32_SUB) {
      this.#add(opcode);
      return;
    }
    const effect = EFFECTS[opcode] ?? FORGET;
    if (effect === FORGET) {
      this.forget();
      return;
    }
    this.pop(effect >> 1);
    if (effect & 1) this.push(UNKNOWN);
  }
}
