// What a component sees as files below one guest path, ready to be looked at.
//
// Made at start-up by mountDirectory(), shared by every call. A snapshot is complete in memory but for
// the contents of its files; a live mount is a directory of the host, which may change at any time.

import type { ContentCache } from "./content-cache.ts";
import type { SnapshotDirectory } from "./snapshot-tree.ts";

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
