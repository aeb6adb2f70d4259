// A snapshot mount, as a guest sees it: look-ups in memory, contents from a cache.
//
// Nothing here makes a system call but the first reading of a file. There is nothing to escape to:
// the tree has no entry that is outside of it.

import { constants, readSync } from "node:fs";
import type { SnapshotDirectory, SnapshotFile, SnapshotMount, SnapshotNode } from "../../mounts/mod.ts";
import { SnapshotChangedError } from "../../mounts/mod.ts";
import { failure, failureOfSystemError } from "./errno.ts";
import type {
  DirectoryEntry,
  FileKind,
  FileStat,
  LinkPolicy,
  OpenDirectory,
  OpenFile,
  OpenOptions,
} from "./filesystem.ts";
import { closeHost, openHost } from "./host-descriptors.ts";
import { LINKS_FOLLOWED_MAX, parseGuestPath } from "./path.ts";
import { requireStack } from "./stack-reserve.ts";

/** Files up to this size are read at once on first use: about a millisecond, hashing included. */
const READ_AT_ONCE_BYTES_MAX = 1024 * 1024;

export class OpenSnapshotDirectory implements OpenDirectory {
  readonly kind = "directory";
  readonly isReadOnly = true;
  readonly #mount: SnapshotMount;
  readonly #directory: SnapshotDirectory;

  constructor(mount: SnapshotMount, directory: SnapshotDirectory = mount.root) {
    this.#mount = mount;
    this.#directory = directory;
  }

