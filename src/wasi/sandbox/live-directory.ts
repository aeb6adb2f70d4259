// A live mount, as a guest sees it: a directory of the host that may change at any moment.
//
// Paths are walked segment by segment from the directory they are relative to. Symbolic links are read
// and resolved here, ".." goes back to a directory that was passed on the way, and neither leads
// above the start. Only regular files and directories are ever opened: a FIFO would block, a device act.

import {
  linkSync,
  lstatSync,
  mkdirSync,
  opendirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";

import type { LiveMount } from "../../mounts/mod.ts";
import { failure } from "./errno.ts";
import type {
  Destination,
  DirectoryEntry,
  FileStat,
  LinkPolicy,
  NewTimes,
  OpenDirectory,
  OpenFile,
  OpenOptions,
} from "./filesystem.ts";
import { descriptorTree, type Found, type HostDirectory, type HostTree, pathTree } from "./host-tree.ts";
import { flagsFor, OpenLiveFile } from "./live-file.ts";
import { kindOf, statOf } from "./live-stat.ts";
import { parseGuestPath } from "./path.ts";
import { setTimes } from "./set-times.ts";
import { requireStack } from "./stack-reserve.ts";
import { type Place, Walk } from "./walk.ts";

/** Entries of one directory that are listed. A listing takes about 150 bytes an entry while it is read. */
const ENTRIES_MAX = 200_000;

/** How often an entry is looked at anew that others create and remove at the same time. */
const ATTEMPTS_MAX = 16;

/** Opens the root of a live mount. Closing it does nothing: it belongs to the mount. */
export function openLiveMount(mount: LiveMount): OpenDirectory {
  const tree = mount.traversal === "descriptors" ? descriptorTree : pathTree;
  const root = { path: mount.path, close() {} };
  return new OpenLiveDirectory({ tree, isReadOnly: mount.access === "read" }, root, "root");
}

interface LiveTree {
  readonly tree: HostTree;
  readonly isReadOnly: boolean;
}

class OpenLiveDirectory implements OpenDirectory {
  readonly kind = "directory";
  readonly #live: LiveTree;
  readonly #held: HostDirectory;
  readonly #place: "root" | "below";

  constructor(live: LiveTree, held: HostDirectory, place: "root" | "below") {
    this.#live = live;
    this.#held = held;
    this.#place = place;
  }

  get isReadOnly(): boolean {
    return this.#live.isReadOnly;
  }

  stat(): FileStat {
    return statOf(statSync(this.#held.path, { bigint: true }));
  }

  setTimes(times: NewTimes): void {
    this.#requireWritable();
    setTimes(this.#held.path, "follow", times);
  }

  /** Directories are held for look-ups, which the system does not synchronise; their file systems do in time. */
  async sync(): Promise<void> {}
  syncNow(): void {}

  list(): readonly DirectoryEntry[] {
    const entries: DirectoryEntry[] = [];
    requireStack();
    using directory = opendirSync(this.#held.path);
    for (let entry = directory.readSync(); entry; entry = directory.readSync()) {
      if (entries.length === ENTRIES_MAX) throw failure("OVERFLOW");
      entries.push({ name: entry.name, kind: kindOf(entry) });
    }
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  inodeOf(name: string | undefined): bigint {
    // What is above the root is none of the guest's business.
    if (name === undefined && this.#place === "root") return this.stat().inode;
    const path = `${this.#held.path}/${name ?? ".."}`;
    return lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? 0n;
  }

  open(path: string, options: OpenOptions): OpenFile | OpenDirectory {
    using place = this.#locate(path, options.links);
    if (place.name === undefined) return this.#reopen(place, options);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const opened = this.#openEntry(place, options);
      if (opened) return opened;
    }
    throw failure("BUSY");
  }

  /** A path such as "." or "a/..". */
  #reopen(place: Place, options: OpenOptions): OpenDirectory {
    requireDirectoryOptions(options);
    const held = this.#live.tree.reopenDirectory(place.directory);
    return new OpenLiveDirectory(this.#live, held, place.isStart ? this.#place : "below");
  }

  /** Undefined: somebody created the file at the same time. */
  #openEntry(place: Place, options: OpenOptions): OpenFile | OpenDirectory | undefined {
    const found = this.#live.tree.find(place.path);
    if (!found) return this.#create(place, options);
    try {
      return this.#openFound(found, place, options);
    } catch (error) {
      found.close();
      throw error;
    }
  }

  #openFound(found: Found, place: Place, options: OpenOptions): OpenFile | OpenDirectory {
    if (options.create === "always-new") throw failure("EXIST");
    const directoryOnly = options.directoryOnly || place.mustBeDirectory;
    switch (found.kind) {
      case "directory":
        requireDirectoryOptions(options);
        return new OpenLiveDirectory(this.#live, found.asDirectory(), "below");
      case "file":
        if (directoryOnly) throw failure("NOTDIR");
        if (options.access !== "read" || options.truncate) this.#requireWritable();
        return new OpenLiveFile(found.open(flagsFor(options)), this.#live.isReadOnly, options);
      case "link":
        throw failure(directoryOnly ? "NOTDIR" : "LOOP");
      case "other":
        throw failure("NOTSUP");
    }
  }

  #create(place: Place, options: OpenOptions): OpenFile | undefined {
    if (options.create === "never") throw failure("NOENT");
    this.#requireWritable();
    if (place.mustBeDirectory) throw failure("ISDIR");
    try {
      const descriptor = this.#live.tree.create(place.path, flagsFor(options));
      return new OpenLiveFile(descriptor, this.#live.isReadOnly, options);
    } catch (error) {
      const exists = error instanceof Error && "code" in error && error.code === "EEXIST";
      if (exists && options.create === "if-missing") return undefined;
      throw error;
    }
  }

  statAt(path: string, links: LinkPolicy): FileStat {
    using place = this.#locate(path, links);
    const stats = place.stat();
    if (place.mustBeDirectory && !stats.isDirectory()) throw failure("NOTDIR");
    return statOf(stats);
  }

  setTimesAt(path: string, links: LinkPolicy, times: NewTimes): void {
    this.#requireWritable();
    using place = this.#locate(path, links);
    if (place.mustBeDirectory && !place.stat().isDirectory()) throw failure("NOTDIR");
    setTimes(place.path, place.name === undefined ? "follow" : "stay", times);
  }

  readLink(path: string): string {
    using place = this.#locate(path, "stay");
    if (place.name === undefined) throw failure("INVAL");
    return readlinkSync(place.path);
  }

  createDirectory(path: string): void {
    using place = this.#locateEntry(path);
    if (place.name === undefined) throw failure("EXIST");
    if (this.isReadOnly) throw failure(place.exists() ? "EXIST" : "PERM");
    mkdirSync(place.path);
  }

  removeDirectory(path: string): void {
    this.#requireWritable();
    using place = this.#locateEntry(path);
    if (place.name === undefined) throw failure("INVAL");
    rmdirSync(place.path);
  }

  unlink(path: string): void {
    this.#requireWritable();
    using place = this.#locateEntry(path);
    if (place.name === undefined || place.stat().isDirectory()) throw failure("ISDIR");
    if (place.mustBeDirectory) throw failure("NOTDIR");
    unlinkSync(place.path);
  }

  rename(from: string, to: Destination): void {
    using source = this.#locateEntry(from);
    using target = this.#locateDestination(to);
    if (source.name === undefined || target.name === undefined) throw failure("BUSY");
    const mustBeDirectory = source.mustBeDirectory || target.mustBeDirectory;
    if (mustBeDirectory && !source.stat().isDirectory()) throw failure("NOTDIR");
    renameSync(source.path, target.path);
  }

  link(from: string, to: Destination): void {
    using source = this.#locateEntry(from);
    using target = this.#locateDestination(to);
    if (source.name === undefined) throw failure("PERM");
    if (target.name === undefined) throw failure("EXIST");
    if (source.mustBeDirectory && !source.stat().isDirectory()) throw failure("NOTDIR");
    if (target.mustBeDirectory) throw failure(target.exists() ? "EXIST" : "NOENT");
    linkSync(source.path, target.path);
  }

  symlink(target: string, path: string): void {
    this.#requireWritable();
    // A target must be what could be a path from there: nothing absolute, no NUL.
    parseGuestPath(target);
    using place = this.#locateEntry(path);
    if (place.name === undefined) throw failure("EXIST");
    if (place.mustBeDirectory) throw failure(place.exists() ? "EXIST" : "NOENT");
    symlinkSync(target, place.path);
  }

  close(): void {
    this.#held.close();
  }

  #requireWritable(): void {
    if (this.#live.isReadOnly) throw failure("PERM");
  }

  #locate(path: string, links: LinkPolicy): Place {
    requireStack();
    return new Walk(this.#live.tree, this.#held).locate(path, links);
  }

  /** The entry itself, even if it is a link and the path ends in "/". */
  #locateEntry(path: string): Place {
    requireStack();
    return new Walk(this.#live.tree, this.#held).locate(path, "entry");
  }

  /** Where something is to be put: by this directory's rules, in that one's tree. */
  #locateDestination({ directory, path }: Destination): Place {
    if (!(directory instanceof OpenLiveDirectory)) throw failure("XDEV");
    this.#requireWritable();
    directory.#requireWritable();
    return directory.#locateEntry(path);
  }
}

/** Fails with EXIST or ISDIR for what is not to be done to a directory. */
function requireDirectoryOptions(options: OpenOptions): void {
  if (options.create === "always-new") throw failure("EXIST");
  if (options.access !== "read" || options.create !== "never" || options.truncate) throw failure("ISDIR");
}
