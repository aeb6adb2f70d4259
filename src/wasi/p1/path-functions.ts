// Everything that takes a path: below the directory of a descriptor, never outside of it.

import { Errno, failure } from "../sandbox/errno.ts";
import type { LinkPolicy, OpenDirectory, OpenFile, OpenOptions } from "../sandbox/filesystem.ts";
import type { Wasi } from "../wasi.ts";
import type { Descriptor, DirectoryDescriptor } from "./descriptors.ts";
import { FdFlags, newTimes, SYNC_FLAGS } from "./flags.ts";
import type { FunctionTable, GuestCaller } from "./functions.ts";
import type { Generation } from "./generation.ts";
import { DIRECTORY_RIGHTS, FILE_RIGHTS, Rights } from "./rights.ts";

/** `oflags` */
const OFlags = { CREAT: 1, DIRECTORY: 2, EXCL: 4, TRUNC: 8 } as const;
const OFLAGS_ALL = OFlags.CREAT | OFlags.DIRECTORY | OFlags.EXCL | OFlags.TRUNC;
const FDFLAGS_ALL = FdFlags.APPEND | FdFlags.NONBLOCK | SYNC_FLAGS;

/** `lookupflags` */
const SYMLINK_FOLLOW = 1;

export function pathFunctions(generation: Generation) {
  return {
    /**
     * Opens a file or a directory.
     *
     *     path_open(fd, lookup: u32, path: ptr, length: u32, open: u16, rights: u64, inheriting: u64,
     *               flags: u16, result: ptr u32) -> errno
     *
     * Rights beyond those that `fd` passes on are left out. Opened for writing if they include FD_WRITE.
     *
     * Errors: NOENT, NOTDIR, ISDIR, EXIST, LOOP for a symbolic link that is not followed; PERM for a path
     * that leads out of the directory, and for writing in a read-only mount; NOTSUP for what is neither a
     * file nor a directory; MFILE; NAMETOOLONG; ILSEQ for a path that is not UTF-8; NOTCAPABLE.
     */
    path_open: {
      type: "i32 i32 i32 i32 i32 i64 i64 i32 i32 -> i32",
      run(
        wasi,
        caller,
        fd: number,
        lookup: number,
        path: number,
        length: number,
        open: number,
        rights: bigint,
        inheriting: bigint,
        flags: number,
        result: number,
      ) {
        const { memory } = caller;
        const directory = wasi.descriptors.directory(fd, rightsToOpen(open));
        memory.check(result, 4);
        const asked = {
          rights: Number(BigInt.asUintN(30, rights)) & directory.inheriting,
          inheriting: Number(BigInt.asUintN(30, inheriting)) & directory.inheriting,
          flags,
        };
        const options = openOptions({ lookup, open, rights: asked.rights, flags });
        const written = memory.readText(path, length);
        wasi.descriptors.requireRoom();
        if (isChange(options) && !directory.directory.isReadOnly) wasi.shift(caller);
        const opened = directory.directory.open(written, options);
        memory.writeU32(result, wasi.descriptors.open(describe(opened, asked)));
        return Errno.SUCCESS;
      },
    },

    /**
     * `path_filestat_get(fd, lookup: u32, path: ptr, length: u32, result: ptr filestat) -> errno`
     *
     * Errors: as path_open.
     */
    path_filestat_get: {
      type: "i32 i32 i32 i32 i32 -> i32",
      run(wasi, { memory }, fd: number, lookup: number, path: number, length: number, result: number) {
        const { directory } = wasi.descriptors.directory(fd, Rights.PATH_FILESTAT_GET);
        const stat = directory.statAt(memory.readText(path, length), linksOf(lookup));
        generation.writeFilestat(memory, result, stat);
        return Errno.SUCCESS;
      },
    },

    ...changes,
  } satisfies FunctionTable;
}