  stat(): FileStat {
    return statOf(this.#mount, this.#directory);
  }

  list(): readonly DirectoryEntry[] {
    return Array.from(this.#directory.entries, ([name, node]) => ({ name, kind: kindOf(node) }));
  }

  inodeOf(name: string | undefined): bigint {
    if (name === undefined) return this.#directory.parentInode;
    return this.#directory.entries.get(name)?.inode ?? 0n;
  }

  open(path: string, options: OpenOptions): OpenFile | OpenDirectory {
    const ifMissing = options.create === "never" ? "NOENT" : "PERM";
    const node = resolve(this.#directory, path, { links: options.links, ifMissing });
    if (options.create === "always-new") throw failure("EXIST");
    if (options.directoryOnly && node.kind !== "directory") throw failure("NOTDIR");
    const isWrite = options.access !== "read" || options.truncate;
    switch (node.kind) {
      case "directory":
        if (isWrite || options.create !== "never") throw failure("ISDIR");
        return new OpenSnapshotDirectory(this.#mount, node);
      case "file":
        if (isWrite) throw failure("PERM");
        return new OpenSnapshotFile(this.#mount, node);
      case "link":
        throw failure("LOOP");
      case "special":
        throw failure("NOTSUP");
    }
  }

  statAt(path: string, links: LinkPolicy): FileStat {
    return statOf(this.#mount, resolve(this.#directory, path, { links, ifMissing: "NOENT" }));
  }

  readLink(path: string): string {
    const node = resolve(this.#directory, path, { links: "stay", ifMissing: "NOENT" });
    if (node.kind !== "link") throw failure("INVAL");
    return node.target;
  }

  setTimes(): never {
    throw failure("PERM");
  }
  setTimesAt(): never {
    throw failure("PERM");
  }
  createDirectory(path: string): never {
    resolve(this.#directory, path, { links: "stay", ifMissing: "PERM" });
    throw failure("EXIST");
  }
  removeDirectory(): never {
    throw failure("PERM");
  }
  unlink(): never {
    throw failure("PERM");
  }
  rename(): never {
    throw failure("PERM");
  }
  link(): never {
    throw failure("PERM");
  }
  symlink(): never {
    throw failure("PERM");
  }
  async sync(): Promise<void> {}
  syncNow(): void {}
  close(): void {}
}

class OpenSnapshotFile implements OpenFile {
  readonly kind = "file";
  readonly isWritable = false;
  readonly isReadOnly = true;
  readonly #mount: SnapshotMount;
  readonly #file: SnapshotFile;
  /** Of the host; opened on the first reading of a file that is too large for the cache. */
  #descriptor: number | undefined;

  constructor(mount: SnapshotMount, file: SnapshotFile) {
    this.#mount = mount;
    this.#file = file;
  }

  stat(): FileStat {
    return statOf(this.#mount, this.#file);
  }

  get isCold(): boolean {
    const { contents } = this.#mount;
    if (this.#file.size <= READ_AT_ONCE_BYTES_MAX || !contents.admits(this.#file)) return false;
    return contents.get(this.#file) === undefined;
  }

  async warm(): Promise<void> {
    try {
      await this.#mount.contents.loadLater(this.#file);
    } catch (error) {
      throw changed(error);
    }
  }

  read(target: Uint8Array, position: number): number {
    if (position >= this.#file.size) return 0;
    const { contents } = this.#mount;
    try {
      if (contents.admits(this.#file)) return contents.load(this.#file).copy(target, 0, position);
      return this.#readPiece(target, position);
    } catch (error) {
      throw changed(error);
    }
  }

  #readPiece(target: Uint8Array, position: number): number {
    this.#descriptor ??= this.#open();
    const length = Math.min(target.length, READ_AT_ONCE_BYTES_MAX);
    return readSync(this.#descriptor, target, { position, length });
  }

  #open(): number {
    requireStack();
    return openHost(this.#file.hostPath, constants.O_RDONLY);
  }

  write(): never {
    throw failure("BADF");
  }
  append(): never {
    throw failure("BADF");
  }
  setSize(): never {
    throw failure("BADF");
  }
  setTimes(): never {
    throw failure("PERM");
  }
  async sync(): Promise<void> {}
  syncNow(): void {}

  close(): void {
    if (this.#descriptor !== undefined) closeHost(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** To a guest, a file that was there at the start and cannot be read now is broken, not missing. */
function changed(error: unknown): unknown {
  const isChanged = error instanceof SnapshotChangedError || failureOfSystemError(error) !== undefined;
  return isChanged ? failure("IO") : error;
}

interface LookUp {
  readonly links: LinkPolicy;
  /** What it fails with if only the last entry is missing: PERM if it is to be created. */
  readonly ifMissing: "NOENT" | "PERM";
}

/** Follows a path from a directory; ".." does not lead above it. */
function resolve(start: SnapshotDirectory, path: string, { links, ifMissing }: LookUp): SnapshotNode {
  const written = parseGuestPath(path);
  let { mustBeDirectory } = written;
  const pending = written.segments.toReversed();
  const parents: SnapshotDirectory[] = [];
  let node: SnapshotNode = start;
  let linksFollowed = 0;
  for (let segment = pending.pop(); segment !== undefined; segment = pending.pop()) {
    if (node.kind !== "directory") throw failure("NOTDIR");
    if (segment === "..") {
      node = parents.pop() ?? escaped();
      continue;
    }
    const child: SnapshotNode | undefined = node.entries.get(segment);
    if (!child) throw failure(pending.length > 0 ? "NOENT" : ifMissing);
    if (child.kind === "link" && (pending.length > 0 || mustBeDirectory || links === "follow")) {
      if (++linksFollowed > LINKS_FOLLOWED_MAX) throw failure("LOOP");
      const target = parseGuestPath(child.target);
      if (pending.length === 0) mustBeDirectory ||= target.mustBeDirectory;
      pending.push(...target.segments.toReversed());
      continue;
    }
    parents.push(node);
    node = child;
  }
  if (mustBeDirectory && node.kind !== "directory") throw failure("NOTDIR");
  return node;
}

function escaped(): never {
  throw failure("PERM");
}

function statOf(mount: SnapshotMount, node: SnapshotNode): FileStat {
  return {
    device: mount.device,
    inode: node.inode,
    kind: kindOf(node),
    links: 1n,
    size: BigInt(node.size),
    accessedNs: node.accessedNs,
    modifiedNs: node.modifiedNs,
    changedNs: node.changedNs,
  };
}

function kindOf(node: SnapshotNode): FileKind {
  return node.kind === "special" ? "fifo" : node.kind;
}
