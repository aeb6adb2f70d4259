// The data segments of a rewritten module: all passive, and as few as that takes.
//
// Linkers leave runs of zeros out of a memory, which may make 100,000 segments of a Go program. V8 takes a tenth of a
// second to compile what writes them, and keeps a record of each in every instance. So what is near each other is put
// into one segment, with the zeros in between.

import { ByteReader } from "./byte-reader.ts";
import type { DataSegment, Layout, Range } from "./layout.ts";
import { OP } from "./opcodes.ts";

/** More zeros than this cost more than another segment does. */
const GAP_BYTES_MAX = 64;

/** After so many that are apart, no more are put together: each is compared with all before it. */
const WRITTEN_MAX = 1_000;

/** One segment as it is written. */
export interface MergedSegment {
  readonly pieces: readonly Piece[];
  readonly length: number;
  /** Where it goes in a memory; absent for one that is passive in the original too. */
  readonly active: DataSegment["active"];
}

interface Piece {
  /** Zeros in front of it. */
  readonly gap: number;
  readonly bytes: Range;
}

export class DataSegments {
  readonly merged: readonly MergedSegment[];
  /** By index in the original; only for those that are passive there. */
  readonly #indices: ReadonlyMap<number, number>;

  constructor(layout: Layout) {
    const merger = new Merger(layout);
    const indices = new Map<number, number>();
    for (const [index, segment] of layout.data.entries()) {
      if (!segment.active) indices.set(index, merger.merged.length);
      merger.add(segment);
    }
    this.merged = merger.merged;
    this.#indices = indices;
  }

  /** The index of a segment that is passive in the original; `undefined` if there is no such segment. */
  indexOf(original: number): number | undefined {
    return this.#indices.get(original);
  }

  /** The index of an empty segment behind all others. */
  get empty(): number {
    return this.merged.length;
  }
}

class Merger {
  readonly merged: { pieces: Piece[]; length: number; active: DataSegment["active"] }[] = [];
  readonly #layout: Layout;
  /** What has been written so far, the last one included. */
  readonly #written: Extent[] = [];
  /** The last one; absent if another cannot be put behind it. */
  #last: Extent | undefined;
  /** From here on, the memory behind the last one may have been written before it. */
  #ceiling = 0;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  add({ bytes, active }: DataSegment): void {
    const length = bytes.end - bytes.start;
    const start = active && this.#constantOffset(active);
    const gap = active && start !== undefined ? this.#gapBefore(active.memory, start) : undefined;
    const last = this.merged.at(-1);
    if (last && this.#last && gap !== undefined) {
      last.pieces.push({ gap, bytes });
      last.length += gap + length;
      this.#last.end += gap + length;
    } else {
      this.merged.push({ pieces: [{ gap: 0, bytes }], length, active });
      this.#begin(active?.memory, start, length);
    }
  }

  #begin(memory: number | undefined, start: number | undefined, length: number): void {
    this.#last = undefined;
    if (memory === undefined || this.#written.length === WRITTEN_MAX) return;
    // One that may be anywhere may be where others leave zeros.
    const extent = { memory, start: start ?? 0, end: start === undefined ? Infinity : start + length };
    if (start !== undefined) {
      this.#last = extent;
      const above = this.#written.filter((each) => each.memory === memory && each.end > start);
      this.#ceiling = above.reduce((lowest, each) => Math.min(lowest, Math.max(each.start, start)), Infinity);
    }
    this.#written.push(extent);
  }

  /** The zeros between the last segment and an address, if they are so few that both may be one. */
  #gapBefore(memory: number, start: number): number | undefined {
    if (this.#last?.memory !== memory || start > this.#ceiling) return undefined;
    const gap = start - this.#last.end;
    return gap >= 0 && gap <= GAP_BYTES_MAX ? gap : undefined;
  }

  /** In a memory that others have too, zeros are none of ours to write, and what comes before a trap is seen. */
  #constantOffset({
    memory,
    offset,
  }: {
    readonly memory: number;
    readonly offset: Range;
  }): number | undefined {
    if (memory < this.#layout.importedMemories) return undefined;
    const reader = new ByteReader(this.#layout.bytes, offset);
    if (reader.u8() !== OP.I32_CONST) return undefined;
    const value = reader.s33() >>> 0;
    return reader.done ? value : undefined;
  }
}

interface Extent {
  readonly memory: number;
  readonly start: number;
  end: number;
}
