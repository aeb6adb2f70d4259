// The shim: a small generated module, linked in front of a guest, through which it may wait.
//
// A `Suspending` import costs ten times a plain one, and cannot be called at all in first gear. So each
// import that may wait is a pair: the shim calls a plain host function, and only if that has set the
// flag, a `Suspending` one, which waits and delivers the result in place of the first. One linked slot
// serves both gears. The shim also has the two functions of the tick table.
//
//     (func (export "f0") (param ...) (result t)
//       local.get ... call $plain0  [local.set $r]
//       global.get $flag  if
//         i32.const 0  global.set $flag  call $wait_t  [local.set $r]
//       end
//       [local.get $r])

import type { FunctionType, ValueType } from "../wasm/mod.ts";

export interface ShimPlan {
  readonly module: WebAssembly.Module;
  /** Types of results for which the shim imports `wait_T` ("" = none). */
  readonly waits: readonly string[];
}

/** Names of the shim's imports (all below "h") and exports. */
export const SHIM = { MODULE: "h", LATE: "late", YIELD: "yield", FLAG: "flag" } as const;
export const plainName = (index: number): string => `p${index}`;
export const exportName = (index: number): string => `f${index}`;
export const waitName = (type: string): string => `wait_${type}`;

const BYTE: Readonly<Record<string, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c };

/** Makes the shim for imports of these types; they have one result at most. */
export function planShim(imports: readonly FunctionType[]): ShimPlan {
  const waits = [...new Set(imports.map((type) => type.results[0] ?? ""))];
  return { module: new WebAssembly.Module(shimBytes(imports, waits)), waits };
}

function shimBytes(imports: readonly FunctionType[], waits: readonly string[]): Uint8Array {
  // Type 0 is that of `late`, type 1 that of `yield`, then the waits, then the imports.
  const types: FunctionType[] = [
    { params: [], results: ["i32"] },
    { params: [], results: [] },
    // Wait names were taken from value types, "" stands for no result.
    ...waits.map((type) => ({ params: [], results: type === "" ? [] : [type as ValueType] })),
    ...imports,
  ];
  const firstImport = 2 + waits.length;
  const importNames = [
    SHIM.LATE,
    SHIM.YIELD,
    ...waits.map(waitName),
    ...imports.map((_, index) => plainName(index)),
  ];
  const defined = importNames.length;
  const bodies = [
    [0, 0x10, 0, 0x0b],
    [0, 0x10, 1, 0x0b],
    ...imports.map((type, index) =>
      pairBody(type, firstImport + index, 2 + waits.indexOf(type.results[0] ?? "")),
    ),
  ];
  const exports = [SHIM.LATE, SHIM.YIELD, ...imports.map((_, index) => exportName(index))];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, types.map(typeBytes)),
    ...section(
      2,
      importNames.map((name, index) => [...text(SHIM.MODULE), ...text(name), 0x00, ...leb(index)]),
    ),
    ...section(3, [leb(0), leb(1), ...imports.map((_, index) => leb(firstImport + index))]),
    ...section(6, [[0x7f, 0x01, 0x41, 0x00, 0x0b]]),
    ...section(7, [
      ...exports.map((name, index) => [...text(name), 0x00, ...leb(defined + index)]),
      [...text(SHIM.FLAG), 0x03, 0x00],
    ]),
    ...section(
      10,
      bodies.map((body) => [...leb(body.length), ...body]),
    ),
  ]);
}

/** Body of a pair: `plain` and `wait` are function indices. */
function pairBody(type: FunctionType, plain: number, wait: number): number[] {
  const [result] = type.results;
  const local = leb(type.params.length);
  const keep = result === undefined ? [] : [0x21, ...local];
  return [
    ...(result === undefined ? [0] : [1, 1, valueByte(result)]),
    ...type.params.flatMap((_, index) => [0x20, ...leb(index)]),
    ...[0x10, ...leb(plain), ...keep],
    ...[0x23, 0x00, 0x04, 0x40, 0x41, 0x00, 0x24, 0x00, 0x10, ...leb(wait), ...keep, 0x0b],
    ...(result === undefined ? [] : [0x20, ...local]),
    0x0b,
  ];
}

function valueByte(type: ValueType): number {
  const byte = BYTE[type];
  if (byte === undefined) throw new Error(`A host function cannot take or return ${type}`);
  return byte;
}

function typeBytes(type: FunctionType): number[] {
  const vector = (values: readonly ValueType[]) => [...leb(values.length), ...values.map(valueByte)];
  return [0x60, ...vector(type.params), ...vector(type.results)];
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  const body = [...leb(items.length), ...items.flat()];
  return [id, ...leb(body.length), ...body];
}

function text(value: string): number[] {
  const bytes = [...Buffer.from(value)];
  return [...leb(bytes.length), ...bytes];
}

function leb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return [...bytes, rest];
}
