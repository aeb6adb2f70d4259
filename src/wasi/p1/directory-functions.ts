// Directories: those that are open from the start, and what is in one.

import { Errno, failure } from "../sandbox/errno.ts";
import type { FileKind } from "../sandbox/filesystem.ts";
import type { Wasi } from "../wasi.ts";
import type { DirectoryDescriptor } from "./descriptors.ts";
import { type FunctionTable, filling } from "./functions.ts";
import { fileTypeOf } from "./generation.ts";
import { Rights } from "./rights.ts";

const PRESTAT_BYTES = 8;
const DIRENT_BYTES = 24;

export const directoryFunctions = {
  /**
   * Tells that a descriptor was open before the guest began, and how long its name is.
   *
   *     fd_prestat_get(fd, result: ptr) -> errno
   *     result -> 0 what it is: 0 for a directory, u8 │ 4 length of its name u32
   *
   * Errors: BADF for all others; libraries ask for one number after the other until they get it.
   */
  fd_prestat_get: {
    type: "i32 i32 -> i32",
    run(wasi, { memory }, fd: number, result: number) {
      const name = preopenName(wasi, fd);
      // Returned, not thrown: some guests ask in each of their exported functions, up to this answer.
      if (name === undefined) return Errno.BADF;
      const at = memory.check(result, PRESTAT_BYTES);
      memory.writeU32(at, 0);
      memory.writeU32(at + 4, name.length);
      return Errno.SUCCESS;
    },
  },

  /**
   * `fd_prestat_dir_name(fd, name: ptr [u8], length: u32) -> errno`: the guest's path, without a NUL.
   *
   * Errors: BADF as above, NAMETOOLONG if it does not fit.
   */
  fd_prestat_dir_name: {
    type: "i32 i32 i32 -> i32",
    run(wasi, { memory }, fd: number, target: number, length: number) {
      const name = preopenName(wasi, fd);
      if (name === undefined) return Errno.BADF;
      if (name.length > length >>> 0) throw failure("NAMETOOLONG");
      memory.write(target, name);
      return Errno.SUCCESS;
    },
  },

  /**
   * Lists a directory, from the entry that a cookie stands for; 0 begins anew.
   *
   *     fd_readdir(fd, buffer: ptr [u8], length: u32, cookie: u64, result: ptr u32) -> errno
   *     buffer -> 0 next cookie u64 │ 8 inode u64 │ 16 length of the name u32 │ 20 filetype u8 │ 24 name
   *
   * Entries follow each other without gaps; the last is cut off where the buffer ends, so that a result
   * below `length` means the end. The first two are "." and "..".
   *
   * Errors: NOTDIR, BADF, FAULT.
   */
  fd_readdir: {
    type: "i32 i32 i32 i64 i32 -> i32",
    run(wasi, { memory }, fd: number, buffer: number, length: number, cookie: bigint, result: number) {
      const descriptor = wasi.descriptors.directory(fd, Rights.FD_READDIR);
      memory.check(result, 4);
      const pointer = memory.check(buffer, length >>> 0);
      if (cookie === 0n) descriptor.listing = undefined;
      const target = memory.bytes.subarray(pointer, pointer + (length >>> 0));
      const first = Number(BigInt.asUintN(64, cookie));
      const used = filling(memory, { pointer, length: target.length }, () =>
        writeEntries(target, descriptor, first),
      );
      memory.writeU32(result, used);
      return Errno.SUCCESS;
    },
  },
} satisfies FunctionTable;

function preopenName(wasi: Wasi, fd: number): Uint8Array | undefined {
  const descriptor = wasi.descriptors.find(fd);
  return descriptor?.kind === "directory" ? descriptor.preopen : undefined;
}

/** Returns how many bytes were written: as many as fit. */
function writeEntries(target: Buffer, descriptor: DirectoryDescriptor, first: number): number {
  const { directory } = descriptor;
  descriptor.listing ??= directory.list();
  const { listing } = descriptor;
  let used = 0;
  for (let index = first; index < listing.length + 2 && used < target.length; index++) {
    const entry = listing[index - 2];
    const name = entry?.name ?? (index === 0 ? "." : "..");
    const inode = index === 0 ? directory.stat().inode : directory.inodeOf(entry?.name);
    const dirent = encodeEntry({ next: index + 1, inode, name, kind: entry?.kind ?? "directory" });
    used += dirent.copy(target, used);
  }
  return used;
}

function encodeEntry(entry: {
  readonly next: number;
  readonly inode: bigint;
  readonly name: string;
  readonly kind: FileKind;
}): Buffer {
  const bytes = Buffer.alloc(DIRENT_BYTES + Buffer.byteLength(entry.name));
  bytes.writeBigUInt64LE(BigInt(entry.next), 0);
  bytes.writeBigUInt64LE(entry.inode, 8);
  bytes.writeUInt32LE(bytes.length - DIRENT_BYTES, 16);
  bytes.writeUInt8(fileTypeOf(entry.kind), 20);
  bytes.write(entry.name, DIRENT_BYTES);
  return bytes;
}
