// Writes files that are whole or not there.
//
// A file is written under a name of its own, and given its name once it is on the disk. So whatever has
// that name can be trusted, also after a power cut, and two writers of one file do not disturb each other.

import { randomUUID } from "node:crypto";
import { type FileHandle, link, open, rename, rm } from "node:fs/promises";
import path from "node:path";

export interface WholeFileOptions {
  /** On the same file system as the target. Must exist. */
  readonly temporaryDirectory: string;
  /** What happens to a file that is there already; "keep" throws EEXIST. */
  readonly existing: "replace" | "keep";
  readonly mode?: number;
}

/** Files whose names begin so were being written when a process ended. */
export const TEMPORARY_PREFIX = ".part-";

/** Makes the file `target` of what `write` puts into it. The directory of the target must exist. */
export async function writeWholeFile(
  target: string,
  options: WholeFileOptions,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const temporary = path.join(options.temporaryDirectory, `${TEMPORARY_PREFIX}${randomUUID()}`);
  try {
    {
      await using file = await open(temporary, "wx", options.mode ?? 0o666);
      await write(file);
      await file.sync();
    }
    if (options.existing === "replace") await rename(temporary, target);
    else await link(temporary, target);
    await syncDirectory(path.dirname(target));
  } finally {
    await rm(temporary, { force: true });
  }
}

/** A directory that is being synced now, and a later turn that those who come meanwhile wait for. */
interface Syncing {
  readonly running: Promise<void>;
  next?: Promise<void>;
}

const syncing = new Map<string, Syncing>();

/** Puts the names in a directory on the disk. One sync serves all who ask for it before it begins. */
export function syncDirectory(directory: string): Promise<void> {
  const current = syncing.get(directory);
  if (current) {
    current.next ??= current.running.then(() => syncDirectory(directory));
    return current.next;
  }
  const running = syncNow(directory).finally(() => syncing.delete(directory));
  syncing.set(directory, { running });
  return running;
}

async function syncNow(directory: string): Promise<void> {
  // Windows has no such thing: names are on the disk when the file is.
  if (process.platform === "win32") return;
  await using handle = await open(directory, "r");
  await handle.sync();
}
