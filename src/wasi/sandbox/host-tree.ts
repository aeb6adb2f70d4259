// Directories of the host, held so that what is found in them is in them.
//
// "descriptors" (Linux): a directory is an O_PATH descriptor, and `/proc/self/fd/N/name` is what the
// openat family of system calls calls (N, name): it names an entry of that very directory, wherever it
// may have been moved. Each step opens one segment with O_NOFOLLOW, so no link is followed that
// we have not read and resolved, and no ".." is ever asked of the kernel.
//
// "paths" (elsewhere): a directory is its real path. Between the look and the act somebody may swap a
// directory for a link; what was opened is therefore compared with what was looked at, and the parent's
// real path is asked again afterwards. That finds out about a race, but cannot undo a creation. Guests of
// this thread cannot race each other: each of their calls is done before another begins.

import { constants, fstatSync, lstatSync, realpathSync, type StatsBase } from "node:fs";
import { sep } from "node:path";

import { O_PATH } from "../../mounts/mod.ts";
import { failure } from "./errno.ts";
import { closeHost, openHost } from "./host-descriptors.ts";

/** A directory that is held. Entries are at `${path}/name`. */
export interface HostDirectory {
  readonly path: string;
  close(): void;
}

export interface HostTree {
  /** Holds the directory at a path; fails with ENOTDIR for anything else, links included. */
  openDirectory(path: string): HostDirectory;
  /** Holds a directory once more. */
  reopenDirectory(directory: HostDirectory): HostDirectory;
  /** What is at a path, held, so that what is decided about it holds; undefined if there is nothing. */
  find(path: string): Found | undefined;
  /** Creates a file, or fails with EEXIST. */
  create(path: string, flags: number): number;
}

/** An entry that was found. `close()` it unless it has been turned into something else. */
export interface Found {
  readonly kind: "directory" | "file" | "link" | "other";
  /** Turns it into a directory that is held. */
  asDirectory(): HostDirectory;
  /** Opens it as a file; returns a descriptor. */
  open(flags: number): number;
  close(): void;
}

/** What a guest creates, before the umask. */
const FILE_MODE = 0o666;

export const descriptorTree: HostTree = {
  openDirectory: (path) => held(openHost(path, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW)),

  reopenDirectory: ({ path }) => held(openHost(path, O_PATH | constants.O_DIRECTORY)),

  find(path) {
    let descriptor: number;
    try {
      descriptor = openHost(path, O_PATH | constants.O_NOFOLLOW);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
    const directory = held(descriptor);
    return {
      kind: kindOf(fstatSync(descriptor)),
      asDirectory: () => directory,
      // Through the descriptor, so that it is what was found. It is a file: opening it cannot block.
      open(flags) {
        const opened = openHost(directory.path, flags);
        directory.close();
        return opened;
      },
      close: () => directory.close(),
    };
  },

  create: (path, flags) =>
    openHost(path, flags | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, FILE_MODE),
};

function held(descriptor: number): HostDirectory {
  return { path: `/proc/self/fd/${descriptor}`, close: () => closeHost(descriptor) };
}

export const pathTree: HostTree = {
  openDirectory(path) {
    if (!lstatSync(path).isDirectory()) throw failure("NOTDIR");
    return pathOfEntry(path);
  },

  reopenDirectory: (directory) => directory,

  find(path) {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (!stats) return undefined;
    return {
      kind: kindOf(stats),
      asDirectory: () => pathOfEntry(path),
      open(flags) {
        const opened = openHost(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK);
        try {
          const { dev, ino } = fstatSync(opened);
          if (dev !== stats.dev || ino !== stats.ino) throw failure("PERM");
          requireUnmoved(path);
          return opened;
        } catch (error) {
          closeHost(opened);
          throw error;
        }
      },
      close() {},
    };
  },

  create(path, flags) {
    requireUnmoved(path);
    return openHost(path, flags | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, FILE_MODE);
  },
};

/** The directory with its name as the file system spells it, which may ignore case. */
function pathOfEntry(path: string): HostDirectory {
  const real = realPath(path);
  if (parentOf(real) !== parentOf(path)) throw failure("PERM");
  return { path: real, close() {} };
}

/** Fails with PERM if a directory on the way has become a link meanwhile. */
function requireUnmoved(path: string): void {
  if (realPath(parentOf(path)) !== parentOf(path)) throw failure("PERM");
}

/** With "/" between its segments, which Windows takes as well. */
export function realPath(path: string): string {
  return realpathSync.native(path).replaceAll(sep, "/");
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function kindOf(stats: StatsBase<number | bigint>): Found["kind"] {
  if (stats.isDirectory()) return "directory";
  if (stats.isFile()) return "file";
  return stats.isSymbolicLink() ? "link" : "other";
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
