// The functions that the rewriter adds: their locals and code in binary form.

import { OBJECT_BYTES, TABLE_ELEMENT_BYTES } from "./allocations.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { ControlMemories } from "./control.ts";
import type { MergedSegment } from "./data-segments.ts";
import type { Layout } from "./layout.ts";
import { BULK, MEMORY_INDEX_FLAG, OP, TYPE } from "./opcodes.ts";
import { CONTROL } from "./rewritten.ts";

const NO_LOCALS = 0;

/** V8 inlines functions of up to 500 bytes: that of the ticks would then stand in every loop. */
const FILLER: readonly number[] = new Array(512).fill(OP.NOP);

/** `() -> ()`: asks the host whether to go on; the table of ticks holds whom to ask. */
export function tickBody(ticks: number, types: { readonly poll: number; readonly wait: number }): Uint8Array {
  return new ByteWriter()
    .u8(NO_LOCALS)
    .u8(OP.I32_CONST, 0, OP.CALL_INDIRECT)
    .u32(types.poll)
    .u32(ticks)
    .u8(OP.IF, TYPE.EMPTY, OP.I32_CONST, 1, OP.CALL_INDIRECT)
    .u32(types.wait)
    .u32(ticks)
    .u8(OP.END, ...FILLER, OP.END)
    .take();
}

/**
 * `(bytes: i64) -> ()`: takes bytes from what the guest may still allocate on V8's heap; where that is
 * used up, the host is asked for more, and the guest ends if it gives none.
 */
export function spendBody({
  left,
  ticks,
  spent,
}: {
  left: number;
  ticks: number;
  spent: number;
}): Uint8Array {
  return new ByteWriter()
    .u8(NO_LOCALS, OP.GLOBAL_GET)
    .u32(left)
    .u8(OP.LOCAL_GET, 0, OP.I64_SUB, OP.GLOBAL_SET)
    .u32(left)
    .u8(OP.GLOBAL_GET)
    .u32(left)
    .u8(OP.I64_CONST, 0, OP.I64_LT_S, OP.IF, TYPE.EMPTY, OP.I32_CONST, 2, OP.CALL_INDIRECT)
    .u32(spent)
    .u32(ticks)
    .u8(OP.GLOBAL_GET)
    .u32(left)
    .u8(OP.I64_CONST, 0, OP.I64_LT_S, OP.IF, TYPE.EMPTY, OP.UNREACHABLE, OP.END, OP.END, OP.END)
    .take();
}

/** The size of an array from which on V8 makes none, and traps. */
const ARRAY_BYTES_END = 2 ** 30;

/** `(length: i32, elementBytes: i64) -> length`: the same for an array, before it is made. */
export function spendArrayBody(spend: number): Uint8Array {
  const [LENGTH, BYTES] = [0, 1];
  return new ByteWriter()
    .u8(NO_LOCALS, OP.LOCAL_GET, LENGTH, OP.I64_EXTEND_I32_U, OP.LOCAL_GET, BYTES, OP.I64_MUL)
    .u8(OP.I64_CONST, OBJECT_BYTES, OP.I64_ADD, OP.LOCAL_TEE, BYTES, OP.I64_CONST)
    .signed(ARRAY_BYTES_END)
    .u8(OP.I64_LT_S, OP.IF, TYPE.EMPTY, OP.LOCAL_GET, BYTES, OP.CALL)
    .u32(spend)
    .u8(OP.END, OP.LOCAL_GET, LENGTH, OP.END)
    .take();
}

/**
 * `(value, delta) -> size before`: `table.grow`, as far as the elements are left by which tables may
 * grow; those too are on V8's heap.
 */
