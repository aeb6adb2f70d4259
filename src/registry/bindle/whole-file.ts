// Writes files that are whole or not there.
//
// A file is written under a name of its own, and given its name once it is on the disk. So whatever has
// that name can be trusted, also after a power cut, and two writers of one file do not disturb each other.

import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { type FileHandle, open, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";

import { Batch } from "./batch.ts";

export interface WholeFileOptions {
  /** On the same file system as the target. Must exist. */
  readonly temporaryDirectory: string;
  readonly mode?: number;
}

/** Files whose names begin so were being written when a process ended. */
export const TEMPORARY_PREFIX = ".part-";

/** Temporary files of this process. */
const underWay = new Set<string>();

/** Makes the file `target` of what `write` puts into it, or replaces it. Its directory must exist. */
export async function writeWholeFile(
  target: string,
  options: WholeFileOptions,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const temporary = path.join(options.temporaryDirectory, `${TEMPORARY_PREFIX}${randomUUID()}`);
  underWay.add(temporary);
  try {
    await writeToDisk(temporary, write, options);
    await rename(temporary, target);
    await syncDirectory(path.dirname(target));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    underWay.delete(temporary);
  }
}

/** For a process that ends in the middle of its work. */
export function removeUnfinishedNow(): void {
  for (const temporary of underWay) rmSync(temporary, { force: true });
}

/** What was not written to for so long is nobody's any more. */
const ABANDONED_MS = 60 * 60_000;

/** Removes what is left in a directory for temporary files of processes that were killed. */
export async function removeAbandoned(temporaryDirectory: string): Promise<void> {
  for (const name of await readdir(temporaryDirectory)) {
    const entry = path.join(temporaryDirectory, name);
    const inside = await readdir(entry).catch(() => []);
    const times = await Promise.all(
      [entry, ...inside.map((file) => path.join(entry, file))].map(writtenAtMs),
    );
    if (Date.now() - Math.max(...times) > ABANDONED_MS) await rm(entry, { recursive: true, force: true });
  }
}

/** Whoever removes what is looked at, looks after it. */
function writtenAtMs(file: string): Promise<number> {
  return stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => Date.now(),
  );
}

/** Makes a file, and returns when it is on the disk. Its name may not be: see `syncDirectory()`. */
export async function writeToDisk(
  file: string,
  write: (file: FileHandle) => Promise<void>,
  { mode = 0o666 }: { readonly mode?: number } = {},
): Promise<void> {
  await using handle = await open(file, "wx", mode);
  await write(handle);
  await syncs.add(handle);
}

/** Puts the names in a directory on the disk. */
export function syncDirectory(directory: string): Promise<void> {
  return directorySyncs.add(directory);
}

// File systems with a journal write all of it for whoever asks first: asked for one file after another,
// they write it as often; asked for many at once, about once.
const syncs = new Batch<FileHandle>(async (handles) => {
  await Promise.all(handles.map((handle) => handle.sync()));
});

const directorySyncs = new Batch<string>(async (directories) => {
  // Windows has no such thing: names are on the disk when the file is.
  if (process.platform === "win32") return;
  await Promise.all(
    Array.from(new Set(directories), async (directory) => {
      await using handle = await open(directory, "r");
      await handle.sync();
    }),
  );
});
