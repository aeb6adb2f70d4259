// Files and directories that a guest has opened, whatever they are made of.
//
// Paths are those of the guest, relative to the directory they are given to, and never lead out of it.
// What fails throws a Failure, or an error of the system that failureOfSystemError() understands.
// Whoever changes something here shifts before: nothing in the sandbox knows of gears.

export type FileKind = "directory" | "file" | "link" | "block" | "character" | "fifo" | "socket";

export interface FileStat {
  readonly device: bigint;
  readonly inode: bigint;
  readonly kind: FileKind;
  readonly links: bigint;
  readonly size: bigint;
  readonly accessedNs: bigint;
  readonly modifiedNs: bigint;
  readonly changedNs: bigint;
}

/** Absent: left as it is. */
export interface NewTimes {
  readonly accessedNs?: bigint;
  readonly modifiedNs?: bigint;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly kind: FileKind;
}

export interface OpenOptions {
  /** Whether a symbolic link at the end of the path is followed, or refused with LOOP. */
  readonly links: LinkPolicy;
  readonly access: "read" | "write" | "read-write";
  readonly create: "never" | "if-missing" | "always-new";
  readonly truncate: boolean;
  /** Fails with NOTDIR for anything but a directory. */
  readonly directoryOnly: boolean;
  /** Every write reaches the disk before it returns. */
  readonly synchronous: boolean;
}

export type LinkPolicy = "follow" | "stay";

export interface OpenFile {
  readonly kind: "file";
  readonly isWritable: boolean;
  /** Its mount is read-only: nothing about it can be changed. */
  readonly isReadOnly: boolean;
  /** Reading now would hold up the thread; warm() first, if there is a way to wait. */
  readonly isCold: boolean;
  warm(): Promise<unknown>;
  stat(): FileStat;
  /** Returns the number of bytes read: 0 at the end, fewer than fit only at the end or past 1 MiB. */
  read(target: Uint8Array, position: number): number;
  /** Returns the number of bytes written, fewer than given only past 1 MiB. */
  write(bytes: Uint8Array, position: number): number;
  /** Writes at the end, wherever it is by then. */
  append(bytes: Uint8Array): number;
  setSize(size: number): void;
  setTimes(times: NewTimes): void;
  sync(what: "data" | "all"): Promise<void>;
  syncNow(what: "data" | "all"): void;
  close(): void;
}

export interface OpenDirectory {
  readonly kind: "directory";
  /** Its mount is read-only: everything that would change something fails with PERM. */
  readonly isReadOnly: boolean;
  stat(): FileStat;
  setTimes(times: NewTimes): void;
  sync(what: "data" | "all"): Promise<void>;
  syncNow(what: "data" | "all"): void;
  /** All entries in a fixed order, without "." and "..". */
  list(): readonly DirectoryEntry[];
  /** The inode of an entry; 0 if it has gone since. `undefined` asks for the parent. */
  inodeOf(name: string | undefined): bigint;
  open(path: string, options: OpenOptions): OpenFile | OpenDirectory;
  statAt(path: string, links: LinkPolicy): FileStat;
  setTimesAt(path: string, links: LinkPolicy, times: NewTimes): void;
  readLink(path: string): string;
  createDirectory(path: string): void;
  removeDirectory(path: string): void;
  unlink(path: string): void;
  rename(from: string, to: Destination): void;
  /** Makes a hard link; a symbolic link at the end of either path is not followed. */
  link(from: string, to: Destination): void;
  symlink(target: string, path: string): void;
  close(): void;
}

/** A path in another directory, of the same kind or not. */
export interface Destination {
  readonly directory: OpenDirectory;
  readonly path: string;
}
