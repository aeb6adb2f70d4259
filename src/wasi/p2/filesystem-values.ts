// The values of wasi:filesystem: error codes, what a file is, times, and how it is to be opened.

import { type ErrnoName, Failure, failure, failureOfSystemError } from "../sandbox/errno.ts";
import type { FileKind, FileStat, LinkPolicy, NewTimes, OpenOptions } from "../sandbox/filesystem.ts";
import { nearestSettable } from "../sandbox/set-times.ts";
import type { Wasi } from "../wasi.ts";
import { type DateTime, dateTimeOf, nsOf } from "./clocks.ts";
import type { DescriptorFlags } from "./descriptor.ts";
import { err, type GuestCaller, ok, type Result } from "./interfaces.ts";

/** `error-code` by errno; all others are `io`. There is none for a limit: `insufficient-memory` is nearest. */
const ERROR_CODES: Readonly<Partial<Record<ErrnoName, string>>> = {
  ACCES: "access",
  AGAIN: "would-block",
  ALREADY: "already",
  BADF: "bad-descriptor",
  BUSY: "busy",
  DEADLK: "deadlock",
  DQUOT: "quota",
  EXIST: "exist",
  FBIG: "file-too-large",
  ILSEQ: "illegal-byte-sequence",
  INPROGRESS: "in-progress",
  INTR: "interrupted",
  INVAL: "invalid",
  ISDIR: "is-directory",
  LOOP: "loop",
  MFILE: "insufficient-memory",
  MLINK: "too-many-links",
  MSGSIZE: "message-size",
  NAMETOOLONG: "name-too-long",
  NFILE: "insufficient-memory",
  NODEV: "no-device",
  NOENT: "no-entry",
  NOLCK: "no-lock",
  NOMEM: "insufficient-memory",
  NOSPC: "insufficient-space",
  NOSYS: "unsupported",
  NOTCAPABLE: "not-permitted",
  NOTDIR: "not-directory",
  NOTEMPTY: "not-empty",
  NOTRECOVERABLE: "not-recoverable",
  NOTSUP: "unsupported",
  NOTTY: "no-tty",
  NXIO: "no-such-device",
  OVERFLOW: "overflow",
  PERM: "not-permitted",
  PIPE: "pipe",
  ROFS: "read-only",
  SPIPE: "invalid-seek",
  TXTBSY: "text-file-busy",
  XDEV: "cross-device",
};

export function errorCodeOf({ name }: Failure): string {
  return ERROR_CODES[name] ?? "io";
}

type Answer<T> = Result<T, string>;

/** Runs a function and returns what it returns, or the error code of what it throws. */
export function answer<T>(run: () => T): Answer<T> {
  try {
    return ok(run());
  } catch (thrown) {
    return refused(thrown);
  }
}

/** The same for one that may wait. */
export function answerLater<T>(run: () => T | Promise<T>): Answer<T> | Promise<Answer<T>> {
  try {
    const value = run();
    return value instanceof Promise ? value.then((late) => ok(late), refused) : ok(value);
  } catch (thrown) {
    return refused(thrown);
  }
}

function refused(thrown: unknown): Answer<never> {
  const failed = thrown instanceof Failure ? thrown : failureOfSystemError(thrown);
  if (!failed) throw thrown;
  return err(errorCodeOf(failed));
}

const DESCRIPTOR_TYPES: Readonly<Record<FileKind, string>> = {
  directory: "directory",
  file: "regular-file",
  link: "symbolic-link",
  block: "block-device",
  character: "character-device",
  fifo: "fifo",
  socket: "socket",
};

export function descriptorTypeOf(kind: FileKind): string {
  return DESCRIPTOR_TYPES[kind];
}

/** `descriptor-stat`; times before 1970 cannot be said, and are left out. */
export function statValue(stat: FileStat) {
  return {
    type: descriptorTypeOf(stat.kind),
    linkCount: stat.links,
    size: stat.size,
    dataAccessTimestamp: timestampOf(stat.accessedNs),
    dataModificationTimestamp: timestampOf(stat.modifiedNs),
    statusChangeTimestamp: timestampOf(stat.changedNs),
  };
}

function timestampOf(ns: bigint): DateTime | undefined {
  return ns < 0n ? undefined : dateTimeOf(ns);
}

/** `new-timestamp` */
export type NewTimestamp =
  | { readonly tag: "no-change" }
  | { readonly tag: "now" }
  | { readonly tag: "timestamp"; readonly val: DateTime };

/** Fails with INVAL for more nanoseconds than a second has, OVERFLOW for times past the year 2500. */
export function newTimes(
  wasi: Wasi,
  caller: GuestCaller,
  asked: { readonly accessed: NewTimestamp; readonly modified: NewTimestamp },
): NewTimes {
  const wantsNow = asked.accessed.tag === "now" || asked.modified.tag === "now";
  const nowNs = wantsNow ? nearestSettable(wasi.realtimeNs(caller)) : 0n;
  const accessedNs = newTime(asked.accessed, nowNs);
  const modifiedNs = newTime(asked.modified, nowNs);
  return {
    ...(accessedNs !== undefined && { accessedNs }),
    ...(modifiedNs !== undefined && { modifiedNs }),
  };
}

/** What systems can set: nanoseconds in 64 bits. */
const TIME_NS_MAX = 2n ** 64n - 1n;

function newTime(time: NewTimestamp, nowNs: bigint): bigint | undefined {
  switch (time.tag) {
    case "no-change":
      return undefined;
    case "now":
      return nowNs;
    case "timestamp": {
      const ns = nsOf(time.val);
      if (ns === undefined) throw failure("INVAL");
      if (ns > TIME_NS_MAX) throw failure("OVERFLOW");
      return ns;
    }
  }
}

/** `path-flags` */
export interface PathFlags {
  readonly symlinkFollow: boolean;
}

export function linksOf(flags: PathFlags): LinkPolicy {
  return flags.symlinkFollow ? "follow" : "stay";
}

/** `open-flags` */
export interface OpenFlags {
  readonly create: boolean;
  readonly directory: boolean;
  readonly exclusive: boolean;
  readonly truncate: boolean;
}

/** Fails with INVAL for a directory that is to be created or truncated. */
export function openOptions(links: LinkPolicy, open: OpenFlags, flags: DescriptorFlags): OpenOptions {
  if (open.directory && (open.create || open.exclusive || open.truncate)) throw failure("INVAL");
  return {
    links,
    access: flags.write ? (flags.read ? "read-write" : "write") : "read",
    create: open.create ? (open.exclusive ? "always-new" : "if-missing") : "never",
    truncate: open.truncate,
    directoryOnly: open.directory,
    synchronous: flags.fileIntegritySync || flags.dataIntegritySync || flags.requestedWriteSync,
  };
}
