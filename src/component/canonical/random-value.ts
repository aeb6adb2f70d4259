// Random types and values of them, for tests.

import type { ValueType } from "../types.ts";
import { camelCase } from "./layout.ts";

/** The same numbers in every run (Mulberry32). */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed;
  }
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) % limit;
  }
  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0];
  }
  many<T>(most: number, make: (index: number) => T): T[] {
    return Array.from({ length: 1 + this.below(most) }, (_, index) => make(index));
  }
}

const LEAVES = ["bool", "s8", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char", "string"] as const;
const COMPOUND = [
  "record",
  "tuple",
  "variant",
  "list",
  "array",
  "option",
  "result",
  "enum",
  "flags",
] as const;

/** `depth`: how deep types are in types. */
export function randomType(random: Random, depth: number): ValueType {
  if (depth === 0 || random.below(3) === 0) return { kind: random.pick(LEAVES) };
  const part = () => randomType(random, depth - 1);
  const perhaps = () => (random.below(3) > 0 ? part() : undefined);
  const name = (index: number) => `name-${index}`;
  const kind = random.pick(COMPOUND);
  switch (kind) {
    case "record":
      return { kind, fields: random.many(5, (index) => ({ name: name(index), type: part() })) };
    case "tuple":
      return { kind, elements: random.many(4, part) };
    case "variant": {
      const types = random.many(6, perhaps);
      return { kind, cases: types.map((type, index) => ({ name: name(index), ...(type && { type }) })) };
    }
    case "list":
      return { kind, element: random.pick([part(), { kind: "u8" }]) };
    case "array":
      return { kind: "list", element: part(), length: 1 + random.below(4) };
    case "option":
      return { kind, payload: part() };
    case "result": {
      const [ok, error] = [perhaps(), perhaps()];
      return { kind, ...(ok && { ok }), ...(error && { error }) };
    }
    case "enum":
    case "flags":
      return { kind, names: random.many(20, name) };
  }
}

export function randomValue(random: Random, type: ValueType): unknown {
  const value = (part: ValueType) => randomValue(random, part);
  switch (type.kind) {
    case "record":
      return Object.fromEntries(type.fields.map((field) => [camelCase(field.name), value(field.type)]));
    case "tuple":
      return type.elements.map(value);
    case "variant": {
      const { name, type: payload } = type.cases[random.below(type.cases.length)] ?? { name: "" };
      return { tag: name, ...(payload && { val: value(payload) }) };
    }
    case "list": {
      const length = type.length ?? random.below(4);
      const elements = Array.from({ length }, () => value(type.element));
      // The elements of a list of u8 are numbers.
      return type.element.kind === "u8" ? Uint8Array.from(elements as number[]) : elements;
    }
    case "option": {
      const isSome = random.below(2) > 0;
      if (type.payload.kind !== "option") return isSome ? value(type.payload) : undefined;
      return isSome ? { tag: "some", val: value(type.payload) } : { tag: "none" };
    }
    case "result": {
      const isOk = random.below(2) > 0;
      const payload = isOk ? type.ok : type.error;
      return { tag: isOk ? "ok" : "err", ...(payload && { val: value(payload) }) };
    }
    case "enum":
      return type.names[random.below(type.names.length)];
    case "flags":
      return Object.fromEntries(type.names.map((name) => [camelCase(name), random.below(2) > 0]));
    case "own":
    case "borrow":
      if (type.resource.kind === "defined") throw new Error("Only a component makes its resources");
      return {};
    default:
      return randomLeaf(random, type.kind);
  }
}

function randomLeaf(random: Random, kind: (typeof LEAVES)[number] | "u8" | "s16"): unknown {
  const bits = random.below(2 ** 32);
  switch (kind) {
    case "bool":
      return bits % 2 > 0;
    case "u8":
      return bits & 0xff;
    case "s8":
      return (bits << 24) >> 24;
    case "u16":
      return bits & 0xffff;
    case "s16":
      return (bits << 16) >> 16;
    case "u32":
      return bits;
    case "s32":
      return bits | 0;
    case "u64":
      return BigInt(bits) * BigInt(random.below(2 ** 32));
    case "s64":
      return BigInt.asIntN(64, BigInt(bits) ** 2n);
    case "f32":
      return Math.fround(bits / 3);
    case "f64":
      return random.pick([bits / 3, Number.NaN, -0, Number.POSITIVE_INFINITY]);
    case "char":
      return random.pick(["a", "é", "\0", "🦀"]);
    case "string":
      return random.pick(["", "short", "ünï", "🦀".repeat(9), "a longer text of plain letters only"]);
  }
}
