// The calls that are made of a module: names and arguments, from a seed.

import { type Export, type FunctionType, readModule, type ValueType } from "../../src/wasm/mod.ts";
import { OBSERVER } from "./generate-module.ts";
import { Random } from "./random.ts";

export interface ScriptedCall {
  readonly name: string;
  readonly args: readonly (number | bigint)[];
}

/** What is done with a module, and how its state is seen. */
export interface Script {
  readonly bytes: Uint8Array;
  readonly observers: readonly string[];
  readonly calls: readonly ScriptedCall[];
}

const CALLS = 5;

export function writeScript(bytes: Uint8Array, seed: number): Script {
  const random = new Random(seed ^ 0x5eed);
  const functions = readModule(bytes).exports.filter(isFunction);
  const observers = functions.map(({ name }) => name).filter((name) => OBSERVER.test(name));
  const callable = functions.filter(({ name }) => !OBSERVER.test(name));
  const calls = Array.from({ length: CALLS }, () => {
    const { name, type } = random.pick(callable);
    return { name, args: type.params.map((param) => argument(param, random)) };
  });
  return { bytes, observers, calls };
}

function isFunction(item: Export): item is Export & { readonly kind: "func"; readonly type: FunctionType } {
  return item.kind === "func";
}

function argument(type: ValueType, random: Random): number | bigint {
  return type === "i64" ? (BigInt(random.i32()) << BigInt(random.below(33))) | 1n : random.i32();
}
