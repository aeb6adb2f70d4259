// wasi:filesystem: what is mounted, and everything that can be done below it.

import type { OpenDirectory } from "../sandbox/filesystem.ts";
import { Descriptor, type DescriptorFlags } from "./descriptor.ts";
import {
  type DirectoryEntries,
  descriptorFunctions,
  waitingDescriptorFunctions,
} from "./descriptor-functions.ts";
import { Version, type VersionName, type WasiInterface, withdrawn } from "./interfaces.ts";
import { pathFunctions } from "./path-functions.ts";

export function filesystemInterfaces(version: VersionName): WasiInterface[] {
  return [
    typesInterface(version),
    {
      wit: `interface wasi:filesystem/preopens@${version} {
        use wasi:filesystem/types@${version}.{descriptor};
        get-directories: func() -> list<tuple<descriptor, string>>;
      }`,
      functions: {
        "get-directories": ({ template }) =>
          template.preopens.map(({ directory, guestPath }) => [
            new Descriptor(directory, directoryFlags(directory)),
            guestPath,
          ]),
      },
    },
  ];
}

function directoryFlags({ isReadOnly }: OpenDirectory): DescriptorFlags {
  return {
    read: true,
    write: false,
    fileIntegritySync: false,
    dataIntegritySync: false,
    requestedWriteSync: false,
    mutateDirectory: !isReadOnly,
  };
}

function typesInterface(version: VersionName): WasiInterface {
  const isOctober = version === Version.OCTOBER;
  return {
    wit: `interface wasi:filesystem/types@${version} {
      use wasi:io/streams@${version}.{input-stream, output-stream};
      use wasi:io/${isOctober ? "streams" : "error"}@${version}.{error};
      use wasi:clocks/wall-clock@${version}.{datetime};
      ${VALUE_TYPES}
      ${isOctober ? OCTOBER_TYPES : ""}
      resource descriptor {
        ${METHODS.replace("MODES", isOctober ? ", modes: modes" : "")}
        ${isOctober ? OCTOBER_METHODS : ""}
      }
      resource directory-entry-stream {
        read-directory-entry: func() -> result<option<directory-entry>, error-code>;
      }
      filesystem-error-code: func(err: borrow<error>) -> option<error-code>;
    }`,
    functions: {
      ...descriptorFunctions,
      ...pathFunctions,
      ...(isOctober && withdrawn(OCTOBER_WITHDRAWN)),
    },
    waiting: waitingDescriptorFunctions,
    resources: {
      descriptor: (descriptor: Descriptor) => descriptor.release(),
      "directory-entry-stream": (entries: DirectoryEntries) => entries.drop(),
    },
  };
}

const VALUE_TYPES = `
  type filesize = u64;
  enum descriptor-type {
    unknown, block-device, character-device, directory, fifo, symbolic-link, regular-file, socket,
  }
  flags descriptor-flags {
    read, write, file-integrity-sync, data-integrity-sync, requested-write-sync, mutate-directory,
  }
  flags path-flags { symlink-follow }
  flags open-flags { create, directory, exclusive, truncate }
  type link-count = u64;
  record descriptor-stat {
    %type: descriptor-type,
    link-count: link-count,
    size: filesize,
    data-access-timestamp: option<datetime>,
    data-modification-timestamp: option<datetime>,
    status-change-timestamp: option<datetime>,
  }
  variant new-timestamp { no-change, now, timestamp(datetime) }
  record directory-entry { %type: descriptor-type, name: string }
  enum error-code {
    access, would-block, already, bad-descriptor, busy, deadlock, quota, exist, file-too-large,
    illegal-byte-sequence, in-progress, interrupted, invalid, io, is-directory, loop, too-many-links,
    message-size, name-too-long, no-device, no-entry, no-lock, insufficient-memory, insufficient-space,
    not-directory, not-empty, not-recoverable, unsupported, no-tty, no-such-device, overflow,
    not-permitted, pipe, read-only, invalid-seek, text-file-busy, cross-device,
  }
  enum advice { normal, sequential, random, will-need, dont-need, no-reuse }
  record metadata-hash-value { lower: u64, upper: u64 }`;

