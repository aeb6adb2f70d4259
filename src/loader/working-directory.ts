// The directory that an application's files are copied to, gone when the process is.

import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

export interface WorkingDirectory extends AsyncDisposable {
  /** Absolute. */
  readonly path: string;
  /** Removes it without waiting, for handlers of signals and of exit; harmless if it is gone. */
  removeNow(): void;
}

/** Makes a new directory below that of the system for temporary files, or below `parent`. */
export function createWorkingDirectory(parent: string = os.tmpdir()): WorkingDirectory {
  const directory = mkdtempSync(path.join(realpathSync(parent), "spindle-"));
  const options = { recursive: true, force: true, maxRetries: 3 } as const;
  return {
    path: directory,
    removeNow: () => rmSync(directory, options),
    [Symbol.asyncDispose]: () => rm(directory, options),
  };
}
