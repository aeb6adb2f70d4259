// The memories that the rewriter adds, and the code that reads and marks them.

import { ByteWriter } from "./byte-writer.ts";
import type { Layout } from "./layout.ts";
import { ATOMIC, MEMORY_INDEX_FLAG, OP, TYPE } from "./opcodes.ts";
import { WRAPPED } from "./operand-stack.ts";
import { CARD_SHIFT, CONTROL, STRADDLE_BYTES } from "./rewritten.ts";

/** Offsets above this are beyond every memory: the store traps whatever is marked. */
const OFFSET_MAX = 2 ** 40;

/** What a store writes, beside its address. */
export interface StoredRange {
  readonly memory: number;
  readonly offset: number;
  readonly bytes: number;
}

/** Index space of memories in the rewritten module: the guest's, a card table for each, the epoch. */
export class ControlMemories {
  readonly epoch: number;
  readonly #layout: Layout;
  readonly #markAddresses: Uint8Array[] = [];

  constructor(layout: Layout) {
    this.#layout = layout;
    this.epoch = 2 * layout.memories.length;
  }

  cardTable(memory: number): number {
    return this.#layout.memories.length + memory;
  }

  is64(memory: number): boolean {
    return this.#layout.memories[memory]?.is64 ?? false;
  }

  addressType(memory: number): number {
    return this.is64(memory) ? TYPE.I64 : TYPE.I32;
  }

  /** `[] -> [i32]`: reads a word of the control block. */
  loadControl(code: ByteWriter, memory: number, field: number): void {
    code
      .u8(OP.I32_CONST, 0, OP.I32_LOAD, 2 | MEMORY_INDEX_FLAG)
      .u32(this.cardTable(memory))
      .u32(field);
  }

  /** `[] -> []`: marks the card of what a store will write; the address is an origin and what is added to it. */
  markStore(
    code: ByteWriter,
    { origin, addend }: { readonly origin: number; readonly addend: number },
    range: StoredRange,
  ): void {
    code.op(OP.LOCAL_GET);
    if (origin < WRAPPED) code.u32(origin);
    else code.u32(origin - WRAPPED).op(OP.I32_WRAP_I64);
    addConstant(code, addend + markedOffset(range), this.is64(range.memory));
    code.append(this.#markAddress(range.memory));
  }

  /** `[] -> []`: marks the card of a constant address. */
  markCard(code: ByteWriter, memory: number, card: number): void {
    code.u8(OP.I32_CONST, 0, OP.I32_CONST, 1, OP.I32_STORE8, MEMORY_INDEX_FLAG);
    code.u32(this.cardTable(memory)).u32(CONTROL.MARKS + card);
  }

  /** `[address] -> []`. It is the same for all stores to a memory, and there are very many. */
  #markAddress(memory: number): Uint8Array {
    let encoded = this.#markAddresses[memory];
    if (!encoded) {
      const code = new ByteWriter(32);
      this.cardOfAddress(code, memory);
      this.storeMark(code, memory);
      encoded = code.take();
      this.#markAddresses[memory] = encoded;
    }
    return encoded;
  }

  /** `[address] -> [card: i32]`. */
  cardOfAddress(code: ByteWriter, memory: number): void {
    if (this.is64(memory)) code.u8(OP.I64_CONST, CARD_SHIFT, OP.I64_SHR_U, OP.I32_WRAP_I64);
    else code.u8(OP.I32_CONST, CARD_SHIFT, OP.I32_SHR_U);
  }

  /** `[card: i32] -> []`. */
  storeMark(code: ByteWriter, memory: number): void {
    code.u8(OP.I32_CONST, 1, OP.I32_STORE8, MEMORY_INDEX_FLAG).u32(this.cardTable(memory)).u32(CONTROL.MARKS);
  }

  /**
   * `[] -> []`: calls `tick` once the host wants the guest to tick.
   *
   * @returns where in the code the branch is that is hardly ever taken
   */
  checkEpoch(code: ByteWriter, tick: number): number {
    // A byte needs no check of its alignment.
    code.u8(OP.I32_CONST, 0, OP.PREFIX_ATOMIC, ATOMIC.I32_LOAD8_U, MEMORY_INDEX_FLAG).u32(this.epoch).u32(0);
    const branch = code.length;
    code.u8(OP.IF, TYPE.EMPTY, OP.CALL).u32(tick).u8(OP.END);
    return branch;
  }
}

/**
 * The offset whose card is marked for a store.
 *
 * A marked card is restored with STRADDLE_BYTES behind it, so a mark at `p` covers as many from `p` on,
 * wherever `p` is in its card. Offsets are therefore rounded down to a multiple of that and one, where
 * the store stays within those bytes: small ones need not be added, and neighbours share a mark.
 */
export function markedOffset({ offset, bytes }: StoredRange): number {
  if (offset > OFFSET_MAX) return 0;
  const rounded = offset - (offset % (STRADDLE_BYTES + 1));
  return offset + bytes <= rounded + STRADDLE_BYTES + 1 ? rounded : offset;
}

function addConstant(code: ByteWriter, value: number, is64: boolean): void {
  if (value === 0) return;
  if (is64) code.u8(OP.I64_CONST).signed(value).u8(OP.I64_ADD);
  else
    code
      .u8(OP.I32_CONST)
      .signed(value | 0)
      .u8(OP.I32_ADD);
}