const METHODS = `
  read-via-stream: func(offset: filesize) -> result<input-stream, error-code>;
  write-via-stream: func(offset: filesize) -> result<output-stream, error-code>;
  append-via-stream: func() -> result<output-stream, error-code>;
  advise: func(offset: filesize, length: filesize, advice: advice) -> result<_, error-code>;
  sync-data: func() -> result<_, error-code>;
  get-flags: func() -> result<descriptor-flags, error-code>;
  get-type: func() -> result<descriptor-type, error-code>;
  set-size: func(size: filesize) -> result<_, error-code>;
  set-times: func(data-access-timestamp: new-timestamp, data-modification-timestamp: new-timestamp)
    -> result<_, error-code>;
  read: func(length: filesize, offset: filesize) -> result<tuple<list<u8>, bool>, error-code>;
  write: func(buffer: list<u8>, offset: filesize) -> result<filesize, error-code>;
  read-directory: func() -> result<directory-entry-stream, error-code>;
  sync: func() -> result<_, error-code>;
  create-directory-at: func(path: string) -> result<_, error-code>;
  stat: func() -> result<descriptor-stat, error-code>;
  stat-at: func(path-flags: path-flags, path: string) -> result<descriptor-stat, error-code>;
  set-times-at: func(path-flags: path-flags, path: string, data-access-timestamp: new-timestamp,
    data-modification-timestamp: new-timestamp) -> result<_, error-code>;
  link-at: func(old-path-flags: path-flags, old-path: string, new-descriptor: borrow<descriptor>,
    new-path: string) -> result<_, error-code>;
  open-at: func(path-flags: path-flags, path: string, open-flags: open-flags, %flags: descriptor-flags
    MODES) -> result<descriptor, error-code>;
  readlink-at: func(path: string) -> result<string, error-code>;
  remove-directory-at: func(path: string) -> result<_, error-code>;
  rename-at: func(old-path: string, new-descriptor: borrow<descriptor>, new-path: string)
    -> result<_, error-code>;
  symlink-at: func(old-path: string, new-path: string) -> result<_, error-code>;
  unlink-file-at: func(path: string) -> result<_, error-code>;
  is-same-object: func(other: borrow<descriptor>) -> bool;
  metadata-hash: func() -> result<metadata-hash-value, error-code>;
  metadata-hash-at: func(path-flags: path-flags, path: string) -> result<metadata-hash-value, error-code>;`;

const OCTOBER_TYPES = `
  flags modes { readable, writable, executable }
  variant access-type { access(modes), exists }`;

const OCTOBER_METHODS = `
  access-at: func(path-flags: path-flags, path: string, %type: access-type) -> result<_, error-code>;
  change-file-permissions-at: func(path-flags: path-flags, path: string, modes: modes)
    -> result<_, error-code>;
  change-directory-permissions-at: func(path-flags: path-flags, path: string, modes: modes)
    -> result<_, error-code>;
  lock-shared: func() -> result<_, error-code>;
  lock-exclusive: func() -> result<_, error-code>;
  try-lock-shared: func() -> result<_, error-code>;
  try-lock-exclusive: func() -> result<_, error-code>;
  unlock: func() -> result<_, error-code>;`;

const OCTOBER_WITHDRAWN = [
  "[method]descriptor.access-at",
  "[method]descriptor.change-file-permissions-at",
  "[method]descriptor.change-directory-permissions-at",
  "[method]descriptor.lock-shared",
  "[method]descriptor.lock-exclusive",
  "[method]descriptor.try-lock-shared",
  "[method]descriptor.try-lock-exclusive",
  "[method]descriptor.unlock",
];
