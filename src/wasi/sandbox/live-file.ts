// A regular file of the host that a guest has opened.
//
// Reads and writes are synchronous and go through the page cache, 1 MiB at a time at most: the guest
// is told that fewer bytes were transferred, as any system may do, and asks again.

import {
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  readSync,
  writeSync,
} from "node:fs";
import { promisify } from "node:util";

import { failure } from "./errno.ts";
import type { FileStat, NewTimes, OpenFile, OpenOptions } from "./filesystem.ts";
import { closeHost, openHost } from "./host-descriptors.ts";
import { statOf } from "./live-stat.ts";
import { setTimesOfDescriptor } from "./set-times.ts";
import { requireStack } from "./stack-reserve.ts";

const TRANSFER_BYTES_MAX = 1024 * 1024;

const syncAll = promisify(fsync);
const syncData = promisify(fdatasync);

/** Flags of the host's open() for a file that is there. */
export function flagsFor(options: OpenOptions): number {
  return (
    ACCESS_FLAGS[options.access] |
    (options.truncate ? constants.O_TRUNC : 0) |
    (options.synchronous ? constants.O_SYNC : 0)
  );
}

const ACCESS_FLAGS = {
  read: constants.O_RDONLY,
  write: constants.O_WRONLY,
  "read-write": constants.O_RDWR,
} as const;

export class OpenLiveFile implements OpenFile {
  readonly kind = "file";
  readonly isCold = false;
  readonly isReadOnly: boolean;
  readonly isWritable: boolean;
  readonly #descriptor: number;
  readonly #synchronous: boolean;
  /** The same file opened to append, on the first append. */
  #appender: number | undefined;

  constructor(descriptor: number, isReadOnly: boolean, options: OpenOptions) {
    this.#descriptor = descriptor;
    this.isReadOnly = isReadOnly;
    this.isWritable = options.access !== "read";
    this.#synchronous = options.synchronous;
  }

  async warm(): Promise<void> {}

  stat(): FileStat {
    return statOf(fstatSync(this.#descriptor, { bigint: true }));
  }

  read(target: Uint8Array, position: number): number {
    const length = Math.min(target.length, TRANSFER_BYTES_MAX);
    return readSync(this.#descriptor, target, { position, length });
  }

  write(bytes: Uint8Array, position: number): number {
    const length = Math.min(bytes.length, TRANSFER_BYTES_MAX);
    return writeSync(this.#descriptor, bytes, 0, length, position);
  }

  append(bytes: Uint8Array): number {
    this.#appender ??= this.#openAppender();
    // Without a way to open the file once more, nobody else must write between these two.
    if (this.#appender === undefined) return this.write(bytes, Number(this.stat().size));
    return writeSync(this.#appender, bytes, 0, Math.min(bytes.length, TRANSFER_BYTES_MAX));
  }

  /** The system finds the end itself, which is right even if others append too. */
  #openAppender(): number | undefined {
    if (process.platform !== "linux") return undefined;
    const flags = constants.O_WRONLY | constants.O_APPEND | (this.#synchronous ? constants.O_SYNC : 0);
    requireStack();
    return openHost(`/proc/self/fd/${this.#descriptor}`, flags);
  }

  setSize(size: number): void {
    ftruncateSync(this.#descriptor, size);
  }

  setTimes(times: NewTimes): void {
    if (this.isReadOnly) throw failure("PERM");
    setTimesOfDescriptor(this.#descriptor, times);
  }

  sync(what: "data" | "all"): Promise<void> {
    return what === "data" ? syncData(this.#descriptor) : syncAll(this.#descriptor);
  }

  syncNow(what: "data" | "all"): void {
    if (what === "data") fdatasyncSync(this.#descriptor);
    else fsyncSync(this.#descriptor);
  }

  /** May be called again if it was cut short by the end of the stack. */
  close(): void {
    if (this.#appender !== undefined) closeHost(this.#appender);
    this.#appender = undefined;
    closeHost(this.#descriptor);
  }
}
