// Everything that takes a path: below the directory of a descriptor, never outside of it.
//
// Errors of all: `not-directory` for a descriptor of a file; `no-entry`, `not-directory`, `loop`,
// `name-too-long`; `not-permitted` for a path that leads out of the directory, and for changing anything
// in a read-only mount.

import { failure } from "../sandbox/errno.ts";
import type { OpenDirectory } from "../sandbox/filesystem.ts";
import type { Wasi } from "../wasi.ts";
import { Descriptor, type DescriptorFlags } from "./descriptor.ts";
import { metadataHash } from "./descriptor-functions.ts";
import {
  answer,
  linksOf,
  type NewTimestamp,
  newTimes,
  type OpenFlags,
  openOptions,
  type PathFlags,
  statValue,
} from "./filesystem-values.ts";
import type { GuestCaller, WasiFunction } from "./interfaces.ts";

export const pathFunctions = {
  /**
   * Opens a file or a directory.
   *
   * Errors: `exist`, `is-directory`; `loop` for a symbolic link that is not followed; `unsupported` for what
   * is neither a file nor a directory; `invalid` for flags that contradict each other;
   * `insufficient-memory` with too much open.
   */
  "[method]descriptor.open-at": (
    wasi,
    caller,
    self: Descriptor,
    pathFlags: PathFlags,
    path: string,
    openFlags: OpenFlags,
    flags: DescriptorFlags,
  ) =>
    answer(() => {
      const { directory } = self;
      const options = openOptions(linksOf(pathFlags), openFlags, flags);
      if (wasi.openFiles.isFull) throw failure("MFILE");
      const isChange = options.create !== "never" || options.truncate;
      if (isChange && !directory.isReadOnly) wasi.shift(caller);
      return new Descriptor(directory.open(path, options), flags, wasi.openFiles);
    }),

  "[method]descriptor.stat-at": (_wasi, _caller, self: Descriptor, flags: PathFlags, path: string) =>
    answer(() => statValue(self.directory.statAt(path, linksOf(flags)))),

  "[method]descriptor.metadata-hash-at": (_wasi, _caller, self: Descriptor, flags: PathFlags, path: string) =>
    answer(() => metadataHash(self.directory.statAt(path, linksOf(flags)))),

  /** Errors: `invalid` for anything but a symbolic link. */
  "[method]descriptor.readlink-at": (_wasi, _caller, self: Descriptor, path: string) =>
    answer(() => self.directory.readLink(path)),

  /** Errors: `invalid`, `overflow` for times that there are not. */
  "[method]descriptor.set-times-at": (
    wasi,
    caller,
    self: Descriptor,
    flags: PathFlags,
    path: string,
    accessed: NewTimestamp,
    modified: NewTimestamp,
  ) =>
    answer(() => {
      const times = newTimes(wasi, caller, { accessed, modified });
      changing(wasi, caller, self).setTimesAt(path, linksOf(flags), times);
    }),

  /** Errors: `exist`. */
  "[method]descriptor.create-directory-at": (wasi, caller, self: Descriptor, path: string) =>
    answer(() => changing(wasi, caller, self).createDirectory(path)),

  /** Errors: `not-empty`. */
  "[method]descriptor.remove-directory-at": (wasi, caller, self: Descriptor, path: string) =>
    answer(() => changing(wasi, caller, self).removeDirectory(path)),

  /** Errors: `is-directory`. */
  "[method]descriptor.unlink-file-at": (wasi, caller, self: Descriptor, path: string) =>
    answer(() => changing(wasi, caller, self).unlink(path)),

  /** Errors: `not-empty`, `is-directory` for what is there already, `cross-device` between mounts. */
  "[method]descriptor.rename-at": (
    wasi,
    caller,
    self: Descriptor,
    from: string,
    to: Descriptor,
    path: string,
  ) =>
    answer(() => {
      const target = { directory: to.directory, path };
      changing(wasi, caller, self).rename(from, target);
    }),

  /** Makes a hard link. Errors: `invalid` if asked to follow symbolic links, `exist`, `cross-device`. */
  "[method]descriptor.link-at": (
    wasi,
    caller,
    self: Descriptor,
    flags: PathFlags,
    from: string,
    to: Descriptor,
    path: string,
  ) =>
    answer(() => {
      if (flags.symlinkFollow) throw failure("INVAL");
      const target = { directory: to.directory, path };
      changing(wasi, caller, self).link(from, target);
    }),

  /** Errors: `exist`; `not-permitted` also for an absolute target, `invalid` for one with a NUL. */
  "[method]descriptor.symlink-at": (wasi, caller, self: Descriptor, target: string, path: string) =>
    answer(() => changing(wasi, caller, self).symlink(target, path)),
} satisfies Record<string, WasiFunction>;

/** The directory that is about to be changed. Returns in second gear only, unless it refuses every change. */
function changing(wasi: Wasi, caller: GuestCaller, { directory }: Descriptor): OpenDirectory {
  if (!directory.isReadOnly) wasi.shift(caller);
  return directory;
}
