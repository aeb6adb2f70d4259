// What a component sees as files below one guest path, ready to be looked at.
//
// Made at start-up by mountDirectory(), shared by every call. A snapshot is complete in memory but for
// the contents of its files; a live mount is a directory of the host, which may change at any time.

import type { ContentCache } from "./content-cache.ts";

export type MountedDirectory = SnapshotMount | LiveMount;

export interface SnapshotMount extends Disposable {
  readonly kind: "snapshot";
  /** Absolute, normalised guest path: "/" or "/data". */
  readonly guestPath: string;
  /** Tells this tree from others, as `st_dev` does; the same for the same guest path. */
  readonly device: bigint;
  readonly root: SnapshotDirectory;
  readonly contents: ContentCache;
}

export interface LiveMount extends Disposable {
  readonly kind: "live";
  readonly guestPath: string;
  readonly access: "read" | "write";
  /** How look-ups below it are kept inside: "descriptors" needs Linux and is safe from races. */
  readonly traversal: "descriptors" | "paths";
  /** With "descriptors" `/proc/self/fd/N`, good for as long as the mount lives; else the real path. */
  readonly path: string;
}

export type SnapshotNode = SnapshotDirectory | SnapshotFile | SnapshotLink | SnapshotSpecial;

interface SnapshotEntry {
  /** Counted from 1 in the order of a sorted walk: the same for the same tree. */
  readonly inode: bigint;
  readonly accessedNs: bigint;
  readonly modifiedNs: bigint;
  readonly changedNs: bigint;
  /** Size in bytes: of the contents, or of a link's target. */
  readonly size: number;
}

export interface SnapshotDirectory extends SnapshotEntry {
  readonly kind: "directory";
  /** Of the directory that this one is in; the root is in itself. */
  readonly parentInode: bigint;
  /** In the order of their names, by UTF-16 units. */
  readonly entries: ReadonlyMap<string, SnapshotNode>;
}

export interface SnapshotFile extends SnapshotEntry {
  readonly kind: "file";
  readonly hostPath: string;
}

export interface SnapshotLink extends SnapshotEntry {
  readonly kind: "link";
  /** As written: relative or absolute, perhaps leading nowhere. */
  readonly target: string;
}

/** A FIFO, socket or device: listed, never opened. */
export interface SnapshotSpecial extends SnapshotEntry {
  readonly kind: "special";
}
