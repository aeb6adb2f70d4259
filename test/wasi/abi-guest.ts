// A guest that is a test: it calls functions of preview 1 one by one, with a memory of its own.
//
// The functions, the linker and the guest's memory are the real ones; only the engine, which would run
// a module between two calls, is left out. Gears are as in the engine: in first gear a shift throws.

import assert from "node:assert/strict";

import { type Caller, GuestMemory, type HostFunction, Linker } from "../../src/engine/mod.ts";
import type { MountSource } from "../../src/manifest/mod.ts";
import { type MountedDirectory, type MountOptions, mountDirectory } from "../../src/mounts/mod.ts";
import {
  addWasiP1ToLinker,
  systemClock,
  systemRandom,
  Wasi,
  type WasiCall,
  WasiTemplate,
} from "../../src/wasi/mod.ts";
import { Errno, type ErrnoName } from "../../src/wasi/sandbox/errno.ts";
import { CARD_SHIFT, CONTROL } from "../../src/wasm/mod.ts";
import { Printed } from "./run-command.ts";

const PAGES_DEFAULT = 4;
export const CARD_BYTES = 1 << CARD_SHIFT;

/** Thrown in first gear, as the engine throws a trap there. */
export class Shifted extends Error {}

/** Thrown by proc_exit. */
export class Exited extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

export interface AbiGuestOptions {
  readonly gear?: "first" | "second";
  readonly generation?: "wasi_snapshot_preview1" | "wasi_unstable";
  readonly mounts?: readonly MountedDirectory[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly call?: Partial<WasiCall>;
  readonly pages?: number;
}

const linker = new Linker<Wasi>();
addWasiP1ToLinker(linker, (wasi) => wasi);

const ERRNO_NAMES = new Map<number, ErrnoName>(
  // Object.entries() of an `as const` object gives its keys and values.
  (Object.entries(Errno) as [ErrnoName, number][]).map(([name, value]) => [value, name]),
);

export class AbiGuest implements Disposable {
  readonly stdout = new Printed("shown");
  readonly stderr = new Printed("shown");
  readonly memory: GuestMemory;
  readonly wasi: Wasi;
  readonly abort = new AbortController();
  gear: "first" | "second";
  readonly #marks: Uint8Array;
  readonly #generation: string;
  readonly #caller: Caller<Wasi>;
  #free = 1024;

  constructor(options: AbiGuestOptions = {}) {
    const { pages = PAGES_DEFAULT } = options;
    const memory = new WebAssembly.Memory({ initial: pages });
    const cards = new WebAssembly.Memory({ initial: 1 });
    new Uint32Array(cards.buffer)[CONTROL.PAGES / 4] = pages;
    this.#marks = new Uint8Array(cards.buffer, CONTROL.MARKS);
    this.memory = new GuestMemory(memory, cards);
    this.gear = options.gear ?? "second";
    this.#generation = options.generation ?? "wasi_snapshot_preview1";
    const template = WasiTemplate.create({
      environment: options.environment ?? {},
      mounts: options.mounts ?? [],
    });
    this.wasi = new Wasi(template, {
      stdout: this.stdout.sink,
      stderr: this.stderr.sink,
      clock: systemClock,
      random: systemRandom,
      ...options.call,
    });
    this.#caller = this.#newCaller();
  }

  #newCaller(): Caller<Wasi> {
    const guest = this;
    return {
      memory: guest.memory,
      data: guest.wasi,
      shift() {
        if (guest.gear === "first") throw new Shifted();
      },
      exit(code): never {
        throw new Exited(code);
      },
      get canSuspend() {
        return guest.gear === "second";
      },
      call() {
        throw new Error("This guest exports nothing");
      },
      function() {
        throw new Error("This guest exports nothing");
      },
      signal: guest.abort.signal,
    };
  }

  static names(): string[] {
    return linker.names("wasi_snapshot_preview1");
  }

  static parametersOf(name: string): readonly string[] {
    return linker.get("wasi_snapshot_preview1", name)?.type.params ?? [];
  }

