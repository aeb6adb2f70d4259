// What a generated module has, decided before its code: the code refers to all of it by index.

import type { Limits } from "../../src/wasm/mod.ts";
import type { Random } from "./random.ts";

export type NumberType = "i32" | "i64" | "f32" | "f64";
export type PlannedType = NumberType | "v128";

export interface Signature {
  readonly params: readonly PlannedType[];
  readonly results: readonly PlannedType[];
}

/** What a block takes and gives; exceptions too. */
export type BlockType = PlannedType | "exnref";

export interface PlannedFunction extends Signature {
  /** Called from outside: all its types are numbers. */
  readonly isExported: boolean;
}

export interface PlannedGlobal {
  readonly type: BlockType | "ref null func" | "ref null struct";
  readonly mutable: boolean;
}

export interface PlannedData {
  readonly length: number;
  /** Absent for passive segments. */
  readonly active?: { readonly memory: number; readonly offset: number };
}

/** How exceptions are written: the two ways may not be mixed in a module. */
export type ExceptionStyle = "none" | "legacy" | "try-table";

export interface Plan {
  readonly memories: readonly Limits[];
  readonly globals: readonly PlannedGlobal[];
  /** Number of elements of each table of functions. */
  readonly tables: readonly number[];
  readonly data: readonly PlannedData[];
  readonly functions: readonly PlannedFunction[];
  readonly exceptions: ExceptionStyle;
  /** Whether the code may write to tables, and drop elements. */
  readonly changesTables: boolean;
  /** Whether there is a type of structures; some global holds one. */
  readonly hasStructures: boolean;
  readonly hasStart: boolean;
  /** Bytes of a name section that nobody can read. */
  readonly names: Uint8Array | undefined;
}

/** Memories beyond this are not asked for: the engine would refuse, where a plain instance would not. */
export const PAGES_MAX = 6;
const NUMBERS: readonly NumberType[] = ["i32", "i32", "i64", "f32", "f64"];
const TYPES: readonly PlannedType[] = [...NUMBERS, "v128"];

export function makePlan(random: Random): Plan {
  const hasStructures = random.oneIn(4);
  const exceptions = random.pick(["none", "none", "legacy", "try-table"] as const);
  return {
    memories: list(random.oneIn(3) ? random.between(2, 3) : 1, (index) => planMemory(random, index)),
    globals: planGlobals(random, { hasStructures, hasExceptions: exceptions === "try-table" }),
    tables: list(random.between(1, 2), () => random.between(2, 8)),
    data: planData(random),
    functions: list(random.between(2, 6), (index) => planFunction(random, index)),
    exceptions,
    changesTables: random.oneIn(3),
    hasStructures,
    hasStart: random.oneIn(5),
    names: random.oneIn(5) ? Uint8Array.from({ length: random.below(40) }, () => random.u32()) : undefined,
  };
}

/** The first has 32-bit addresses and a page, so that host functions may write to it. */
function planMemory(random: Random, index: number): Limits {
  const min = index > 0 && random.oneIn(12) ? 0 : random.between(1, 2);
  return {
    min,
    max: random.between(min, PAGES_MAX),
    is64: index > 0 && random.oneIn(2),
    shared: random.oneIn(8),
  };
}

function planGlobals(
  random: Random,
  { hasStructures, hasExceptions }: { readonly hasStructures: boolean; readonly hasExceptions: boolean },
): PlannedGlobal[] {
  const globals: PlannedGlobal[] = list(random.between(2, 8), () => ({
    type: random.oneIn(8) ? "ref null func" : random.pick(TYPES),
    mutable: !random.oneIn(5),
  }));
  if (hasExceptions) globals.push({ type: "exnref", mutable: true });
  if (hasStructures) globals.push({ type: "ref null struct", mutable: random.oneIn(2) });
  return globals;
}

function planData(random: Random): PlannedData[] {
  return list(random.below(5), () => {
    const length = random.below(50);
    if (random.oneIn(2)) return { length };
    return { length, active: { memory: 0, offset: random.oneIn(30) ? 65_530 : random.below(60_000) } };
  });
}

function planFunction(random: Random, index: number): PlannedFunction {
  const isExported = index === 0 || random.oneIn(2);
  const types = isExported ? NUMBERS : TYPES;
  return {
    params: list(random.below(4), () => random.pick(types)),
    results: list(random.pick([0, 1, 1, 1, 2]), () => random.pick(types)),
    isExported,
  };
}

function list<T>(length: number, make: (index: number) => T): T[] {
  return Array.from({ length }, (_, index) => make(index));
}

/** The type of addresses of a memory. */
export function addressType({ is64 }: Limits): "i32" | "i64" {
  return is64 ? "i64" : "i32";
}
