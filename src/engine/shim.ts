// The shim: a small generated module, linked in front of a guest, through which it may wait.
//
// A `Suspending` import costs ten times a plain one, and cannot be called at all in first gear. So each
// import that may wait is a pair: the shim calls a plain host function, and only if that has set the
// flag, a `Suspending` one, which waits and delivers the result in place of the first. One linked slot
// serves both gears. The shim also has the functions of the tick table.

import { type Code, type FunctionType, ModuleBuilder, OP, type ValueType } from "../wasm/mod.ts";

export interface ShimPlan {
  readonly module: WebAssembly.Module;
  /** Types of results for which the shim imports a waiting function (`undefined`: no result). */
  readonly waits: readonly (ValueType | undefined)[];
}

/** Names of the shim's imports, all below MODULE, and of its exports. */
export const SHIM = { MODULE: "host", LATE: "late", YIELD: "yield", SPENT: "spent", FLAG: "flag" } as const;
export const plainName = (index: number): string => `plain${index}`;
export const pairName = (index: number): string => `pair${index}`;
export const waitName = (type: ValueType | undefined): string => `wait-${type ?? "nothing"}`;

const LATE_TYPE: FunctionType = { params: [], results: ["i32"] };
const YIELD_TYPE: FunctionType = { params: [], results: [] };
const SPENT_TYPE = YIELD_TYPE;
/** Block type of an `if` without a result. */
const NO_RESULT = 0x40;

/** Makes the shim for imports of these types; they have one result at most. */
export function planShim(imports: readonly FunctionType[]): ShimPlan {
  const builder = new ModuleBuilder();
  const waits = [...new Set(imports.map((type) => type.results[0]))];
  const late = builder.importFunction(SHIM.MODULE, SHIM.LATE, LATE_TYPE);
  const giveWay = builder.importFunction(SHIM.MODULE, SHIM.YIELD, YIELD_TYPE);
  const spent = builder.importFunction(SHIM.MODULE, SHIM.SPENT, SPENT_TYPE);
  const waiting = waits.map((result) =>
    builder.importFunction(SHIM.MODULE, waitName(result), { params: [], results: result ? [result] : [] }),
  );
  const plain = imports.map((type, index) => builder.importFunction(SHIM.MODULE, plainName(index), type));
  const flag = builder.global({ type: "i32", mutable: true }, (code) => code.u8(OP.I32_CONST).signed(0));
  builder.exportGlobal(SHIM.FLAG, flag);
  builder.exportFunction(SHIM.LATE, builder.func(LATE_TYPE, [], calls(late)));
  builder.exportFunction(SHIM.YIELD, builder.func(YIELD_TYPE, [], calls(giveWay)));
  builder.exportFunction(SHIM.SPENT, builder.func(SPENT_TYPE, [], calls(spent)));
  imports.forEach((type, index) => {
    const [result] = type.results;
    const callees = { plain: plain[index] ?? 0, wait: waiting[waits.indexOf(result)] ?? 0, flag };
    const pair = builder.func(type, result ? [result] : [], pairBody(type, callees));
    builder.exportFunction(pairName(index), pair);
  });
  return { module: new WebAssembly.Module(builder.build()), waits };
}

function calls(callee: number): Code {
  return (code) => code.u8(OP.CALL).u32(callee);
}

/**
 *     local.get $param...  call $plain  local.set $result
 *     global.get $flag  if
 *       i32.const 0  global.set $flag  call $wait  local.set $result
 *     end
 *     local.get $result
 */
function pairBody(
  type: FunctionType,
  { plain, wait, flag }: { readonly plain: number; readonly wait: number; readonly flag: number },
): Code {
  const result = type.params.length;
  const keeps = type.results.length > 0;
  return (code) => {
    for (let param = 0; param < type.params.length; param++) code.u8(OP.LOCAL_GET).u32(param);
    code.u8(OP.CALL).u32(plain);
    if (keeps) code.u8(OP.LOCAL_SET).u32(result);
    code.u8(OP.GLOBAL_GET).u32(flag).u8(OP.IF).u8(NO_RESULT);
    code.u8(OP.I32_CONST).signed(0).u8(OP.GLOBAL_SET).u32(flag).u8(OP.CALL).u32(wait);
    if (keeps) code.u8(OP.LOCAL_SET).u32(result);
    code.u8(OP.END);
    if (keeps) code.u8(OP.LOCAL_GET).u32(result);
  };
}
