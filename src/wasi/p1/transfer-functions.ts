// What is in files and streams: reading, writing, and where a descriptor is.

import type { GuestMemory } from "../../engine/mod.ts";
import { Errno, type ErrnoValue, failure } from "../sandbox/errno.ts";
import type { Wasi } from "../wasi.ts";
import { type FileDescriptor, type InputDescriptor, openedBy, POSITION_MAX } from "./descriptors.ts";
import { FdFlags } from "./flags.ts";
import { type FunctionTable, filling, type GuestCaller } from "./functions.ts";
import type { Generation } from "./generation.ts";
import { readIovecs, transferAll } from "./iovecs.ts";
import { Rights } from "./rights.ts";

/** `advice` ends here. */
const ADVICE_MAX = 5;

export function transferFunctions(generation: Generation) {
  return { ...transfers, ...positions(generation) } satisfies FunctionTable;
}

const transfers = {
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

function read(wasi: Wasi, caller: GuestCaller, transfer: Transfer): ErrnoValue | Promise<ErrnoValue> {
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

function readInto(target: Buffer, descriptor: FileDescriptor | InputDescriptor, position: number): number {
  if (descriptor.kind === "file") return descriptor.file.read(target, position);
  const available = descriptor.bytes.subarray(position, position + target.length);
  target.set(available);
  return available.length;
}

function write(wasi: Wasi, caller: GuestCaller, transfer: Transfer): ErrnoValue {
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

/** Fails with INVAL for an offset that a number cannot hold. */
function positionOf(offset: bigint): number {
  if (offset < 0n || offset > POSITION_MAX) throw failure("INVAL");
  return Number(offset);
}

function synchronise(
  wasi: Wasi,
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
