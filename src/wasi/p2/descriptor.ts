// The resource `descriptor`: a file or directory that is held by its handle and by the streams made of it.

import { failure } from "../sandbox/errno.ts";
import type { OpenDirectory, OpenFile } from "../sandbox/filesystem.ts";
import type { OpenThings } from "../sandbox/open-things.ts";

/** `descriptor-flags` */
export interface DescriptorFlags {
  readonly read: boolean;
  readonly write: boolean;
  readonly fileIntegritySync: boolean;
  readonly dataIntegritySync: boolean;
  readonly requestedWriteSync: boolean;
  readonly mutateDirectory: boolean;
}

/** Sizes and positions end here: far above all file systems, and a number still holds the sum of two. */
export const POSITION_MAX = 2 ** 52;

export class Descriptor implements Disposable {
  readonly opened: OpenFile | OpenDirectory;
  readonly flags: DescriptorFlags;
  readonly #holder: OpenThings | undefined;
  #users = 1;

  /** @param holder closes it when the call is over; absent for what belongs to all calls */
  constructor(opened: OpenFile | OpenDirectory, flags: DescriptorFlags, holder?: OpenThings) {
    this.opened = opened;
    this.flags = flags;
    this.#holder = holder;
    holder?.add(this);
  }

  /** Fails with BADF for a directory. */
  get file(): OpenFile {
    if (this.opened.kind !== "file") throw failure("BADF");
    return this.opened;
  }

  /** Fails with BADF for what was opened for writing only. */
  get readableFile(): OpenFile {
    if (this.flags.write && !this.flags.read) throw failure("BADF");
    return this.file;
  }

  /** Fails with BADF for what was not opened for writing. */
  get writableFile(): OpenFile {
    if (!this.file.isWritable) throw failure("BADF");
    return this.file;
  }

  /** Fails with NOTDIR for a file. */
  get directory(): OpenDirectory {
    if (this.opened.kind !== "directory") throw failure("NOTDIR");
    return this.opened;
  }

  /** To be released once more. */
  retain(): this {
    this.#users++;
    return this;
  }

  release(): void {
    this.#users--;
    if (this.#users > 0) return;
    this.#holder?.delete(this);
    this[Symbol.dispose]();
  }

  /** Closes it, whoever may still use it. */
  [Symbol.dispose](): void {
    this.opened.close();
  }
}

/** Fails with INVAL for an offset that a number cannot hold. */
export function positionOf(offset: bigint): number {
  if (offset > POSITION_MAX) throw failure("INVAL");
  return Number(offset);
}
