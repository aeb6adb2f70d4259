// Failures of the host's file system: no space, no permission.

import { SpindleError } from "../errors/mod.ts";

/** Whether a call of the system failed; its name is in `code`, such as "ENOSPC". */
export function isFileSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && "code" in error;
}

/** What failed, in the shortest form. */
export function failureOf(error: unknown): string {
  return isFileSystemError(error) ? (error.code ?? error.message) : String(error);
}

/** Writes to the working directory, which is the operator's to choose. */
export async function makeInWorkingDirectory(make: () => Promise<unknown>): Promise<void> {
  try {
    await make();
  } catch (cause) {
    if (!isFileSystemError(cause)) throw cause;
    throw new SpindleError("WORKING_DIRECTORY_UNUSABLE", "Cannot write to the working directory", {
      hint: "Choose a directory that can be written with `--temp`, or make room there.",
      cause,
    });
  }
}
