// Everything that takes a descriptor: reading, writing, seeking, listing, and what is known about it.

import type { GuestMemory } from "../../engine/mod.ts";
import { Errno, type ErrnoValue, failure } from "../sandbox/errno.ts";
import type { FileKind, FileStat, NewTimes, OpenDirectory, OpenFile } from "../sandbox/filesystem.ts";
import { nearestSettable } from "../sandbox/set-times.ts";
import type { Descriptor, DirectoryDescriptor, FileDescriptor, InputDescriptor } from "./descriptors.ts";
import type { FunctionTable, GuestCaller } from "./functions.ts";
import { clear, FileType, fileTypeOf, type Generation } from "./generation.ts";
import { type Iovec, readIovecs, transferAll } from "./iovecs.ts";
import { Rights } from "./rights.ts";
import type { WasiP1 } from "./wasi-p1.ts";

/** `fdflags` */
export const FdFlags = { APPEND: 1, DSYNC: 2, NONBLOCK: 4, RSYNC: 8, SYNC: 16 } as const;
export const SYNC_FLAGS = FdFlags.DSYNC | FdFlags.RSYNC | FdFlags.SYNC;

/** `fstflags` */
const FstFlags = { ATIM: 1, ATIM_NOW: 2, MTIM: 4, MTIM_NOW: 8 } as const;

/** `advice` ends here. */
const ADVICE_MAX = 5;

/** Sizes and positions end here: far above all file systems, and a number still holds the sum of two. */
const POSITION_MAX = 2 ** 52;

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
const PRESTAT_BYTES = 8;
const DIRENT_BYTES = 24;

export function descriptorFunctions(generation: Generation) {
  return {
    ...readingAndWriting,
    ...positions(generation),
    ...properties(generation),
    ...directories,
  } satisfies FunctionTable;
}

const readingAndWriting = {
  /**
   * Reads from a file or from standard input into a list of buffers.
   *
   *     fd_read(fd, iovecs: ptr, count: u32, result: ptr u32) -> errno
   *
   * Errors: BADF, also for what was not opened for reading; ISDIR; INVAL and FAULT for the buffers. The
   * first use of a large file of a snapshot waits for the disk.
   */
  fd_read: {
    type: "i32 i32 i32 i32 -> i32",
    waits: true,
    run(wasi, caller, fd: number, list: number, count: number, result: number) {
      return read(wasi, caller, { fd, list, count, result, position: undefined });
    },
  },

  /**
   * The same from a place of its own, without moving that of the descriptor.
   *
   *     fd_pread(fd, iovecs: ptr, count: u32, offset: u64, result: ptr u32) -> errno
   *
   * Errors: as fd_read, and SPIPE for a stream, INVAL for an offset past 2^52.
   */
  fd_pread: {
    type: "i32 i32 i32 i64 i32 -> i32",
    waits: true,
    run(wasi, caller, fd: number, list: number, count: number, offset: bigint, result: number) {
      return read(wasi, caller, { fd, list, count, result, position: positionOf(offset) });
    },
  },

  /**
   * Writes a list of buffers to a file or to an output.
   *
   *     fd_write(fd, ciovecs: ptr, count: u32, result: ptr u32) -> errno
   *
   * Errors: BADF, also for what was not opened for writing; ISDIR; INVAL and FAULT for the buffers;
   * what the file system says, such as NOSPC or FBIG.
   */
  fd_write: {
    type: "i32 i32 i32 i32 -> i32",
    run(wasi, caller, fd: number, list: number, count: number, result: number) {
      return write(wasi, caller, { fd, list, count, result, position: undefined });
    },
  },

  /**
   * The same at a place of its own, without moving that of the descriptor, even if it appends.
   *
   *     fd_pwrite(fd, ciovecs: ptr, count: u32, offset: u64, result: ptr u32) -> errno
   *
   * Errors: as fd_write, and SPIPE for a stream, INVAL for an offset past 2^52.
   */
  fd_pwrite: {
    type: "i32 i32 i32 i64 i32 -> i32",
    run(wasi, caller, fd: number, list: number, count: number, offset: bigint, result: number) {
      return write(wasi, caller, { fd, list, count, result, position: positionOf(offset) });
    },
  },

  /** `fd_sync(fd) -> errno`: waits until data and metadata are on the disk. */
  fd_sync: {
    type: "i32 -> i32",
    waits: true,
    run: (wasi, caller, fd: number) => synchronise(wasi, caller, { fd, right: Rights.FD_SYNC, what: "all" }),
  },

  /** `fd_datasync(fd) -> errno`: waits until the data is on the disk. */
  fd_datasync: {
    type: "i32 -> i32",
    waits: true,
    run: (wasi, caller, fd: number) =>
      synchronise(wasi, caller, { fd, right: Rights.FD_DATASYNC, what: "data" }),
  },

  /**
   * `fd_advise(fd, offset: u64, length: u64, advice: u8) -> errno`: the advice is checked and not taken.
   *
   * Errors: INVAL for an unknown advice, BADF, ISDIR, SPIPE.
   */
  fd_advise: {
    type: "i32 i64 i64 i32 -> i32",
    run(wasi, _caller, fd: number, offset: bigint, length: bigint, advice: number) {
      wasi.descriptors.file(fd, Rights.FD_ADVISE);
      if (advice < 0 || advice > ADVICE_MAX || offset < 0n || length < 0n) throw failure("INVAL");
      return Errno.SUCCESS;
    },
  },

  /**
   * Makes a file at least so long; the new part reads as zeros.
   *
   *     fd_allocate(fd, offset: u64, length: u64) -> errno
   *
   * Errors: INVAL for a length of 0, FBIG past 2^52, BADF, ISDIR, SPIPE. The space is not reserved.
   */
  fd_allocate: {
    type: "i32 i64 i64 -> i32",
    run(wasi, caller, fd: number, offset: bigint, length: bigint) {
      const { file } = wasi.descriptors.file(fd, Rights.FD_ALLOCATE);
      if (offset < 0n || length <= 0n) throw failure("INVAL");
      const end = offset + length;
      if (end > POSITION_MAX) throw failure("FBIG");
      if (!file.isWritable) throw failure("BADF");
      wasi.shift(caller);
      if (end > file.stat().size) file.setSize(Number(end));
      return Errno.SUCCESS;
    },
  },

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
} satisfies FunctionTable;

