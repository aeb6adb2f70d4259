// Calls exports with exact bits: NaN payloads and vectors, which JavaScript cannot hold.
//
// For each exported function a shim module is made which loads the arguments from a memory, calls,
// and stores the results there. Sixteen bytes for each value; references are passed directly.

import { type ByteWriter, type FunctionType, ModuleBuilder, OP, type ValueType } from "../../src/wasm/mod.ts";
import type { Constant, LaneType } from "./wasm-script.ts";

/** A value as it came out: bits of numbers, references as JavaScript has them. */
export type Result =
  | { readonly type: "i32" | "i64" | "f32" | "f64"; readonly bits: bigint }
  | { readonly type: "v128"; readonly bits: bigint }
  | { readonly type: "ref"; readonly value: unknown };

type Invoke = (args: readonly Constant[]) => Result[];

/** An exported function, ready to be called with constants of a script. */
export function invoker(exported: unknown, type: FunctionType): Invoke {
  if (typeof exported !== "function") throw new Error("The export is not a function");
  // The script gives arguments of the right types.
  const fn = exported as (...args: unknown[]) => unknown;
  try {
    return exactInvoker(fn, type);
  } catch (error) {
    // Types of a recursion group of its own cannot be named by a shim.
    if (error instanceof WebAssembly.LinkError || error instanceof WebAssembly.CompileError) {
      return directInvoker(fn, type);
    }
    throw error;
  }
}

const SLOT_BYTES = 16;
const NUMBER_TYPES: ReadonlySet<string> = new Set(["i32", "i64", "f32", "f64", "v128"]);
const isNumber = (type: ValueType): boolean => NUMBER_TYPES.has(type);
/** Exceptions cannot cross to JavaScript: only whether they are null does. */
const isException = (type: ValueType): boolean => /\b(no)?exn$/.test(type);

function exactInvoker(fn: unknown, type: FunctionType): Invoke {
  const { memory, run } = makeShim(fn, type);
  const view = new DataView(memory.buffer);
  return (args) => {
    args.forEach((arg, slot) => {
      if (NUMBER_TYPES.has(arg.type)) writeBits(view, slot, bitsOf(arg));
    });
    const references = args.filter(({ type }) => !NUMBER_TYPES.has(type)).map(toJavaScript);
    const returned = run(...references);
    const referenceTypes = type.results.filter((result) => !isNumber(result) && !isException(result));
    // Several results come as an array, one comes alone.
    const returnedReferences = referenceTypes.length > 1 ? [...(returned as unknown[])] : [returned];
    return type.results.map((result, slot) => readResult(view, slot, { type: result, returnedReferences }));
  };
}

function readResult(
  view: DataView,
  slot: number,
  { type, returnedReferences }: { type: ValueType; returnedReferences: unknown[] },
): Result {
  const low = view.getBigUint64(slot * SLOT_BYTES, true);
  switch (type) {
    case "i32":
    case "f32":
      return { type, bits: low & 0xffffffffn };
    case "i64":
    case "f64":
      return { type, bits: low };
    case "v128":
      return { type, bits: low | (view.getBigUint64(slot * SLOT_BYTES + 8, true) << 64n) };
    default:
      if (isException(type)) return { type: "ref", value: (low & 1n) === 1n ? null : "an exception" };
      return { type: "ref", value: returnedReferences.shift() };
  }
}

function makeShim(
  fn: unknown,
  type: FunctionType,
): { memory: WebAssembly.Memory; run: (...args: unknown[]) => unknown } {
  const builder = new ModuleBuilder();
  const target = builder.importFunction("", "f", type);
  const memory = builder.memory({ min: 1, is64: false, shared: false });
  const params = type.params.filter((param) => !isNumber(param));
  const results = type.results.filter((result) => !isNumber(result) && !isException(result));
  const run = builder.func({ params, results }, type.results, (code) =>
    writeShim(code, { type, target, firstLocal: params.length }),
  );
  builder.exportFunction("run", run);
  builder.exportMemory("memory", memory);
  const module = new WebAssembly.Module(builder.build());
  const { exports } = new WebAssembly.Instance(module, { "": { f: fn } });
  // Both are exported just above.
  return exports as unknown as { memory: WebAssembly.Memory; run: (...args: unknown[]) => unknown };
}

/** `load`, `store`: opcodes and alignment for each number type. */
const ACCESS: Readonly<Record<string, { load: number[]; store: number[] }>> = {
  i32: { load: [0x28, 2], store: [0x36, 2] },
  i64: { load: [0x29, 3], store: [0x37, 3] },
  f32: { load: [0x2a, 2], store: [0x38, 2] },
  f64: { load: [0x2b, 3], store: [0x39, 3] },
  v128: { load: [0xfd, 0, 4], store: [0xfd, 11, 4] },
};
const I32_STORE = [0x36, 2];
const REF_IS_NULL = 0xd1;

