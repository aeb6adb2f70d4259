// Takes the index of a directory that will not change: paths, kinds, sizes, times, link targets.
//
// Read once at start-up, so it uses the synchronous calls, which are several times faster than their
// promises. Contents are not read here: a start must not cost a pass over every byte.

import { type BigIntStats, lstatSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";

import { SpindleError } from "../errors/mod.ts";
import type { SnapshotDirectory, SnapshotNode } from "./snapshot-tree.ts";

/** Entries of one tree. An entry takes about 0.5 KB, so this is 100 MB: more than any application should mount. */
const ENTRIES_MAX = 200_000;

/** Directories within directories. Far above real trees, below what recursion can take. */
const DEPTH_MAX = 256;

export interface SnapshotLimits {
  readonly entriesMax?: number;
  readonly depthMax?: number;
}

/** @throws SpindleError MOUNT_TOO_LARGE if the tree is larger than the limits */
export function indexSnapshot(hostPath: string, limits: SnapshotLimits = {}): SnapshotDirectory {
  return new SnapshotIndexer(hostPath, limits).index();
}

class SnapshotIndexer {
  readonly #hostPath: string;
  readonly #entriesMax: number;
  readonly #depthMax: number;
  #entries = 0;

  constructor(hostPath: string, limits: SnapshotLimits) {
    this.#hostPath = hostPath;
    this.#entriesMax = limits.entriesMax ?? ENTRIES_MAX;
    this.#depthMax = limits.depthMax ?? DEPTH_MAX;
  }

  index(): SnapshotDirectory {
    return this.#directory(this.#hostPath, statSync(this.#hostPath, { bigint: true }), []);
  }

  /** @param above the inodes of the directories that this one is in, the outermost first */
  #directory(hostPath: string, stats: BigIntStats, above: readonly bigint[]): SnapshotDirectory {
    if (above.length > this.#depthMax) {
      throw this.#tooLarge(`directories deeper than ${this.#depthMax} levels`);
    }
    const entry = this.#entry(stats);
    const entries = new Map<string, SnapshotNode>();
    for (const name of readdirSync(hostPath).sort()) {
      const node = this.#node(join(hostPath, name), [...above, entry.inode]);
      if (node) entries.set(name, node);
    }
    return { kind: "directory", ...entry, parentInode: above.at(-1) ?? entry.inode, entries };
  }

  /** Undefined for a name that is not UTF-8: no guest can say it. */
  #node(hostPath: string, above: readonly bigint[]): SnapshotNode | undefined {
    const stats = lstatSync(hostPath, { bigint: true, throwIfNoEntry: false });
    if (!stats) return undefined;
    if (stats.isDirectory()) return this.#directory(hostPath, stats, above);
    const entry = this.#entry(stats);
    if (stats.isFile()) return { kind: "file", ...entry, hostPath };
    if (stats.isSymbolicLink()) return { kind: "link", ...entry, target: readlinkSync(hostPath) };
    return { kind: "special", ...entry };
  }

  #entry(stats: BigIntStats) {
    if (++this.#entries > this.#entriesMax) throw this.#tooLarge(`more than ${this.#entriesMax} entries`);
    return {
      inode: BigInt(this.#entries),
      accessedNs: stats.atimeNs,
      modifiedNs: stats.mtimeNs,
      changedNs: stats.ctimeNs,
      // Node reads sizes as 64 bits; a file of 2^53 bytes is no file of ours.
      size: Number(stats.size),
    };
  }

  #tooLarge(found: string): SpindleError {
    return new SpindleError("MOUNT_TOO_LARGE", `Cannot mount "${this.#hostPath}": it has ${found}`, {
      hint: "Narrow the patterns in `files`, or leave out what is not needed with `exclude_files`.",
    });
  }
}
