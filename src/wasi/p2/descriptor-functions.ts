// What can be done with a file or a directory that is open.
//
// Those that change something shift before, but for what a read-only mount refuses anyway.

import { hash } from "node:crypto";

import { Failure, failure } from "../sandbox/errno.ts";
import type { DirectoryEntry, FileStat, OpenDirectory, OpenFile } from "../sandbox/filesystem.ts";
import type { OpenThings } from "../sandbox/open-things.ts";
import type { IoError } from "../sandbox/streams.ts";
import type { Wasi } from "../wasi.ts";
import { type Descriptor, POSITION_MAX, positionOf } from "./descriptor.ts";
import { FileInput, FileOutput } from "./file-streams.ts";
import {
  answer,
  answerLater,
  descriptorTypeOf,
  errorCodeOf,
  type NewTimestamp,
  newTimes,
  statValue,
} from "./filesystem-values.ts";
import type { GuestCaller, WasiFunction } from "./interfaces.ts";
import { READ_BYTES_MAX } from "./streams.ts";

/** Of a listing; so many weigh as much as an open file. */
const ENTRIES_PER_WEIGHT = 1000;

/** The resource `directory-entry-stream`: what is left of a listing, which is in memory. */
export class DirectoryEntries implements Disposable {
  readonly #holder: OpenThings;
  #entries: readonly DirectoryEntry[];
  #next = 0;