/** Loads the arguments, calls, keeps the results in locals, then stores or returns each. */
function writeShim(
  code: ByteWriter,
  { type, target, firstLocal }: { type: FunctionType; target: number; firstLocal: number },
): void {
  let reference = 0;
  for (const [slot, param] of type.params.entries()) {
    const access = ACCESS[param];
    if (access) {
      code
        .u8(OP.I32_CONST)
        .signed(slot * SLOT_BYTES)
        .u8(...access.load, 0);
    } else code.u8(OP.LOCAL_GET).u32(reference++);
  }
  code.u8(OP.CALL).u32(target);
  for (let slot = type.results.length - 1; slot >= 0; slot--) code.u8(OP.LOCAL_SET).u32(firstLocal + slot);
  for (const [slot, result] of type.results.entries()) {
    const store = isException(result) ? I32_STORE : ACCESS[result]?.store;
    if (!store) continue;
    code
      .u8(OP.I32_CONST)
      .signed(slot * SLOT_BYTES)
      .u8(OP.LOCAL_GET)
      .u32(firstLocal + slot);
    if (isException(result)) code.u8(REF_IS_NULL);
    code.u8(...store, 0);
  }
  for (const [slot, result] of type.results.entries()) {
    if (!isNumber(result) && !isException(result)) code.u8(OP.LOCAL_GET).u32(firstLocal + slot);
  }
}

function directInvoker(call: (...args: unknown[]) => unknown, type: FunctionType): Invoke {
  return (args) => {
    const returned = call(...args.map(toJavaScript));
    // Several results come as an array, one comes alone.
    const values = type.results.length > 1 ? [...(returned as unknown[])] : [returned];
    return type.results.map((result, index) => fromJavaScript(values[index], result));
  };
}

function fromJavaScript(value: unknown, type: ValueType): Result {
  switch (type) {
    case "i32":
      return { type, bits: BigInt.asUintN(32, BigInt(Number(value))) };
    case "i64":
      // V8 returns a bigint for an i64.
      return { type, bits: BigInt.asUintN(64, value as bigint) };
    case "f32":
    case "f64":
      return { type, bits: floatBits(Number(value), type) };
    default:
      return { type: "ref", value };
  }
}

function floatBits(value: number, type: "f32" | "f64"): bigint {
  const view = new DataView(new ArrayBuffer(8));
  if (type === "f32") {
    view.setFloat32(0, value, true);
    return BigInt(view.getUint32(0, true));
  }
  view.setFloat64(0, value, true);
  return view.getBigUint64(0, true);
}

/** Objects that stand for the host references of a script, by number. */
const hostObjects = new Map<string, object>();

function hostObject(number: string): object {
  let object = hostObjects.get(number);
  if (!object) {
    object = { hostReference: number };
    hostObjects.set(number, object);
  }
  return object;
}

export function toJavaScript(constant: Constant): unknown {
  const view = new DataView(new ArrayBuffer(16));
  switch (constant.type) {
    case "i32":
      return Number(BigInt.asIntN(32, bitsOf(constant)));
    case "i64":
      return BigInt.asIntN(64, bitsOf(constant));
    case "f32":
      writeBits(view, 0, bitsOf(constant));
      return view.getFloat32(0, true);
    case "f64":
      writeBits(view, 0, bitsOf(constant));
      return view.getFloat64(0, true);
    case "v128":
    case "either":
      throw new Error(`${constant.type} cannot be passed by JavaScript`);
    default:
      return constant.value === undefined || constant.value === "null" ? null : hostObject(constant.value);
  }
}

function writeBits(view: DataView, slot: number, bits: bigint): void {
  view.setBigUint64(slot * SLOT_BYTES, BigInt.asUintN(64, bits), true);
  if (view.byteLength > slot * SLOT_BYTES + 8) view.setBigUint64(slot * SLOT_BYTES + 8, bits >> 64n, true);
}

export const LANE_BITS: Readonly<Record<LaneType, number>> = {
  i8: 8,
  i16: 16,
  i32: 32,
  i64: 64,
  f32: 32,
  f64: 64,
};

function bitsOf(constant: Constant): bigint {
  switch (constant.type) {
    case "i32":
    case "f32":
      return BigInt.asUintN(32, BigInt(constant.value));
    case "i64":
    case "f64":
      return BigInt.asUintN(64, BigInt(constant.value));
    case "v128": {
      const width = LANE_BITS[constant.lane_type];
      return constant.value.reduceRight(
        (bits, lane) => (bits << BigInt(width)) | BigInt.asUintN(width, BigInt(lane)),
        0n,
      );
    }
    default:
      throw new Error(`${constant.type} has no bits`);
  }
}

/** Whether a result is what the script expects. */
export function matches(result: Result | undefined, expected: Constant): boolean {
  if (!result) return false;
  if (expected.type === "either") return expected.values.some((value) => matches(result, value));
  if (result.type === "ref") return matchesReference(result.value, expected);
  if (expected.type === "v128") {
    const width = LANE_BITS[expected.lane_type];
    return expected.value.every((lane, index) => {
      const bits = BigInt.asUintN(width, result.bits >> BigInt(index * width));
      return matchesNumber(bits, lane, width);
    });
  }
  if (result.type !== expected.type) return false;
  return matchesNumber(result.bits, expected.value, LANE_BITS[result.type as "i32"]);
}

function matchesNumber(bits: bigint, expected: string, width: number): boolean {
  const quietNan = width === 32 ? 0x7fc00000n : 0x7ff8000000000000n;
  if (expected === "nan:canonical") return BigInt.asUintN(width - 1, bits) === quietNan;
  if (expected === "nan:arithmetic") return (bits & quietNan) === quietNan;
  return bits === BigInt.asUintN(width, BigInt(expected));
}

function matchesReference(value: unknown, expected: Constant): boolean {
  if (expected.type === "either" || expected.type === "v128") return false;
  if (expected.type === "refnull" || expected.type.startsWith("null") || expected.value === "null")
    return value === null;
  if (expected.type === "i31ref") return typeof value === "number";
  if (expected.type === "funcref") return typeof value === "function";
  if (expected.value !== undefined) return value === hostObject(expected.value);
  return value !== null;
}