const changes = {
  /**
   * `path_filestat_set_times(fd, lookup: u32, path: ptr, length: u32, accessed: u64, modified: u64,
   * flags: u16) -> errno`
   *
   * Errors: INVAL for a time that is both given and now; as path_open.
   */
  path_filestat_set_times: {
    type: "i32 i32 i32 i32 i64 i64 i32 -> i32",
    run(
      wasi,
      caller,
      fd: number,
      lookup: number,
      path: number,
      length: number,
      accessedNs: bigint,
      modifiedNs: bigint,
      flags: number,
    ) {
      const written = caller.memory.readText(path, length);
      const times = newTimes(wasi, caller, { accessedNs, modifiedNs, flags });
      changing(wasi, caller, { fd, right: Rights.PATH_FILESTAT_SET_TIMES }).setTimesAt(
        written,
        linksOf(lookup),
        times,
      );
      return Errno.SUCCESS;
    },
  },

  /** `path_create_directory(fd, path: ptr, length: u32) -> errno`. Errors: EXIST; as path_open. */
  path_create_directory: {
    type: "i32 i32 i32 -> i32",
    run(wasi, caller, fd: number, path: number, length: number) {
      const written = caller.memory.readText(path, length);
      changing(wasi, caller, { fd, right: Rights.PATH_CREATE_DIRECTORY }).createDirectory(written);
      return Errno.SUCCESS;
    },
  },

  /** `path_remove_directory(fd, path: ptr, length: u32) -> errno`. Errors: NOTEMPTY, NOTDIR; as path_open. */
  path_remove_directory: {
    type: "i32 i32 i32 -> i32",
    run(wasi, caller, fd: number, path: number, length: number) {
      const written = caller.memory.readText(path, length);
      changing(wasi, caller, { fd, right: Rights.PATH_REMOVE_DIRECTORY }).removeDirectory(written);
      return Errno.SUCCESS;
    },
  },

  /** `path_unlink_file(fd, path: ptr, length: u32) -> errno`. Errors: ISDIR; as path_open. */
  path_unlink_file: {
    type: "i32 i32 i32 -> i32",
    run(wasi, caller, fd: number, path: number, length: number) {
      const written = caller.memory.readText(path, length);
      changing(wasi, caller, { fd, right: Rights.PATH_UNLINK_FILE }).unlink(written);
      return Errno.SUCCESS;
    },
  },

  /**
   * `path_rename(fd, path: ptr, length: u32, new fd, new path: ptr, new length: u32) -> errno`
   *
   * Errors: NOTEMPTY, ISDIR, NOTDIR for what is there already, XDEV between mounts; as path_open.
   */
  path_rename: {
    type: "i32 i32 i32 i32 i32 i32 -> i32",
    run(
      wasi,
      caller,
      fd: number,
      path: number,
      length: number,
      newFd: number,
      newPath: number,
      newLength: number,
    ) {
      const from = caller.memory.readText(path, length);
      const to = caller.memory.readText(newPath, newLength);
      const target = wasi.descriptors.directory(newFd, Rights.PATH_RENAME_TARGET);
      changing(wasi, caller, { fd, right: Rights.PATH_RENAME_SOURCE }).rename(from, {
        directory: target.directory,
        path: to,
      });
      return Errno.SUCCESS;
    },
  },

  /**
   * Makes a hard link.
   *
   *     path_link(fd, lookup: u32, path: ptr, length: u32, new fd, new path: ptr, new length: u32) -> errno
   *
   * Errors: INVAL if asked to follow symbolic links, EXIST, PERM for a directory, XDEV between mounts; as
   * path_open.
   */
  path_link: {
    type: "i32 i32 i32 i32 i32 i32 i32 -> i32",
    run(
      wasi,
      caller,
      fd: number,
      lookup: number,
      path: number,
      length: number,
      newFd: number,
      newPath: number,
      newLength: number,
    ) {
      const from = caller.memory.readText(path, length);
      const to = caller.memory.readText(newPath, newLength);
      if (linksOf(lookup) === "follow") throw failure("INVAL");
      const target = wasi.descriptors.directory(newFd, Rights.PATH_LINK_TARGET);
      changing(wasi, caller, { fd, right: Rights.PATH_LINK_SOURCE }).link(from, {
        directory: target.directory,
        path: to,
      });
      return Errno.SUCCESS;
    },
  },

  /**
   * `path_symlink(target: ptr, length: u32, fd, path: ptr, length: u32) -> errno`
   *
   * Errors: PERM for an absolute target, INVAL for one with a NUL; EXIST; as path_open.
   */
  path_symlink: {
    type: "i32 i32 i32 i32 i32 -> i32",
    run(wasi, caller, target: number, targetLength: number, fd: number, path: number, length: number) {
      const pointsTo = caller.memory.readText(target, targetLength);
      const written = caller.memory.readText(path, length);
      changing(wasi, caller, { fd, right: Rights.PATH_SYMLINK }).symlink(pointsTo, written);
      return Errno.SUCCESS;
    },
  },

  /**
   * Reads where a symbolic link points to; a longer target is cut off.
   *
   *     path_readlink(fd, path: ptr, length: u32, buffer: ptr, length: u32, result: ptr u32) -> errno
   *
   * Errors: INVAL for anything but a symbolic link; as path_open.
   */
  path_readlink: {
    type: "i32 i32 i32 i32 i32 i32 -> i32",
    run(
      wasi,
      { memory },
      fd: number,
      path: number,
      length: number,
      buffer: number,
      bufferLength: number,
      result: number,
    ) {
      const { directory } = wasi.descriptors.directory(fd, Rights.PATH_READLINK);
      memory.check(result, 4);
      const target = Buffer.from(directory.readLink(memory.readText(path, length)));
      const written = target.subarray(0, bufferLength >>> 0);
      memory.write(buffer, written);
      memory.writeU32(result, written.length);
      return Errno.SUCCESS;
    },
  },
} satisfies FunctionTable;

