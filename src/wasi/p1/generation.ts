// What differs between `wasi_snapshot_preview1` and its forerunner `wasi_unstable`: three layouts.
//
// Guests of 2019 and early 2020 import the older name. All other functions and layouts are the same.

import type { GuestMemory } from "../../engine/mod.ts";
import type { FileKind, FileStat } from "../sandbox/filesystem.ts";

export interface Generation {
  /** The module name that guests import. */
  readonly module: "wasi_snapshot_preview1" | "wasi_unstable";
  /** `whence` of fd_seek: what each number means. */
  readonly whence: readonly ("start" | "current" | "end")[];
  readonly filestatBytes: number;
  writeFilestat(memory: GuestMemory, pointer: number, stat: FileStat): void;
  /** Bytes of one `subscription` of poll_oneoff. */
  readonly subscriptionBytes: number;
  /** Where the fields of a clock's subscription are, the clock's id first. */
  readonly clockOffset: number;
}

/** `filetype` */
export const FileType = {
  UNKNOWN: 0,
  BLOCK_DEVICE: 1,
  CHARACTER_DEVICE: 2,
  DIRECTORY: 3,
  REGULAR_FILE: 4,
  SOCKET_DGRAM: 5,
  SOCKET_STREAM: 6,
  SYMBOLIC_LINK: 7,
} as const;

const TYPE_OF_KIND: Readonly<Record<FileKind, number>> = {
  directory: FileType.DIRECTORY,
  file: FileType.REGULAR_FILE,
  link: FileType.SYMBOLIC_LINK,
  block: FileType.BLOCK_DEVICE,
  character: FileType.CHARACTER_DEVICE,
  // Preview 1 has no number for a FIFO, and two for sockets, of which the stream is the usual one.
  fifo: FileType.UNKNOWN,
  socket: FileType.SOCKET_STREAM,
};

export function fileTypeOf(kind: FileKind): number {
  return TYPE_OF_KIND[kind];
}

export const PREVIEW1: Generation = {
  module: "wasi_snapshot_preview1",
  whence: ["start", "current", "end"],
  filestatBytes: 64,
  /**
   *     0 device u64 │ 8 inode u64 │ 16 filetype u8 │ 24 links u64 │ 32 size u64
   *     40 accessed u64 │ 48 modified u64 │ 56 changed u64
   */
  writeFilestat(memory, pointer, stat) {
    const view = clear(memory, pointer, 64);
    const at = pointer >>> 0;
    writeIdentity(view, at, stat);
    view.setBigUint64(at + 24, stat.links, true);
    writeSizeAndTimes(view, at + 32, stat);
  },
  subscriptionBytes: 48,
  clockOffset: 16,
};

export const UNSTABLE: Generation = {
  module: "wasi_unstable",
  whence: ["current", "end", "start"],
  filestatBytes: 56,
  /**
   *     0 device u64 │ 8 inode u64 │ 16 filetype u8 │ 20 links u32 │ 24 size u64
   *     32 accessed u64 │ 40 modified u64 │ 48 changed u64
   */
  writeFilestat(memory, pointer, stat) {
    const view = clear(memory, pointer, 56);
    const at = pointer >>> 0;
    writeIdentity(view, at, stat);
    view.setUint32(at + 20, Number(BigInt.asUintN(32, stat.links)), true);
    writeSizeAndTimes(view, at + 24, stat);
  },
  subscriptionBytes: 56,
  // A second user datum comes first, which repeats that of the subscription.
  clockOffset: 24,
};

/** Zeroes a structure, which is then checked and marked as a whole, and returns a view to write it with. */
export function clear(memory: GuestMemory, pointer: number, length: number): DataView {
  const at = memory.check(pointer, length);
  memory.mark(at, length);
  memory.bytes.fill(0, at, at + length);
  return memory.view;
}

function writeIdentity(view: DataView, at: number, stat: FileStat): void {
  view.setBigUint64(at, stat.device, true);
  view.setBigUint64(at + 8, stat.inode, true);
  view.setUint8(at + 16, fileTypeOf(stat.kind));
}

function writeSizeAndTimes(view: DataView, at: number, stat: FileStat): void {
  view.setBigUint64(at, stat.size, true);
  view.setBigUint64(at + 8, stat.accessedNs, true);
  view.setBigUint64(at + 16, stat.modifiedNs, true);
  view.setBigUint64(at + 24, stat.changedNs, true);
}
