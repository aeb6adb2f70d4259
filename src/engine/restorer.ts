// Puts the image of a memory back where cards are marked: a small generated module, linked to the memory,
// its card table and the image.
//
// A large guest writes a few bytes in each of some hundred places, and from JavaScript each copy costs more
// than its bytes do. So this is WebAssembly, which has eight marks in one word, and copies what lies between
// the first and the last of them at once.

import {
  BULK,
  type ByteWriter,
  CARD_SHIFT,
  CONTROL,
  type Code,
  type FunctionType,
  type Limits,
  MEMORY_INDEX_FLAG,
  ModuleBuilder,
  OP,
  STRADDLE_BYTES,
} from "../wasm/mod.ts";

/**
 * Puts back what is marked, and clears the marks. Each end is the address behind the last byte: of the marks
 * in the card table, of what the image has, and of the memory.
 */
export type Restorer = (marksEnd: number, imageEnd: number, memoryEnd: number) => void;

const ANY_SIZE: Limits = { min: 0, max: 65_536, is64: false, shared: false };
const ANY_SIZE_64: Limits = { min: 0, max: 262_144, is64: true, shared: false };

/** By what differs in the type of the guest's memory. */
const modules = new Map<string, WebAssembly.Module>();

export function linkRestorer(
  guest: { readonly memory: WebAssembly.Memory; readonly cards: WebAssembly.Memory; readonly limits: Limits },
  image: WebAssembly.Memory,
): Restorer {
  const { memory, cards, limits } = guest;
  const { exports } = new WebAssembly.Instance(moduleFor(limits), { host: { memory, cards, image } });
  // The module below exports a function of three numbers.
  return exports.restore as Restorer;
}

function moduleFor({ is64, shared }: Limits): WebAssembly.Module {
  const key = `${is64} ${shared}`;
  let module = modules.get(key);
  if (!module) {
    const builder = new ModuleBuilder();
    builder.importMemory("host", "memory", { ...(is64 ? ANY_SIZE_64 : ANY_SIZE), shared });
    builder.importMemory("host", "cards", ANY_SIZE);
    builder.importMemory("host", "image", ANY_SIZE);
    const type: FunctionType = { params: ["i32", "i32", "i32"], results: [] };
    const body: Code = (code) => restoreBody(code, { is64 });
    builder.exportFunction("restore", builder.func(type, ["i32", "i64", "i32", "i32", "i32"], body));
    module = new WebAssembly.Module(builder.build());
    modules.set(key, module);
  }
  return module;
}

const [MEMORY, CARDS, IMAGE] = [0, 1, 2];
const [MARKS_END, IMAGE_END, MEMORY_END, AT, WORD, FIRST, COPIED, END] = [0, 1, 2, 3, 4, 5, 6, 7];

/** Words of marks that are passed over at once if all are zero. Behind the marks, a card table has as many zeros. */
const WORDS_AT_ONCE = 4;
const WORD_BYTES = 8;
const CARD_BYTES = 1 << CARD_SHIFT;
/** Block type of one without a result. */
const NO_RESULT = 0x40;

/**
 *     for (at = MARKS; at < marksEnd; ) {
 *       if (the words from `at` are zero) { at += 32; continue }
 *       if (cards[at] != 0) put back what it stands for
 *       at += 8
 *     }
 */
function restoreBody(code: ByteWriter, { is64 }: { readonly is64: boolean }): void {
  constant(code, CONTROL.MARKS).u8(OP.LOCAL_SET, AT, OP.BLOCK, NO_RESULT, OP.LOOP, NO_RESULT);
  get(code, AT, MARKS_END).u8(OP.I32_GE_U, OP.BR_IF, 1);
  for (let word = 0; word < WORDS_AT_ONCE; word++) {
    loadMarks(code, word * WORD_BYTES);
    if (word > 0) code.u8(OP.I64_OR);
  }
  code.u8(OP.I64_EQZ, OP.IF, NO_RESULT);
  advance(code, WORDS_AT_ONCE * WORD_BYTES).u8(OP.BR, 1, OP.END);
  loadMarks(code, 0).u8(OP.LOCAL_TEE, WORD, OP.I64_EQZ, OP.I32_EQZ, OP.IF, NO_RESULT);
  takeRange(code);
  putBack(code, { is64 });
  code.u8(OP.END);
  advance(code, WORD_BYTES).u8(OP.BR, 0, OP.END, OP.END);
}