export function growTableBody({
  table,
  is64,
  left,
  spend,
}: {
  table: number;
  is64: boolean;
  left: number;
  spend: number | undefined;
}): Uint8Array {
  const [VALUE, DELTA, OLD] = [0, 1, 2];
  const code = new ByteWriter().u8(1, 1, is64 ? TYPE.I64 : TYPE.I32);
  const failure = [is64 ? OP.I64_CONST : OP.I32_CONST, 0x7f];
  const delta = (): ByteWriter => {
    code.u8(OP.LOCAL_GET, DELTA);
    return is64 ? code : code.u8(OP.I64_EXTEND_I32_U);
  };
  delta().u8(OP.GLOBAL_GET).u32(left);
  code.u8(OP.I64_GT_U, OP.IF, TYPE.EMPTY, ...failure, OP.RETURN, OP.END);
  if (spend !== undefined) {
    delta().u8(OP.I64_CONST).signed(TABLE_ELEMENT_BYTES).u8(OP.I64_MUL, OP.CALL).u32(spend);
  }
  code.u8(OP.LOCAL_GET, VALUE, OP.LOCAL_GET, DELTA, OP.PREFIX_BULK, BULK.TABLE_GROW).u32(table);
  code.u8(OP.LOCAL_TEE, OLD, ...failure, is64 ? OP.I64_NE : OP.I32_NE, OP.IF, TYPE.EMPTY);
  code.u8(OP.GLOBAL_GET).u32(left);
  delta().u8(OP.I64_SUB, OP.GLOBAL_SET).u32(left);
  return code.u8(OP.END, OP.LOCAL_GET, OLD, OP.END).take();
}

/** `() -> ()`: copies globals to globals. */
export function copyGlobalsBody(
  pairs: readonly { readonly from: number; readonly to: number }[],
): Uint8Array {
  const code = new ByteWriter().u8(NO_LOCALS);
  for (const { from, to } of pairs) code.u8(OP.GLOBAL_GET).u32(from).u8(OP.GLOBAL_SET).u32(to);
  return code.u8(OP.END).take();
}

/** `() -> ()`: writes the active data segments to memory, in order. */
export function initializeDataBody(
  { bytes }: Pick<Layout, "bytes">,
  segments: readonly MergedSegment[],
): Uint8Array {
  const code = new ByteWriter().u8(NO_LOCALS);
  for (const [index, { active, length }] of segments.entries()) {
    if (!active) continue;
    code.copy(bytes, active.offset.start, active.offset.end);
    code.u8(OP.I32_CONST, 0, OP.I32_CONST).signed(length | 0);
    code.u8(OP.PREFIX_BULK, BULK.MEMORY_INIT).u32(index).u32(active.memory);
  }
  return code.u8(OP.END).take();
}

/**
 * `(delta: address) -> address`: `memory.grow` on the logical page count.
 *
 * All arithmetic is in i64, where sums of page counts cannot overflow.
 */
export function growBody(control: ControlMemories, memory: number): Uint8Array {
  const is64 = control.is64(memory);
  const DELTA = 0;
  const [OLD, NEW] = [1, 2];
  const code = new ByteWriter().u8(1, 2, TYPE.I64);
  const get = (local: number): ByteWriter => code.u8(OP.LOCAL_GET).u32(local);
  const loadExtended = (field: number): void => {
    control.loadControl(code, memory, field);
    code.u8(OP.I64_EXTEND_I32_U);
  };
  const store = (field: number, value: () => void): void => {
    code.u8(OP.I32_CONST, 0);
    value();
    code.u8(OP.I32_STORE, 2 | MEMORY_INDEX_FLAG);
    code.u32(control.cardTable(memory)).u32(field);
  };
  const returnFailureIf = (...condition: readonly number[]): void => {
    code.u8(...condition, OP.IF, TYPE.EMPTY, is64 ? OP.I64_CONST : OP.I32_CONST, 0x7f, OP.RETURN, OP.END);
  };
  if (is64) {
    // A delta that is no count of pages at all would overflow the sum.
    get(DELTA).u8(OP.I64_CONST).signed(0xffffffff);
    returnFailureIf(OP.I64_GT_U);
  }
  loadExtended(CONTROL.PAGES);
  code.u8(OP.LOCAL_TEE).u32(OLD);
  get(DELTA);
  if (!is64) code.u8(OP.I64_EXTEND_I32_U);
  code.u8(OP.I64_ADD, OP.LOCAL_SET).u32(NEW);
  // Until it is certain that the guest gets them.
  store(CONTROL.REFUSED, () => code.u8(OP.I32_CONST, 1));
  get(NEW);
  loadExtended(CONTROL.PAGES_MAX);
  returnFailureIf(OP.I64_GT_U);
  growReal(code, { control, memory, wanted: NEW });
  store(CONTROL.PAGES, () => get(NEW).u8(OP.I32_WRAP_I64));
  store(CONTROL.REFUSED, () => code.u8(OP.I32_CONST, 0));
  get(OLD);
  if (!is64) code.u8(OP.I32_WRAP_I64);
  return code.u8(OP.END).take();
}

