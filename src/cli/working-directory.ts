// The directory that copies of files go to, which is gone when the process is, whatever ends it.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SpindleError } from "../errors/mod.ts";

/** Attempts at removing a directory into which a copy that was under way still writes. */
const REMOVE_RETRIES = 5;

/**
 * Makes the directory: `given`, which is the user's and stays, or a temporary one. That is removed when the
 * process exits by itself, by an error, or by a signal that is handled.
 */
export function makeWorkingDirectory(given: string | undefined): string {
  try {
    if (given !== undefined) {
      mkdirSync(given, { recursive: true });
      return given;
    }
    const made = mkdtempSync(join(tmpdir(), "spindle-up-"));
    process.once("exit", () => rmSync(made, { recursive: true, force: true, maxRetries: REMOVE_RETRIES }));
    return made;
  } catch (cause) {
    throw new SpindleError(
      "WORKING_DIRECTORY_UNUSABLE",
      `Cannot make the working directory "${given ?? tmpdir()}"`,
      {
        hint: "Choose a directory that can be written with `--temp`.",
        cause,
      },
    );
  }
}
