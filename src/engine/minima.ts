// What an instance takes from its start. Memories and tables are never smaller than their module declares: one
// that begins larger than it may become can only be refused.

import type { LinkedGroup } from "./slot-plan.ts";

const PAGE_BYTES = 65_536;
/** What V8's heap holds for each instance, measured. */
const HEAP_BYTES = { tableElement: 24, function: 16, export: 112 } as const;

export class MemoryLimitError extends Error {
  override readonly name = "MemoryLimitError";
  readonly bytes: number;
  readonly bytesMax: number;

  constructor(bytes: number, bytesMax: number) {
    super(`A memory begins with ${bytes} bytes, and it may have ${bytesMax}`);
    this.bytes = bytes;
    this.bytesMax = bytesMax;
  }
}

export class TableLimitError extends Error {
  override readonly name = "TableLimitError";
  readonly elements: number;
  readonly elementsMax: number;

  constructor(elements: number, elementsMax: number) {
    super(`The tables of an instance begin with ${elements} elements, and they may have ${elementsMax}`);
    this.elements = elements;
    this.elementsMax = elementsMax;
  }
}

/** @throws MemoryLimitError or TableLimitError */
export function checkMinima({ memories, instances }: LinkedGroup<never>, tableElementsMax: number): void {
  for (const { limits, pagesMax } of memories) {
    if (limits.min > pagesMax) throw new MemoryLimitError(limits.min * PAGE_BYTES, pagesMax * PAGE_BYTES);
  }
  for (const { module } of instances) {
    const { tableElements } = module.rewritten.original;
    if (tableElements > tableElementsMax) throw new TableLimitError(tableElements, tableElementsMax);
  }
}

/** What the instances of one slot take of V8's heap, about. */
export function heapBytesOf({ instances }: LinkedGroup<never>): number {
  let bytes = 0;
  for (const { module } of instances) {
    const { exports, functionCount, tableElements } = module.rewritten.original;
    bytes += exports.length * HEAP_BYTES.export;
    bytes += functionCount * HEAP_BYTES.function + tableElements * HEAP_BYTES.tableElement;
  }
  return bytes;
}
