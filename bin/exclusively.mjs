// Lets one process at a time do a piece of work, such as installing into a shared folder.
// Plain JavaScript for any Node from 18 on.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** How long to wait for another process: longer than any download that a user would sit through. */
const WAIT_MS_MAX = 15 * 60 * 1000;
const POLL_MS = 100;

/**
 * Runs `work` while this process holds the lock file, and returns what it returns. Waits for a process that
 * holds it; a lock whose holder has died is taken over. Errors of the file system (a read-only folder) are thrown.
 */
export function exclusively(lockFile, work) {
  mkdirSync(dirname(lockFile), { recursive: true });
  const giveUpAt = Date.now() + WAIT_MS_MAX;
  while (!acquire(lockFile)) {
    if (Date.now() > giveUpAt)
      throw new Error(`Another process holds ${lockFile}: delete it if none is running`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_MS);
  }
  try {
    return work();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

function acquire(lockFile) {
  if (create(lockFile)) return true;
  if (!isHeld(lockFile)) removeStale(lockFile);
  return false;
}

/** Removes the lock of a process that died; one process at a time, or the next would remove the lock of a new holder. */
function removeStale(lockFile) {
  const guard = `${lockFile}.stale`;
  if (!create(guard)) return;
  if (!isHeld(lockFile)) rmSync(lockFile, { force: true });
  rmSync(guard);
}

function create(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function isHeld(lockFile) {
  try {
    const holder = Number(readFileSync(lockFile, "utf8"));
    // A holder that has made its file and not yet written into it is alive.
    if (holder > 0) process.kill(holder, 0);
    return true;
  } catch (error) {
    // EPERM: alive, and another user's. ENOENT: just released, the next attempt will see.
    return error.code !== "ESRCH";
  }
}