interface Transfer {
  readonly fd: number;
  readonly list: number;
  readonly count: number;
  /** Where the number of bytes is written to. */
  readonly result: number;
  /** Absent: that of the descriptor, which moves. */
  readonly position: number | undefined;
}

function read(wasi: WasiP1, caller: GuestCaller, transfer: Transfer): ErrnoValue | Promise<ErrnoValue> {
  const descriptor = wasi.descriptors.readable(transfer.fd);
  if (descriptor.kind === "input" && transfer.position !== undefined) throw failure("SPIPE");
  if (descriptor.kind === "file" && descriptor.file.isCold) {
    wasi.shift(caller);
    if (caller.canSuspend) return readWarmed(caller, descriptor, transfer);
  }
  return readNow(caller.memory, descriptor, transfer);
}

async function readWarmed(
  caller: GuestCaller,
  descriptor: FileDescriptor,
  transfer: Transfer,
): Promise<ErrnoValue> {
  const { memory, signal } = caller;
  await descriptor.file.warm();
  // The guest may have been ended meanwhile, and its memory given to another call.
  signal.throwIfAborted();
  return readNow(memory, descriptor, transfer);
}

function readNow(
  memory: GuestMemory,
  descriptor: FileDescriptor | InputDescriptor,
  transfer: Transfer,
): ErrnoValue {
  memory.check(transfer.result, 4);
  const iovecs = readIovecs(memory, transfer.list, transfer.count);
  const { bytes } = memory;
  const start = transfer.position ?? descriptor.position;
  const done = transferAll(iovecs, (iovec, before) => {
    const target = bytes.subarray(iovec.pointer, iovec.pointer + iovec.length);
    return filling(memory, iovec, () => readInto(target, descriptor, start + before));
  });
  if (transfer.position === undefined) descriptor.position += done;
  memory.writeU32(transfer.result, done);
  return Errno.SUCCESS;
}

/**
 * Runs `fill`, which returns how many bytes of a buffer it wrote, and marks those: guests offer buffers
 * much larger than what there is for them. If it throws, nobody knows, and all are marked.
 */
function filling(memory: GuestMemory, buffer: Iovec, fill: () => number): number {
  let used = buffer.length;
  try {
    used = fill();
  } finally {
    memory.mark(buffer.pointer, used);
  }
  return used;
}

function readInto(target: Buffer, descriptor: FileDescriptor | InputDescriptor, position: number): number {
  if (descriptor.kind === "file") return descriptor.file.read(target, position);
  const available = descriptor.bytes.subarray(position, position + target.length);
  target.set(available);
  return available.length;
}

function write(wasi: WasiP1, caller: GuestCaller, transfer: Transfer): ErrnoValue {
  const { memory } = caller;
  const { position } = transfer;
  const descriptor = wasi.descriptors.writable(transfer.fd);
  if (descriptor.kind === "output" && position !== undefined) throw failure("SPIPE");
  memory.check(transfer.result, 4);
  const iovecs = readIovecs(memory, transfer.list, transfer.count);
  if (descriptor.kind === "file") wasi.shift(caller);
  const { bytes } = memory;
  const done = transferAll(iovecs, ({ pointer, length }, before) => {
    const source = bytes.subarray(pointer, pointer + length);
    if (descriptor.kind === "file") {
      return writeFrom(source, descriptor, position === undefined ? undefined : position + before);
    }
    wasi.print(caller, descriptor.sink, source);
    return length;
  });
  memory.writeU32(transfer.result, done);
  return Errno.SUCCESS;
}

/** @param position absent: that of the descriptor, which moves, or the end of the file if it appends */
function writeFrom(source: Buffer, descriptor: FileDescriptor, position: number | undefined): number {
  const { file } = descriptor;
  if (position !== undefined) return file.write(source, position);
  if ((descriptor.flags & FdFlags.APPEND) !== 0) {
    const done = file.append(source);
    descriptor.position = Number(file.stat().size);
    return done;
  }
  const done = file.write(source, descriptor.position);
  descriptor.position += done;
  return done;
}