/**
 *     cards[at] = 0
 *     first = the address that the first mark of the word stands for
 *     end = min(STRADDLE_BYTES behind the card of its last mark, memoryEnd)
 */
function takeRange(code: ByteWriter): void {
  get(code, AT).u8(OP.I64_CONST, 0, OP.I64_STORE, 3 | MEMORY_INDEX_FLAG, CARDS, 0);
  get(code, WORD).u8(OP.I64_CTZ);
  addressOfBit(code).u8(OP.LOCAL_SET, FIRST);
  // The last bit that is set: 63 less the zeros above it.
  get(code.u8(OP.I64_CONST, 63), WORD).u8(OP.I64_CLZ, OP.I64_SUB);
  constant(addressOfBit(code), CARD_BYTES + STRADDLE_BYTES).u8(OP.I32_ADD, OP.LOCAL_SET, END);
  smaller(code, END, MEMORY_END).u8(OP.LOCAL_SET, END);
}

/**
 *     copied = min(end, imageEnd)
 *     if (first < copied) { copy first..copied from the image; first = copied }
 *     if (first < end) fill first..end with zeros
 */
function putBack(code: ByteWriter, { is64 }: { readonly is64: boolean }): void {
  const extend = is64 ? [OP.I64_EXTEND_I32_U] : [];
  smaller(code, END, IMAGE_END).u8(OP.LOCAL_SET, COPIED);
  get(code, FIRST, COPIED).u8(OP.I32_LT_U, OP.IF, NO_RESULT);
  get(code, FIRST).u8(...extend);
  get(code, FIRST, COPIED, FIRST).u8(OP.I32_SUB, OP.PREFIX_BULK, BULK.MEMORY_COPY, MEMORY, IMAGE);
  get(code, COPIED).u8(OP.LOCAL_SET, FIRST, OP.END);
  get(code, FIRST, END).u8(OP.I32_LT_U, OP.IF, NO_RESULT);
  get(code, FIRST).u8(...extend, OP.I32_CONST, 0);
  get(code, END, FIRST).u8(OP.I32_SUB, ...extend, OP.PREFIX_BULK, BULK.MEMORY_FILL, MEMORY, OP.END);
}

function get(code: ByteWriter, ...locals: readonly number[]): ByteWriter {
  for (const local of locals) code.u8(OP.LOCAL_GET, local);
  return code;
}

function constant(code: ByteWriter, value: number): ByteWriter {
  return code.u8(OP.I32_CONST).signed(value);
}

function loadMarks(code: ByteWriter, offset: number): ByteWriter {
  return get(code, AT)
    .u8(OP.I64_LOAD, 3 | MEMORY_INDEX_FLAG, CARDS)
    .u32(offset);
}

function advance(code: ByteWriter, bytes: number): ByteWriter {
  return constant(get(code, AT), bytes).u8(OP.I32_ADD, OP.LOCAL_SET, AT);
}

function smaller(code: ByteWriter, one: number, other: number): ByteWriter {
  return get(code, one, other, one, other).u8(OP.I32_LT_U, OP.SELECT);
}

/** `[bit: i64] -> [i32]`: of the word at `at`, the address of the card that this bit is of. */
function addressOfBit(code: ByteWriter): ByteWriter {
  constant(code.u8(OP.I32_WRAP_I64), 3).u8(OP.I32_SHR_U);
  constant(get(code, AT), CONTROL.MARKS).u8(OP.I32_SUB, OP.I32_ADD);
  return constant(code, CARD_SHIFT).u8(OP.I32_SHL);
}
