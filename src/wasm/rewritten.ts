// The contract between the rewriter and the engine: how a rewritten module wants to be linked.
//
// A rewritten module imports, under the module name `importModule`, for each of its memories the memory
// itself (`memoryN`, defined memories only: imported ones keep their own names) and its card table
// (`cardsN`), and one shared memory (`epoch`) whose first word, a u32, is not zero while the guest is to
// tick. Nothing that the guest has is renumbered.
//
// A card table begins with a control block; the marks follow it:
//
//     0   u32  logical page count of the memory
//     4   u32  most pages that the memory may have
//     8   u32  1 = the guest wanted more pages the last time that it asked, and did not get them
//     64  u8[] one mark for each 512 bytes of the memory; not zero = written to since the last restore
//
// Marks are to be cleared only while no code of the guest is on the stack: a store may rely on a mark
// that the same function made before. A memory that a module imports twice has one card table.

import type { CoreModule } from "./module.ts";

export const CONTROL = { PAGES: 0, PAGES_MAX: 4, REFUSED: 8, MARKS: 64 } as const;
/** A card covers 1 << CARD_SHIFT bytes. */
export const CARD_SHIFT = 9;
/**
 * A marked card is restored together with this many bytes behind it. A store may straddle; and the more
 * they are, the more stores near each other share a mark, while they cost next to nothing to restore.
 */
export const STRADDLE_BYTES = 255;

/** Elements of all tables of a module; V8 takes 24 to 48 bytes of its heap for each, in each instance. */
export const TABLE_ELEMENTS_MAX = 1_000_000;
/** Bytes that a guest may allocate on V8's heap, which all share with the host, before it asks for more. */
export const HEAP_STEP_BYTES = 1024 * 1024;

export interface RewriteOptions {
  /** Marks cards at every store. Default true; false only to measure. */
  readonly cards?: boolean;
  /** Checks the epoch at loop headers, and where functions begin that call others. Default true; false only to measure. */
  readonly epoch?: boolean;
}

export interface RewrittenModule {
  readonly bytes: Uint8Array;
  /** The module as it was before. */
  readonly original: CoreModule;
  /** Module name of all imports that the rewriter added; differs from every module name of the guest. */
  readonly importModule: string;
  /** Names of the exports that the rewriter added; each differs from every export of the guest. */
  readonly hooks: RewriteHooks;
  readonly verdict: Verdict;
}

export interface RewriteHooks {
  /** `() -> ()`: writes the active data segments, in order. Absent if there are none. Call it right after instantiation; it traps as instantiation would have. */
  readonly initializeData?: string;
  /** `() -> ()`: the start function. Absent if there is none. Call it after `initializeData`. */
  readonly start?: string;
  /** `() -> ()`: keeps the present values of all mutable globals that the module defines. Absent if there is nothing to keep. */
  readonly save?: string;
  /** `() -> ()`: puts back what `save` kept, and undoes each `data.drop` since then. Absent if there is nothing to put back. */
  readonly restore?: string;
  /**
   * Mutable global of i64: the elements by which tables may still grow. Absent if the module has no
   * `table.grow`. It begins at TABLE_ELEMENTS_MAX less those that the module's tables begin with.
   */
  readonly tableElementsLeft?: string;
  /**
   * Mutable global of i64: the bytes of objects, exceptions and tables that may still be allocated on
   * V8's heap, dead ones included. Absent if nothing allocates. It begins at HEAP_STEP_BYTES, and
   * `restore` puts it back to what it was at `save`.
   */
  readonly heapBytesLeft?: string;
  /**
   * Table of three functions which the engine must fill before anything is called: element 0 `() -> i32` is
   * called at each tick, and if it returns other than 0, element 1 `() -> ()`, which may suspend. Element 2
   * `() -> ()` is called when `heapBytesLeft` is below zero: the guest traps if it is still so afterwards.
   * Absent with `epoch: false`, or if the module has no function.
   */
  readonly ticks?: string;
}

/**
 * Whether an instance can be made exactly like new by restoring memories, globals and dropped segments.
 *
 * It holds for a set of modules that are linked together if it holds for each: whatever a module
 * imports (a memory, a mutable global, a table) is restored, or found to be written, where it is
 * defined or written. Mutable globals that the host defines are the host's to restore.
 */
export type Verdict =
  | { readonly kind: "recyclable" }
  | { readonly kind: "fresh"; readonly reasons: readonly string[] };
