// Makes a directory, and those above it that are absent.

import { existsSync, mkdirSync, statSync } from "node:fs";
import path from "node:path";

/**
 * As `mkdir -p`. That of Node never returns where a directory cannot be made below one that is there and says
 * so with ENOENT, as Linux does below /proc: it takes the parent for absent, makes it, and begins again.
 *
 * Throws what the system says: ENOTDIR, EACCES, ENOENT and so on.
 */
export function makeDirectory(directory: string): void {
  if (isDirectory(directory)) return;
  const parent = path.dirname(directory);
  if (!existsSync(parent) && parent !== directory) makeDirectory(parent);
  try {
    mkdirSync(directory);
  } catch (error) {
    // Somebody else may have made it in between.
    if (!isDirectory(directory)) throw error;
  }
}

function isDirectory(name: string): boolean {
  return statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