function synchronise(
  wasi: WasiP1,
  caller: GuestCaller,
  request: { readonly fd: number; readonly right: number; readonly what: "data" | "all" },
): ErrnoValue | Promise<ErrnoValue> {
  const descriptor = wasi.descriptors.withRights(request.fd, request.right);
  const opened = openedBy(descriptor);
  if (!opened || opened.isReadOnly) return Errno.SUCCESS;
  wasi.shift(caller);
  if (caller.canSuspend) return opened.sync(request.what).then(() => Errno.SUCCESS);
  opened.syncNow(request.what);
  return Errno.SUCCESS;
}

/** What a descriptor stands for in the file system, if anything. */
function openedBy(descriptor: Descriptor): OpenFile | OpenDirectory | undefined {
  switch (descriptor.kind) {
    case "file":
      return descriptor.file;
    case "directory":
      return descriptor.directory;
    case "input":
    case "output":
      return undefined;
  }
}

function positions(generation: Generation) {
  return {
    /**
     * Moves a descriptor.
     *
     *     fd_seek(fd, offset: i64, whence: u8, result: ptr u64) -> errno
     *     whence: 0 from the start, 1 from where it is, 2 from the end; `wasi_unstable`: 1, 2, 0 of these
     *
     * Errors: INVAL for an unknown whence and for a place before the start, OVERFLOW past 2^52, SPIPE
     * for a stream, ISDIR, BADF.
     */
    fd_seek: {
      type: "i32 i64 i32 i32 -> i32",
      run(wasi, { memory }, fd: number, offset: bigint, whence: number, result: number) {
        const from = generation.whence[whence];
        const isTell = from === "current" && offset === 0n;
        const descriptor = wasi.descriptors.file(fd, isTell ? Rights.FD_TELL : Rights.FD_SEEK);
        if (from === undefined) throw failure("INVAL");
        memory.check(result, 8);
        const position = originOf(descriptor, from) + offset;
        if (position < 0n) throw failure("INVAL");
        if (position > POSITION_MAX) throw failure("OVERFLOW");
        descriptor.position = Number(position);
        memory.writeU64(result, position);
        return Errno.SUCCESS;
      },
    },

    /** `fd_tell(fd, result: ptr u64) -> errno`: where a descriptor is. Errors: as fd_seek. */
    fd_tell: {
      type: "i32 i32 -> i32",
      run(wasi, { memory }, fd: number, result: number) {
        const { position } = wasi.descriptors.file(fd, Rights.FD_TELL);
        memory.writeU64(result, BigInt(position));
        return Errno.SUCCESS;
      },
    },
  } satisfies FunctionTable;
}

function originOf(descriptor: FileDescriptor, from: "start" | "current" | "end"): bigint {
  switch (from) {
    case "start":
      return 0n;
    case "current":
      return BigInt(descriptor.position);
    case "end":
      return descriptor.file.stat().size;
  }
}

function properties(generation: Generation) {
  return {
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
        if (opened.isReadOnly) throw failure("PERM");
        wasi.shift(caller);
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

/** Fails with INVAL for a time that is both given and now, and for unknown flags. */
export function newTimes(
  wasi: WasiP1,
  caller: GuestCaller,
  asked: { readonly accessedNs: bigint; readonly modifiedNs: bigint; readonly flags: number },
): NewTimes {
  const has = (flag: number) => (asked.flags & flag) !== 0;
  if (asked.flags >>> 4 !== 0) throw failure("INVAL");
  if (has(FstFlags.ATIM) && has(FstFlags.ATIM_NOW)) throw failure("INVAL");
  if (has(FstFlags.MTIM) && has(FstFlags.MTIM_NOW)) throw failure("INVAL");
  const wantsNow = has(FstFlags.ATIM_NOW) || has(FstFlags.MTIM_NOW);
  const now = wantsNow ? nearestSettable(wasi.realtimeNs(caller)) : 0n;
  return {
    ...(has(FstFlags.ATIM_NOW) && { accessedNs: now }),
    ...(has(FstFlags.ATIM) && { accessedNs: BigInt.asUintN(64, asked.accessedNs) }),
    ...(has(FstFlags.MTIM_NOW) && { modifiedNs: now }),
    ...(has(FstFlags.MTIM) && { modifiedNs: BigInt.asUintN(64, asked.modifiedNs) }),
  };
}

/** Fails with INVAL for an offset that a number cannot hold. */
function positionOf(offset: bigint): number {
  if (offset < 0n || offset > POSITION_MAX) throw failure("INVAL");
  return Number(offset);
}

const directories = {
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

function preopenName(wasi: WasiP1, fd: number): Uint8Array {
  const descriptor = wasi.descriptors.get(fd);
  if (descriptor.kind !== "directory" || !descriptor.preopen) throw failure("BADF");
  return descriptor.preopen;
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
