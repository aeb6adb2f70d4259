// The scripts of component suites, in the JSON form that `wasm-tools json-from-wast` writes, and their values.

import { camelCase } from "../../src/component/canonical/layout.ts";
import type { ValueType } from "../../src/component/mod.ts";

export interface Script {
  readonly source_filename: string;
  readonly commands: readonly Command[];
}

/** A value in a script. Integers are decimal; floats are the decimal value of their bits. */
export type Constant =
  | { readonly type: "bool"; readonly value: boolean }
  | {
      readonly type: "s8" | "u8" | "s16" | "u16" | "s32" | "u32" | "s64" | "u64" | "f32" | "f64";
      readonly value: string;
    }
  | { readonly type: "char" | "string" | "enum"; readonly value: string }
  | { readonly type: "list" | "tuple"; readonly value: readonly Constant[] }
  | { readonly type: "record"; readonly value: readonly (readonly [name: string, value: Constant])[] }
  | {
      readonly type: "variant";
      readonly value: { readonly case: string; readonly payload?: Constant | null };
    }
  | { readonly type: "flags"; readonly value: readonly string[] }
  | { readonly type: "option"; readonly value: Constant | null }
  | {
      readonly type: "result";
      readonly value: { readonly Ok?: Constant | null; readonly Err?: Constant | null };
    };

export interface Action {
  readonly type: "invoke";
  readonly module?: string;
  readonly field: string;
  readonly args?: readonly Constant[];
}

interface File {
  readonly filename: string;
  /** Only binary components are of interest here. */
  readonly module_type: "binary" | "text";
}

export type Command = { readonly line: number } & (
  | ({ readonly type: "module" | "module_definition"; readonly name?: string } & File)
  | { readonly type: "module_instance"; readonly instance?: string; readonly module?: string }
  | { readonly type: "register"; readonly name?: string; readonly as: string }
  | { readonly type: "action"; readonly action: Action }
  | { readonly type: "assert_return"; readonly action: Action; readonly expected: readonly Constant[] }
  | { readonly type: "assert_trap"; readonly action: Action; readonly text: string }
  | ({
      readonly type: "assert_invalid" | "assert_malformed" | "assert_unlinkable" | "assert_uninstantiable";
      readonly text: string;
    } & File)
);

/** The value of a constant, as `ValueType` says. */
export function toValue(constant: Constant, type: ValueType): unknown {
  switch (constant.type) {
    case "bool":
    case "char":
    case "string":
    case "enum":
      return constant.value;
    case "f32":
    case "f64":
      return floatOf(constant.type, constant.value);
    case "s64":
    case "u64":
      return BigInt(constant.value);
    case "list":
    case "tuple":
      return elementsOf(constant.value, type);
    case "record":
      return recordOf(constant.value, type);
    case "variant":
      return tagged(constant.value.case, constant.value.payload, payloadType(constant.value.case, type));
    case "flags": {
      const names = type.kind === "flags" ? type.names : [];
      return Object.fromEntries(names.map((name) => [camelCase(name), constant.value.includes(name)]));
    }
    case "option":
      return optionOf(constant.value, type);
    case "result":
      return resultOf(constant.value, type);
    default:
      return Number(constant.value);
  }
}

function floatOf(type: "f32" | "f64", bits: string): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(bits));
  return type === "f32" ? view.getFloat32(4) : view.getFloat64(0);
}

function elementsOf(values: readonly Constant[], type: ValueType): unknown {
  if (type.kind === "tuple")
    return values.map((value, index) => toValue(value, required(type.elements[index])));
  if (type.kind !== "list") return misfit("list", type);
  const elements = values.map((value) => toValue(value, type.element));
  // The elements of a list of u8 are numbers.
  return type.element.kind === "u8" ? Uint8Array.from(elements as number[]) : elements;
}

function recordOf(values: readonly (readonly [string, Constant])[], type: ValueType): unknown {
  if (type.kind !== "record") return misfit("record", type);
  const typeOf = (name: string) => required(type.fields.find((field) => field.name === name)).type;
  return Object.fromEntries(values.map(([name, value]) => [camelCase(name), toValue(value, typeOf(name))]));
}

function optionOf(value: Constant | null, type: ValueType): unknown {
  if (type.kind !== "option") return misfit("option", type);
  const { payload } = type;
  if (payload.kind === "option") return value ? tagged("some", value, payload) : { tag: "none" };
  return value ? toValue(value, payload) : undefined;
}

function resultOf(value: { readonly Ok?: Constant | null; readonly Err?: Constant | null }, type: ValueType) {
  if (type.kind !== "result") return misfit("result", type);
  return "Ok" in value ? tagged("ok", value.Ok, type.ok) : tagged("err", value.Err, type.error);
}

function payloadType(name: string, type: ValueType): ValueType | undefined {
  return type.kind === "variant" ? required(type.cases.find((each) => each.name === name)).type : undefined;
}

function tagged(tag: string, payload: Constant | null | undefined, type: ValueType | undefined) {
  return payload && type ? { tag, val: toValue(payload, type) } : { tag };
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("A constant does not fit its type");
  return value;
}

function misfit(kind: string, type: ValueType): never {
  throw new Error(`A ${kind} is no ${type.kind}`);
}