  /** Calls a function that answers at once. */
  call(name: string, ...args: readonly (number | bigint)[]): ErrnoName {
    const errno = this.#run(name, args);
    assert.equal(typeof errno, "number", `${name} waits`);
    return nameOf(errno);
  }

  /** Calls a function that may wait. */
  async callLater(name: string, ...args: readonly (number | bigint)[]): Promise<ErrnoName> {
    return nameOf(await this.#run(name, args));
  }

  #run(name: string, args: readonly (number | bigint)[]): unknown {
    const linked = linker.get(this.#generation, name);
    assert.ok(linked, `there is no ${name}`);
    const coerced = linked.type.params.map((type, index) =>
      type === "i64" ? BigInt.asIntN(64, BigInt(args[index] ?? 0)) : Number(args[index] ?? 0) | 0,
    );
    // The lines above gave each parameter the form that the linker promises.
    return (linked.fn as HostFunction<Wasi>)(this.#caller, ...(coerced as never[]));
  }

  /** Memory that nothing else uses, aligned to 8 bytes. */
  allocate(length: number): number {
    const pointer = this.#free;
    this.#free = (pointer + length + 7) & ~7;
    assert.ok(this.#free <= this.memory.byteLength, "the guest's memory is used up");
    return pointer;
  }

  /** Puts text into memory; returns pointer and length, as functions take paths. */
  text(text: string): [pointer: number, length: number] {
    const bytes = Buffer.from(text);
    const pointer = this.allocate(bytes.length);
    this.memory.write(pointer, bytes);
    return [pointer, bytes.length];
  }

  /** A list of one buffer; returns pointer and count, as functions take lists. */
  iovec(pointer: number, length: number): [list: number, count: number] {
    const list = this.allocate(8);
    this.memory.writeU32(list, pointer);
    this.memory.writeU32(list + 4, length);
    return [list, 1];
  }

  open(path: string, options: OpenArguments = {}): { readonly errno: ErrnoName; readonly fd: number } {
    const result = this.allocate(4);
    const {
      fd = 3,
      follow = true,
      open = 0,
      rights = READ_RIGHTS,
      inheriting = ALL_RIGHTS,
      flags = 0,
    } = options;
    const [pointer, length] = this.text(path);
    const errno = this.call(
      "path_open",
      ...[fd, follow ? 1 : 0, pointer, length, open, rights, inheriting, flags, result],
    );
    return { errno, fd: errno === "SUCCESS" ? this.memory.readU32(result) : -1 };
  }

  /** Reads up to `length` bytes, at once. */
  read(fd: number, length = 4096): string {
    const [buffer, result] = [this.allocate(length), this.allocate(4)];
    const errno = this.call("fd_read", fd, ...this.iovec(buffer, length), result);
    return errno === "SUCCESS" ? this.memory.read(buffer, this.memory.readU32(result)).toString() : errno;
  }

  /** Writes text; returns how many bytes were written, or what went wrong. */
  write(fd: number, text: string): number | ErrnoName {
    const result = this.allocate(4);
    const errno = this.call("fd_write", fd, ...this.iovec(...this.text(text)), result);
    return errno === "SUCCESS" ? this.memory.readU32(result) : errno;
  }

  /** What a file holds, or what went wrong. */
  contents(path: string, options: OpenArguments = {}): string {
    const { errno, fd } = this.open(path, options);
    if (errno !== "SUCCESS") return errno;
    const text = this.read(fd);
    assert.equal(this.call("fd_close", fd), "SUCCESS");
    return text;
  }

  /** The same, and gives the memory back that it took: for calling it very often. */
  contentsOnce(path: string, options: OpenArguments = {}): string {
    const free = this.#free;
    try {
      return this.contents(path, options);
    } finally {
      this.#free = free;
    }
  }

  /** Calls a function that takes a descriptor and a path. */
  onPath(name: string, path: string, fd = 3): ErrnoName {
    return this.call(name, fd, ...this.text(path));
  }

  stat(path: string, links: "follow" | "stay" = "follow"): Stat | ErrnoName {
    const result = this.allocate(64);
    const errno = this.call("path_filestat_get", 3, links === "follow" ? 1 : 0, ...this.text(path), result);
    return errno === "SUCCESS" ? readStat(this.memory, result) : errno;
  }

  list(fd: number): Entry[] {
    const entries: Entry[] = [];
    const [buffer, result] = [this.allocate(512), this.allocate(4)];
    for (let cookie = 0n; ; ) {
      assert.equal(this.call("fd_readdir", fd, buffer, 512, cookie, result), "SUCCESS");
      const used = this.memory.readU32(result);
      const before = entries.length;
      for (const entry of entriesIn(this.memory.read(buffer, used))) {
        cookie = entry.next;
        entries.push(entry);
      }
      if (used < 512) return entries;
      assert.ok(entries.length > before, "a buffer holds at least one entry");
    }
  }

  /** Pages of 4 KiB that the host has marked as written to, which are forgotten. */
  takeMarks(): number[] {
    const pages = this.#marks.subarray(0, this.memory.byteLength / CARD_BYTES);
    const marked = [...pages].flatMap((mark, page) => (mark ? [page] : []));
    this.#marks.fill(0);
    return marked;
  }

  [Symbol.dispose](): void {
    this.wasi[Symbol.dispose]();
  }
}

export interface OpenArguments {
  readonly fd?: number;
  readonly follow?: boolean;
  /** `oflags`: 1 create, 2 directory, 4 exclusive, 8 truncate */
  readonly open?: number;
  readonly rights?: bigint;
  readonly inheriting?: bigint;
  /** `fdflags` */
  readonly flags?: number;
}

export const ALL_RIGHTS = (1n << 30n) - 1n;
/** All but FD_WRITE, which asks for a file that can be written. */
export const READ_RIGHTS = ALL_RIGHTS & ~(1n << 6n);
export const CREATE = 1;
export const DIRECTORY = 2;
export const EXCLUSIVE = 4;
export const TRUNCATE = 8;

export interface Stat {
  readonly device: bigint;
  readonly inode: bigint;
  readonly type: number;
  readonly links: bigint;
  readonly size: bigint;
  readonly accessedNs: bigint;
  readonly modifiedNs: bigint;
}

export function readStat(memory: GuestMemory, at: number): Stat {
  return {
    device: memory.readU64(at),
    inode: memory.readU64(at + 8),
    type: memory.readU8(at + 16),
    links: memory.readU64(at + 24),
    size: memory.readU64(at + 32),
    accessedNs: memory.readU64(at + 40),
    modifiedNs: memory.readU64(at + 48),
  };
}

export interface Entry {
  readonly next: bigint;
  readonly inode: bigint;
  readonly type: number;
  readonly name: string;
}

/** The entries that are complete. */
export function entriesIn(bytes: Buffer): Entry[] {
  const entries: Entry[] = [];
  for (let at = 0; at + 24 <= bytes.length; ) {
    const end = at + 24 + bytes.readUInt32LE(at + 16);
    if (end > bytes.length) break;
    entries.push({
      next: bytes.readBigUInt64LE(at),
      inode: bytes.readBigUInt64LE(at + 8),
      type: bytes.readUInt8(at + 20),
      name: bytes.subarray(at + 24, end).toString(),
    });
    at = end;
  }
  return entries;
}

/** Mounts a directory, unmounted when the stack is disposed. */
export async function mount(
  mounted: DisposableStack,
  hostPath: string,
  options: Partial<MountSource> & MountOptions = {},
): Promise<MountedDirectory> {
  const request = { guestPath: "/", kind: "live", access: "write", ...options, hostPath } as const;
  return mounted.use(await mountDirectory(request, options));
}

function nameOf(errno: unknown): ErrnoName {
  const name = ERRNO_NAMES.get(Number(errno));
  assert.ok(name, `${errno} is no errno`);
  return name;
}
