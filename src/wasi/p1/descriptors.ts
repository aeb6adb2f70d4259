// The file descriptors of one call: small numbers to open things, with rights and flags.

import { failure } from "../sandbox/errno.ts";
import type { DirectoryEntry, OpenDirectory, OpenFile } from "../sandbox/filesystem.ts";
import type { StdoutSink } from "../sandbox/sources.ts";
import { Rights } from "./rights.ts";

/** Sizes and positions end here: far above all file systems, and a number still holds the sum of two. */
export const POSITION_MAX = 2 ** 52;

export type Descriptor = InputDescriptor | OutputDescriptor | FileDescriptor | DirectoryDescriptor;

interface DescriptorState {
  rights: number;
  inheriting: number;
  /** `fdflags` as the guest set them. */
  flags: number;
}

export interface InputDescriptor extends DescriptorState {
  readonly kind: "input";
  readonly bytes: Uint8Array;
  position: number;
}

export interface OutputDescriptor extends DescriptorState {
  readonly kind: "output";
  readonly sink: StdoutSink;
}

export interface FileDescriptor extends DescriptorState {
  readonly kind: "file";
  readonly file: OpenFile;
  position: number;
}

export interface DirectoryDescriptor extends DescriptorState {
  readonly kind: "directory";
  readonly directory: OpenDirectory;
  /** Its path in the guest, as UTF-8, if it was open before the guest began. */
  readonly preopen: Uint8Array | undefined;
  /** What fd_readdir goes through, taken when it begins, so that cookies stay good. */
  listing: readonly DirectoryEntry[] | undefined;
}

export class DescriptorTable implements Disposable {
  readonly #slots: (Descriptor | undefined)[];
  readonly #descriptorsMax: number;

  constructor(initial: Descriptor[], limits: { readonly openFilesMax: number }) {
    this.#slots = initial;
    this.#descriptorsMax = initial.length + limits.openFilesMax;
  }

  find(fd: number): Descriptor | undefined {
    return this.#slots[fd];
  }

  /** Fails with BADF for a number that is not open, as everything below does. */
  get(fd: number): Descriptor {
    const descriptor = this.#slots[fd];
    if (!descriptor) throw failure("BADF");
    return descriptor;
  }

  /** Fails with NOTCAPABLE without the rights. */
  withRights(fd: number, rights: number): Descriptor {
    const descriptor = this.get(fd);
    if ((descriptor.rights & rights) !== rights) throw failure("NOTCAPABLE");
    return descriptor;
  }

  /** Fails with ISDIR for a directory, BADF for what was not opened for reading. */
  readable(fd: number): FileDescriptor | InputDescriptor {
    const descriptor = this.get(fd);
    if (descriptor.kind === "directory") throw failure("ISDIR");
    if (descriptor.kind === "output" || (descriptor.rights & Rights.FD_READ) === 0) throw failure("BADF");
    return descriptor;
  }

  /** Fails with ISDIR for a directory, BADF for what was not opened for writing. */
  writable(fd: number): FileDescriptor | OutputDescriptor {
    const descriptor = this.get(fd);
    if (descriptor.kind === "directory") throw failure("ISDIR");
    if (descriptor.kind === "input" || (descriptor.rights & Rights.FD_WRITE) === 0) throw failure("BADF");
    return descriptor;
  }

  /** Fails with ISDIR for a directory, NOTCAPABLE without the rights, SPIPE for a stream. */
  file(fd: number, rights: number): FileDescriptor {
    const descriptor = this.get(fd);
    if (descriptor.kind === "directory") throw failure("ISDIR");
    if (descriptor.kind !== "file") throw failure("SPIPE");
    if ((descriptor.rights & rights) !== rights) throw failure("NOTCAPABLE");
    return descriptor;
  }

  /** Fails with NOTDIR for anything but a directory, NOTCAPABLE without the rights. */
  directory(fd: number, rights: number): DirectoryDescriptor {
    const descriptor = this.get(fd);
    if (descriptor.kind !== "directory") throw failure("NOTDIR");
    if ((descriptor.rights & rights) !== rights) throw failure("NOTCAPABLE");
    return descriptor;
  }

  /** Whether open() will find a number. */
  requireRoom(): void {
    this.#lowestFree();
  }

  /** Returns the lowest number that is free; fails with MFILE if there is none. */
  open(descriptor: Descriptor): number {
    const fd = this.#lowestFree();
    this.#slots[fd] = descriptor;
    return fd;
  }

  close(fd: number): void {
    closeDescriptor(this.get(fd));
    this.#slots[fd] = undefined;
  }

  /** Moves a descriptor to a number that is open, which is closed first. */
  renumber(from: number, to: number): void {
    const descriptor = this.get(from);
    const replaced = this.get(to);
    if (from === to) return;
    this.#slots[to] = descriptor;
    this.#slots[from] = undefined;
    closeDescriptor(replaced);
  }

  [Symbol.dispose](): void {
    for (const descriptor of this.#slots) if (descriptor) closeDescriptor(descriptor);
    this.#slots.length = 0;
  }

  #lowestFree(): number {
    const free = this.#slots.indexOf(undefined);
    if (free !== -1) return free;
    if (this.#slots.length >= this.#descriptorsMax) throw failure("MFILE");
    return this.#slots.length;
  }
}

function closeDescriptor(descriptor: Descriptor): void {
  if (descriptor.kind === "file") descriptor.file.close();
  else if (descriptor.kind === "directory") descriptor.directory.close();
}

/** What a descriptor stands for in the file system, if anything. */
export function openedBy(descriptor: Descriptor): OpenFile | OpenDirectory | undefined {
  switch (descriptor.kind) {
    case "file":
      return descriptor.file;
    case "directory":
      return descriptor.directory;
    case "input":
    case "output":
      return undefined;
  }
}
