// A live mount, as a guest sees it: a directory of the host that may change at any moment.
//
// Paths are walked segment by segment from the directory they are relative to. Symbolic links are read
// and resolved here, ".." goes back to a directory that was passed on the way, and neither leads
// above the start. Only regular files and directories are ever opened: a FIFO would block, a device act.

import {
  type BigIntStats,
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
import { type GuestPath, LINKS_FOLLOWED_MAX, parseGuestPath } from "./path.ts";
import { setTimes } from "./set-times.ts";

/** Entries of one directory that are listed. A listing takes about 150 bytes an entry while it is read. */
const ENTRIES_MAX = 200_000;

/** Directories within directories on one path: each is a descriptor of the host while the path is walked. */
const DEPTH_MAX = 256;

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
    const isChange = options.access !== "read" || options.create !== "never" || options.truncate;
    if (isChange) this.#requireWritable();
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
        return new OpenLiveFile(found.open(flagsFor(options)), this.#live.isReadOnly, options);
      case "link":
        throw failure(directoryOnly ? "NOTDIR" : "LOOP");
      case "other":
        throw failure("NOTSUP");
    }
  }

  #create(place: Place, options: OpenOptions): OpenFile | undefined {
    if (options.create === "never") throw failure("NOENT");
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
    this.#requireWritable();
    using place = this.#locateEntry(path);
    if (place.name === undefined) throw failure("EXIST");
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
    if (target.startsWith("/")) throw failure("PERM");
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
    return new Walk(this.#live.tree, this.#held).locate(path, links);
  }

  /** The entry itself, even if it is a link and the path ends in "/". */
  #locateEntry(path: string): Place {
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

/** An entry in a directory that is held, or, without a name, that directory itself. */
class Place implements Disposable {
  readonly name: string | undefined;
  readonly mustBeDirectory: boolean;
  readonly directory: HostDirectory;
  /** Directories that the walk holds, `directory` among them unless the walk has not left its start. */
  readonly #held: readonly HostDirectory[];

  constructor(entry: { name: string | undefined; mustBeDirectory: boolean }, walk: Walk) {
    this.name = entry.name;
    this.mustBeDirectory = entry.mustBeDirectory;
    this.directory = walk.here;
    this.#held = walk.passed;
  }

  /** Of the host. */
  get path(): string {
    return this.name === undefined ? this.directory.path : `${this.directory.path}/${this.name}`;
  }

  get isStart(): boolean {
    return this.name === undefined && this.#held.length === 0;
  }

  /** Of the entry itself, where that is a link. */
  stat(): BigIntStats {
    const stat = this.name === undefined ? statSync : lstatSync;
    return stat(this.path, { bigint: true });
  }

  exists(): boolean {
    return lstatSync(this.path, { throwIfNoEntry: false }) !== undefined;
  }

  [Symbol.dispose](): void {
    for (const directory of this.#held) directory.close();
  }
}

/** "entry": the last segment is never followed; "stay": only if it must be a directory. */
type LastLink = LinkPolicy | "entry";

/** One look-up: goes from a directory to the one that has the last entry of a path. */
class Walk {
  readonly #tree: HostTree;
  readonly #start: HostDirectory;
  /** Below the start, the innermost last. */
  readonly passed: HostDirectory[] = [];
  #linksFollowed = 0;

  constructor(tree: HostTree, start: HostDirectory) {
    this.#tree = tree;
    this.#start = start;
  }

  get here(): HostDirectory {
    return this.passed.at(-1) ?? this.#start;
  }

  /** Fails with PERM for a path that leads out of the start, by "..", by a link, or by being absolute. */
  locate(path: string, last: LastLink): Place {
    try {
      return this.#walk(parseGuestPath(path), last);
    } catch (error) {
      for (const directory of this.passed) directory.close();
      throw error;
    }
  }

  #walk(path: GuestPath, last: LastLink): Place {
    const pending = path.segments.toReversed();
    let { mustBeDirectory } = path;
    for (let segment = pending.pop(); segment !== undefined; segment = pending.pop()) {
      if (segment === "..") {
        this.#goUp();
        continue;
      }
      const isLast = pending.length === 0;
      const follows = last === "follow" || (last === "stay" && mustBeDirectory);
      const target = isLast ? follows && this.#readLink(segment) : this.#goDown(segment);
      if (target) {
        if (isLast) mustBeDirectory ||= target.mustBeDirectory;
        pending.push(...target.segments.toReversed());
      } else if (isLast) {
        return new Place({ name: segment, mustBeDirectory }, this);
      }
    }
    return new Place({ name: undefined, mustBeDirectory: true }, this);
  }

  #goUp(): void {
    const left = this.passed.pop();
    if (!left) throw failure("PERM");
    left.close();
  }

  /** Where the entry is a link, stays and returns what it points to. */
  #goDown(segment: string): GuestPath | undefined {
    if (this.passed.length === DEPTH_MAX) throw failure("NAMETOOLONG");
    try {
      this.passed.push(this.#tree.openDirectory(`${this.here.path}/${segment}`));
      return undefined;
    } catch (error) {
      const target = isNotDirectory(error) && this.#readLink(segment);
      if (target) return target;
      throw error;
    }
  }

  /** What an entry points to; undefined if it is no link. */
  #readLink(segment: string): GuestPath | undefined {
    const path = `${this.here.path}/${segment}`;
    if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return undefined;
    if (++this.#linksFollowed > LINKS_FOLLOWED_MAX) throw failure("LOOP");
    return parseGuestPath(readlinkSync(path));
  }
}

function isNotDirectory(error: unknown): boolean {
  return (
    error === failure("NOTDIR") || (error instanceof Error && "code" in error && error.code === "ENOTDIR")
  );
}
