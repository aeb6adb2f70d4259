// Checks of JavaScript values that generated code lowers. What they throw is the host's mistake, not the guest's.

import { trap } from "./canonical-error.ts";

function wrong(expected: string, value: unknown): never {
  const shown = typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : `${typeof value} ${value}`;
  throw new TypeError(`Expected ${expected}, got ${shown}`);
}

/** Functions that generated code calls by these names. */
export const CHECKS = {
  wrong,
  bool: (value: unknown) => (typeof value === "boolean" ? Number(value) : wrong("a boolean", value)),
  u8: (value: number) => ((value & 0xff) === value ? value : wrong("a u8", value)),
  s8: (value: number) => ((value << 24) >> 24 === value ? value : wrong("an s8", value)),
  u16: (value: number) => ((value & 0xffff) === value ? value : wrong("a u16", value)),
  s16: (value: number) => ((value << 16) >> 16 === value ? value : wrong("an s16", value)),
  u32: (value: number) => (value >>> 0 === value ? value : wrong("a u32", value)),
  s32: (value: number) => ((value | 0) === value ? value : wrong("an s32", value)),
  u64: (value: bigint) =>
    typeof value === "bigint" && BigInt.asUintN(64, value) === value ? value : wrong("a u64", value),
  s64: (value: bigint) =>
    typeof value === "bigint" && BigInt.asIntN(64, value) === value ? value : wrong("an s64", value),
  f32: (value: unknown) => (typeof value === "number" ? value : wrong("a number", value)),
  f64: (value: unknown) => (typeof value === "number" ? value : wrong("a number", value)),

  /** Code point of a char. */
  char(value: unknown): number {
    const code = typeof value === "string" ? value.codePointAt(0) : undefined;
    const isOne = code !== undefined && String(value).length === (code > 0xffff ? 2 : 1);
    return isOne && !isSurrogate(code) ? code : wrong("one character", value);
  },

  /** The elements of a list, in an array of the right length. */
  list(value: unknown, length: number | undefined): readonly unknown[] | Uint8Array {
    if (!Array.isArray(value) && !(value instanceof Uint8Array)) return wrong("an array", value);
    if (length !== undefined && value.length !== length)
      return wrong(`${length} elements`, `${value.length} elements`);
    return value;
  },

  liftChar(code: number): string {
    if (code >>> 0 >= 0x110000 || isSurrogate(code)) trap("converted integer out of range for `char`");
    return String.fromCodePoint(code);
  },

  badCase(): never {
    trap("invalid variant discriminant");
  },

  /** Bits of floats, as joined variants pass them. */
  bitsOfFloat32(value: number): number {
    scratch.setFloat32(0, value);
    return scratch.getInt32(0);
  },
  float32OfBits(bits: number): number {
    scratch.setInt32(0, bits);
    return scratch.getFloat32(0);
  },
  bitsOfFloat64(value: number): bigint {
    scratch.setFloat64(0, value);
    return scratch.getBigInt64(0);
  },
  float64OfBits(bits: bigint): number {
    scratch.setBigInt64(0, bits);
    return scratch.getFloat64(0);
  },
};

const scratch = new DataView(new ArrayBuffer(8));

function isSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdfff;
}
