// What the host's file system says about an entry, in the terms of the sandbox.

import type { BigIntStats, StatsBase } from "node:fs";

import type { FileKind, FileStat } from "./filesystem.ts";

export function statOf(stats: BigIntStats): FileStat {
  return {
    device: stats.dev,
    inode: stats.ino,
    kind: kindOf(stats),
    links: stats.nlink,
    size: stats.size,
    accessedNs: stats.atimeNs,
    modifiedNs: stats.mtimeNs,
    changedNs: stats.ctimeNs,
  };
}

/** Of `fs.Stats` in both its forms, and of `fs.Dirent`. */
type Kinds = Pick<
  StatsBase<number>,
  "isDirectory" | "isFile" | "isSymbolicLink" | "isBlockDevice" | "isCharacterDevice" | "isFIFO"
>;

export function kindOf(kinds: Kinds): FileKind {
  if (kinds.isFile()) return "file";
  if (kinds.isDirectory()) return "directory";
  if (kinds.isSymbolicLink()) return "link";
  if (kinds.isBlockDevice()) return "block";
  if (kinds.isCharacterDevice()) return "character";
  return kinds.isFIFO() ? "fifo" : "socket";
}
