// Makes ready what a component sees as files below one guest path.

import { createHash } from "node:crypto";
import { closeSync, constants, existsSync, openSync, realpathSync, statSync } from "node:fs";
import { sep } from "node:path";

import { SpindleError } from "../errors/mod.ts";
import type { MountSource } from "../manifest/mod.ts";
import { ContentCache } from "./content-cache.ts";
import type { LiveMount, MountedDirectory, SnapshotMount } from "./mounted-directory.ts";
import { indexSnapshot, type SnapshotLimits } from "./snapshot.ts";

export interface MountOptions extends SnapshotLimits {
  /** Where contents are kept. By default one cache for the whole process (each thread has its own). */
  readonly contents?: ContentCache;
  /** Of a live mount. By default by descriptors where the system has them. */
  readonly traversal?: LiveMount["traversal"];
}

const sharedContents = new ContentCache();

/**
 * Mounts a directory of the host.
 *
 * @throws SpindleError MOUNT_SOURCE_MISSING if there is no such directory, MOUNT_TOO_LARGE if it is
 *   larger than an index in memory should be
 */
export async function mountDirectory(
  source: MountSource,
  options: MountOptions = {},
): Promise<MountedDirectory> {
  try {
    if (!statSync(source.hostPath).isDirectory()) throw missing(source, "it is not a directory");
    return source.kind === "snapshot" ? mountSnapshot(source, options) : mountLive(source, options);
  } catch (cause) {
    if (cause instanceof SpindleError) throw cause;
    throw missing(source, "it cannot be read", cause);
  }
}

function mountSnapshot(source: MountSource, options: MountOptions): SnapshotMount {
  return {
    kind: "snapshot",
    guestPath: source.guestPath,
    device: createHash("sha256").update(source.guestPath).digest().readBigUInt64LE(),
    root: indexSnapshot(source.hostPath, options),
    contents: options.contents ?? sharedContents,
    [Symbol.dispose]() {},
  };
}

/** `O_PATH` of Linux, which Node does not name: a place in the file system, for look-ups only. */
export const O_PATH = 0o10000000;

function mountLive(source: MountSource, options: MountOptions): LiveMount {
  const { guestPath, access } = source;
  const traversal = options.traversal ?? (existsSync("/proc/self/fd") ? "descriptors" : "paths");
  const common = { kind: "live", guestPath, access, traversal } as const;
  if (traversal === "paths") {
    const path = realpathSync.native(source.hostPath).replaceAll(sep, "/");
    return { ...common, path, [Symbol.dispose]() {} };
  }
  const descriptor = openSync(source.hostPath, O_PATH | constants.O_DIRECTORY);
  return {
    ...common,
    path: `/proc/self/fd/${descriptor}`,
    [Symbol.dispose]() {
      closeSync(descriptor);
    },
  };
}

function missing(source: MountSource, state: string, cause?: unknown): SpindleError {
  return new SpindleError(
    "MOUNT_SOURCE_MISSING",
    `Cannot mount "${source.hostPath}" at "${source.guestPath}": ${state}`,
    { cause, hint: "Check the `files` of the component." },
  );
}