  /** Fails with MFILE if too much is held. */
  constructor(holder: OpenThings, directory: OpenDirectory) {
    if (holder.isFull) throw failure("MFILE");
    this.#entries = directory.list();
    const weight = 1 + Math.floor(this.#entries.length / ENTRIES_PER_WEIGHT);
    if (!holder.hasRoomFor(weight)) throw failure("MFILE");
    this.#holder = holder;
    holder.add(this, weight);
  }

  next(): DirectoryEntry | undefined {
    return this.#entries[this.#next++];
  }

  drop(): void {
    this.#holder.delete(this);
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#entries = [];
  }
}

export const descriptorFunctions = {
  /** Errors: `is-directory`, `bad-descriptor` for what was opened for writing only, `invalid` past 2^52. */
  "[method]descriptor.read-via-stream": (_wasi, _caller, self: Descriptor, offset: bigint) =>
    answer(() => {
      if (self.opened.kind === "directory") throw failure("ISDIR");
      return new FileInput(self, self.readableFile, positionOf(offset));
    }),

  /** Errors: `bad-descriptor` for what was not opened for writing, `invalid` past 2^52. */
  "[method]descriptor.write-via-stream": (wasi, _caller, self: Descriptor, offset: bigint) =>
    answer(() => new FileOutput(wasi, self, { file: self.writableFile, position: positionOf(offset) })),

  /** Errors: `bad-descriptor` for what was not opened for writing. */
  "[method]descriptor.append-via-stream": (wasi, _caller, self: Descriptor) =>
    answer(() => new FileOutput(wasi, self, { file: self.writableFile, position: "end" })),

  /** The advice is not taken. Errors: `bad-descriptor` for a directory. */
  "[method]descriptor.advise": (_wasi, _caller, self: Descriptor) => answer(() => void self.file),

  "[method]descriptor.get-flags": (_wasi, _caller, self: Descriptor) => answer(() => self.flags),

  "[method]descriptor.get-type": (_wasi, _caller, self: Descriptor) =>
    answer(() => descriptorTypeOf(self.opened.kind === "file" ? "file" : "directory")),

  "[method]descriptor.stat": (_wasi, _caller, self: Descriptor) =>
    answer(() => statValue(self.opened.stat())),

  /** Errors: `bad-descriptor` for what was not opened for writing, `file-too-large` past 2^52. */
  "[method]descriptor.set-size": (wasi, caller, self: Descriptor, size: bigint) =>
    answer(() => {
      const file = self.writableFile;
      if (size > POSITION_MAX) throw failure("FBIG");
      wasi.shift(caller);
      file.setSize(Number(size));
    }),

  /** Errors: `invalid`, `overflow` for times that there are not, `not-permitted` in a read-only mount. */
  "[method]descriptor.set-times": (
    wasi,
    caller,
    { opened }: Descriptor,
    accessed: NewTimestamp,
    modified: NewTimestamp,
  ) =>
    answer(() => {
      const times = newTimes(wasi, caller, { accessed, modified });
      if (!opened.isReadOnly) wasi.shift(caller);
      opened.setTimes(times);
    }),

  /** Returns how many bytes were written. Errors: `bad-descriptor`; what the file system says. */
  "[method]descriptor.write": (wasi, caller, self: Descriptor, bytes: Uint8Array, offset: bigint) =>
    answer(() => {
      const file = self.writableFile;
      const position = positionOf(offset);
      wasi.shift(caller);
      return BigInt(file.write(bytes, position));
    }),

  /** Errors: `not-directory`; `overflow` for more entries than are listed, `insufficient-memory`. */
  "[method]descriptor.read-directory": (wasi, _caller, self: Descriptor) =>
    answer(() => new DirectoryEntries(wasi.openFiles, self.directory)),

  "[method]directory-entry-stream.read-directory-entry": (_wasi, _caller, self: DirectoryEntries) =>
    answer(() => {
      const entry = self.next();
      return entry && { type: descriptorTypeOf(entry.kind), name: entry.name };
    }),

  /** False also where it cannot be found out. */
  "[method]descriptor.is-same-object"(_wasi, _caller, self: Descriptor, other: Descriptor) {
    const [a, b] = [answer(() => self.opened.stat()), answer(() => other.opened.stat())];
    return a.tag === "ok" && b.tag === "ok" && a.val.device === b.val.device && a.val.inode === b.val.inode;
  },

  "[method]descriptor.metadata-hash": (_wasi, _caller, self: Descriptor) =>
    answer(() => metadataHash(self.opened.stat())),

  /** Of an error that the stream of a file has given; none for others. */
  "filesystem-error-code": (_wasi, _caller, { detail }: IoError) =>
    detail instanceof Failure ? errorCodeOf(detail) : undefined,
} satisfies Record<string, WasiFunction>;

export const waitingDescriptorFunctions = {
  /**
   * Returns bytes, and whether there are none because the file ends. The first reading of a large file of
   * a snapshot waits for the disk.
   *
   * Errors: `bad-descriptor` for a directory, and for what was opened for writing only.
   */
  "[method]descriptor.read": (wasi, caller, self: Descriptor, length: bigint, offset: bigint) =>
    answerLater(() => {
      const file = self.readableFile;
      const range = { length: Number(length), position: positionOf(offset) };
      if (!file.isCold) return readNow(file, range);
      wasi.shift(caller);
      return caller.canSuspend ? readWarmed(caller, file, range) : readNow(file, range);
    }),

  "[method]descriptor.sync": (wasi, caller, self: Descriptor) =>
    answerLater(() => synchronise(wasi, caller, self, "all")),

  "[method]descriptor.sync-data": (wasi, caller, self: Descriptor) =>
    answerLater(() => synchronise(wasi, caller, self, "data")),
} satisfies Record<string, WasiFunction>;

interface Range {
  readonly length: number;
  readonly position: number;
}

function readNow(file: OpenFile, { length, position }: Range): [bytes: Uint8Array, isEnd: boolean] {
  const buffer = Buffer.allocUnsafe(Math.min(length, READ_BYTES_MAX));
  const done = file.read(buffer, position);
  return [buffer.subarray(0, done), done === 0];
}

async function readWarmed(caller: GuestCaller, file: OpenFile, range: Range): Promise<[Uint8Array, boolean]> {
  const { signal } = caller;
  await file.warm();
  signal.throwIfAborted();
  return readNow(file, range);
}

function synchronise(
  wasi: Wasi,
  caller: GuestCaller,
  { opened }: Descriptor,
  what: "data" | "all",
): undefined | Promise<undefined> {
  if (opened.isReadOnly) return undefined;
  wasi.shift(caller);
  if (caller.canSuspend) return opened.sync(what).then(() => undefined);
  opened.syncNow(what);
  return undefined;
}

/** Says which object it is, not what is in it: libraries of guests take the half of it for an inode number. */
export function metadataHash({ device, inode }: FileStat): {
  readonly lower: bigint;
  readonly upper: bigint;
} {
  const digest = hash("sha256", `${device}:${inode}`, "buffer");
  return { lower: digest.readBigUInt64LE(0), upper: digest.readBigUInt64LE(8) };
}
