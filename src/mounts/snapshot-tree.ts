// The index of a directory that does not change, in memory.

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
