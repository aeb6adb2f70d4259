// What a descriptor is: its kind, rights, flags, size and times, and how it is closed.

import { Errno, failure } from "../sandbox/errno.ts";
import type { FileStat } from "../sandbox/filesystem.ts";
import { type Descriptor, openedBy, POSITION_MAX } from "./descriptors.ts";
import { FdFlags, newTimes, SYNC_FLAGS } from "./flags.ts";
import type { FunctionTable } from "./functions.ts";
import { clear, FileType, fileTypeOf, type Generation } from "./generation.ts";
import { Rights } from "./rights.ts";

/** What a stream says about itself: it is nothing that has a size. */
const STREAM_STAT: FileStat = {
  device: 0n,
  inode: 0n,
  kind: "fifo",
  links: 0n,
  size: 0n,
  accessedNs: 0n,
  modifiedNs: 0n,
  changedNs: 0n,
};

const FDSTAT_BYTES = 24;

export function descriptorFunctions(generation: Generation) {
  return {
    /** `fd_close(fd) -> errno`: closes anything, streams and preopens too. */
    fd_close: {
      type: "i32 -> i32",
      run(wasi, _caller, fd: number) {
        wasi.descriptors.close(fd);
        return Errno.SUCCESS;
      },
    },

    /** `fd_renumber(from, to) -> errno`: both must be open; what was at `to` is closed. */
    fd_renumber: {
      type: "i32 i32 -> i32",
      run(wasi, _caller, from: number, to: number) {
        wasi.descriptors.renumber(from, to);
        return Errno.SUCCESS;
      },
    },
    /**
     * Tells what a descriptor is and may be used for.
     *
     *     fd_fdstat_get(fd, result: ptr) -> errno
     *     result -> 0 filetype u8 │ 2 flags u16 │ 8 rights u64 │ 16 rights for what is opened below, u64
     *
     * Errors: BADF, FAULT.
     */
    fd_fdstat_get: {
      type: "i32 i32 -> i32",
      run(wasi, { memory }, fd: number, result: number) {
        const descriptor = wasi.descriptors.get(fd);
        const view = clear(memory, result, FDSTAT_BYTES);
        const at = result >>> 0;
        view.setUint8(at, fileTypeOfDescriptor(descriptor));
        view.setUint16(at + 2, descriptor.flags, true);
        view.setUint32(at + 8, descriptor.rights, true);
        view.setUint32(at + 16, descriptor.inheriting, true);
        return Errno.SUCCESS;
      },
    },

    /**
     * `fd_fdstat_set_flags(fd, flags: u16) -> errno`: sets APPEND and NONBLOCK, of which only the former
     * does something.
     *
     * Errors: INVAL for unknown flags, and for asking of an open file that every write reach the disk.
     */
    fd_fdstat_set_flags: {
      type: "i32 i32 -> i32",
      run(wasi, _caller, fd: number, flags: number) {
        const descriptor = wasi.descriptors.withRights(fd, Rights.FD_FDSTAT_SET_FLAGS);
        const settable = FdFlags.APPEND | FdFlags.NONBLOCK | (descriptor.flags & SYNC_FLAGS);
        if ((flags & ~settable) !== 0) throw failure("INVAL");
        descriptor.flags = flags | (descriptor.flags & SYNC_FLAGS);
        return Errno.SUCCESS;
      },
    },

    /**
     * `fd_fdstat_set_rights(fd, base: u64, inheriting: u64) -> errno`: gives up rights.
     *
     * Errors: NOTCAPABLE for a right that the descriptor does not have.
     */
    fd_fdstat_set_rights: {
      type: "i32 i64 i64 -> i32",
      run(wasi, _caller, fd: number, base: bigint, inheriting: bigint) {
        const descriptor = wasi.descriptors.get(fd);
        const isWithin = (asked: bigint, held: number) => (BigInt.asUintN(64, asked) & ~BigInt(held)) === 0n;
        if (!isWithin(base, descriptor.rights) || !isWithin(inheriting, descriptor.inheriting)) {
          throw failure("NOTCAPABLE");
        }
        descriptor.rights = Number(base);
        descriptor.inheriting = Number(inheriting);
        return Errno.SUCCESS;
      },
    },

    /** `fd_filestat_get(fd, result: ptr filestat) -> errno`; layout: Generation.writeFilestat(). */
    fd_filestat_get: {
      type: "i32 i32 -> i32",
      run(wasi, { memory }, fd: number, result: number) {
        const descriptor = wasi.descriptors.withRights(fd, Rights.FD_FILESTAT_GET);
        generation.writeFilestat(memory, result, openedBy(descriptor)?.stat() ?? STREAM_STAT);
        return Errno.SUCCESS;
      },
    },

    /**
     * `fd_filestat_set_size(fd, size: u64) -> errno`: cuts a file off, or fills it up with zeros.
     *
     * Errors: BADF if it is not open for writing, FBIG past 2^52, ISDIR, SPIPE.
     */
    fd_filestat_set_size: {
      type: "i32 i64 -> i32",
      run(wasi, caller, fd: number, size: bigint) {
        const { file } = wasi.descriptors.file(fd, Rights.FD_FILESTAT_SET_SIZE);
        if (!file.isWritable) throw failure("BADF");
        if (size < 0n || size > POSITION_MAX) throw failure("FBIG");
        wasi.shift(caller);
        file.setSize(Number(size));
        return Errno.SUCCESS;
      },
    },

    /**
     * `fd_filestat_set_times(fd, accessed: u64, modified: u64, flags: u16) -> errno`
     *
     * Errors: INVAL for a time that is both given and now, PERM in a read-only mount.
     */
    fd_filestat_set_times: {
      type: "i32 i64 i64 i32 -> i32",
      run(wasi, caller, fd: number, accessedNs: bigint, modifiedNs: bigint, flags: number) {
        const descriptor = wasi.descriptors.withRights(fd, Rights.FD_FILESTAT_SET_TIMES);
        const times = newTimes(wasi, caller, { accessedNs, modifiedNs, flags });
        const opened = openedBy(descriptor);
        if (!opened) throw failure("BADF");
        if (!opened.isReadOnly) wasi.shift(caller);
        opened.setTimes(times);
        return Errno.SUCCESS;
      },
    },
  } satisfies FunctionTable;
}

function fileTypeOfDescriptor(descriptor: Descriptor): number {
  const opened = openedBy(descriptor);
  // Not a character device: the standard library of C would take it for a terminal, and not buffer.
  return opened ? fileTypeOf(opened.kind) : FileType.UNKNOWN;
}