/** The directory that is about to be changed. Returns in second gear only, unless it refuses every change. */
function changing(
  wasi: Wasi,
  caller: GuestCaller,
  asked: { readonly fd: number; readonly right: number },
): OpenDirectory {
  const { directory } = wasi.descriptors.directory(asked.fd, asked.right);
  if (!directory.isReadOnly) wasi.shift(caller);
  return directory;
}

function linksOf(lookup: number): LinkPolicy {
  return (lookup & SYMLINK_FOLLOW) !== 0 ? "follow" : "stay";
}

function rightsToOpen(open: number): number {
  let rights: number = Rights.PATH_OPEN;
  if ((open & OFlags.CREAT) !== 0) rights |= Rights.PATH_CREATE_FILE;
  if ((open & OFlags.TRUNC) !== 0) rights |= Rights.PATH_FILESTAT_SET_SIZE;
  return rights;
}

/** Fails with INVAL for flags that are unknown or contradict each other. */
function openOptions(asked: {
  readonly lookup: number;
  readonly open: number;
  readonly rights: number;
  readonly flags: number;
}): OpenOptions {
  const has = (flag: number) => (asked.open & flag) !== 0;
  if ((asked.open & ~OFLAGS_ALL) !== 0 || (asked.flags & ~FDFLAGS_ALL) !== 0) throw failure("INVAL");
  if (has(OFlags.DIRECTORY) && has(OFlags.CREAT | OFlags.EXCL | OFlags.TRUNC)) throw failure("INVAL");
  return {
    links: linksOf(asked.lookup),
    access: accessOf(asked.rights),
    create: has(OFlags.CREAT) ? (has(OFlags.EXCL) ? "always-new" : "if-missing") : "never",
    truncate: has(OFlags.TRUNC),
    directoryOnly: has(OFlags.DIRECTORY),
    synchronous: (asked.flags & SYNC_FLAGS) !== 0,
  };
}

function accessOf(rights: number): OpenOptions["access"] {
  if ((rights & Rights.FD_WRITE) === 0) return "read";
  return (rights & Rights.FD_READ) === 0 ? "write" : "read-write";
}

function isChange(options: OpenOptions): boolean {
  return options.create !== "never" || options.truncate;
}

function describe(
  opened: OpenFile | OpenDirectory,
  asked: { readonly rights: number; readonly inheriting: number; readonly flags: number },
): Descriptor {
  if (opened.kind === "file") {
    return { kind: "file", file: opened, position: 0, ...asked, rights: asked.rights & FILE_RIGHTS };
  }
  const directory: DirectoryDescriptor = {
    kind: "directory",
    directory: opened,
    preopen: undefined,
    listing: undefined,
    ...asked,
    rights: asked.rights & DIRECTORY_RIGHTS,
  };
  return directory;
}