/** Grows the real memory to the wanted size if it is smaller; returns -1 from the function if it cannot. */
function growReal(
  code: ByteWriter,
  { control, memory, wanted }: { control: ControlMemories; memory: number; wanted: number },
): void {
  const is64 = control.is64(memory);
  const realSize = (): void => {
    code.u8(OP.MEMORY_SIZE).u32(memory);
    if (!is64) code.u8(OP.I64_EXTEND_I32_U);
  };
  code.u8(OP.LOCAL_GET).u32(wanted);
  realSize();
  code.u8(OP.I64_GT_U, OP.IF, TYPE.EMPTY, OP.LOCAL_GET).u32(wanted);
  realSize();
  code.u8(OP.I64_SUB);
  if (!is64) code.u8(OP.I32_WRAP_I64);
  code.u8(OP.MEMORY_GROW).u32(memory);
  code.u8(...(is64 ? [OP.I64_CONST, 0x7f, OP.I64_EQ] : [OP.I32_CONST, 0x7f, OP.I32_EQ]));
  code.u8(OP.IF, TYPE.EMPTY, is64 ? OP.I64_CONST : OP.I32_CONST, 0x7f, OP.RETURN, OP.END, OP.END);
}

/**
 * `(to: address, x, length) -> (to, x, length)`: marks the cards of a bulk operation that follows, and
 * hands its operands on. It checks the epoch too: a few hundred operations in a row take seconds.
 *
 * Nothing is checked here: where `to + length` is out of bounds, the operation that follows traps, or
 * the mark does, which to the guest is the same trap.
 */
export function markBulkBody(
  control: ControlMemories,
  { memory, lengthIs64, tick }: { memory: number; lengthIs64: boolean; tick: number | undefined },
): Uint8Array {
  const [TO, X, LENGTH, CARD, LAST] = [0, 1, 2, 3, 4];
  const is64 = control.is64(memory);
  const code = new ByteWriter().u8(1, 2, TYPE.I32);
  const get = (local: number): ByteWriter => code.u8(OP.LOCAL_GET).u32(local);
  if (tick !== undefined) control.checkEpoch(code, tick);
  get(LENGTH).u8(lengthIs64 ? OP.I64_EQZ : OP.I32_EQZ, OP.I32_EQZ, OP.IF, TYPE.EMPTY);
  get(TO);
  control.cardOfAddress(code, memory);
  code.u8(OP.LOCAL_TEE).u32(CARD);
  control.storeMark(code, memory);
  get(TO);
  get(LENGTH);
  if (is64 && !lengthIs64) code.u8(OP.I64_EXTEND_I32_U);
  if (is64) code.u8(OP.I64_ADD, OP.I64_CONST, 1, OP.I64_SUB);
  else code.u8(OP.I32_ADD, OP.I32_CONST, 1, OP.I32_SUB);
  control.cardOfAddress(code, memory);
  code.u8(OP.LOCAL_TEE).u32(LAST);
  get(CARD).u8(OP.I32_GT_U, OP.IF, TYPE.EMPTY);
  // The card table is filled behind its control block: from card + MARKS + 1, last - card times.
  get(CARD)
    .u8(OP.I32_CONST)
    .signed(CONTROL.MARKS + 1)
    .u8(OP.I32_ADD, OP.I32_CONST, 1);
  get(LAST);
  get(CARD).u8(OP.I32_SUB, OP.PREFIX_BULK, BULK.MEMORY_FILL).u32(control.cardTable(memory));
  code.u8(OP.END, OP.END);
  get(TO);
  get(X);
  get(LENGTH);
  return code.u8(OP.END).take();
}
