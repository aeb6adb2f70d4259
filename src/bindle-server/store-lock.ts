// Keeps a directory to one server: a second one would not see what the first one stores or yanks.
//
// The lock is a file with the id of the process. It is put in place whole, by a link, which fails if
// there is one. That of a process which is gone counts for nothing.

import { randomUUID } from "node:crypto";
import { readFileSync, realpathSync, rmSync } from "node:fs";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { SpindleError } from "../errors/mod.ts";
import { storeUnusable, systemCodeOf } from "../registry/mod.ts";

const LOCK_FILE = "server.pid";
/** Others may take and leave the lock while we look at it, though hardly so often. */
const ATTEMPTS = 5;
/** Locks of this process. After a restart in a container, another one may have had its id. */
const HELD = new Set<string>();

export class StoreLock implements Disposable {
  readonly #file: string;
  readonly #release = () => this[Symbol.dispose]();

  private constructor(file: string) {
    this.#file = file;
    HELD.add(file);
    process.once("exit", this.#release);
  }

  /**
   * Takes the lock of a directory, which must exist.
   *
   * @param temporaryDirectory on the same file system
   * @throws SpindleError BINDLE_STORE_BUSY, BINDLE_STORE_UNUSABLE
   */
  static async take(directory: string, temporaryDirectory: string): Promise<StoreLock> {
    const own = path.join(temporaryDirectory, randomUUID());
    try {
      const file = path.join(realpathSync(directory), LOCK_FILE);
      await writeFile(own, `${process.pid}\n`);
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        if (await linkIfAbsent(own, file)) return new StoreLock(file);
        const holder = await holderOf(file);
        if (isAlive(holder, file)) throw busy(directory, { file, holder });
        await removeStale(file, { holder, temporary: `${own}.stale` });
      }
      throw busy(directory, { file, holder: await holderOf(file) });
    } catch (error) {
      throw storeUnusable(directory, error, "--dir");
    } finally {
      await rm(own, { force: true });
    }
  }

  [Symbol.dispose](): void {
    if (!HELD.delete(this.#file)) return;
    process.off("exit", this.#release);
    try {
      // If somebody has removed it by hand, there may be another's.
      if (Number(readFileSync(this.#file, "utf8")) === process.pid) rmSync(this.#file);
    } catch {
      // Without us, it counts for nothing.
    }
  }
}

async function linkIfAbsent(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** The process that has the lock; NaN if it says nothing of the kind, or has gone. */
async function holderOf(file: string): Promise<number> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if (systemCodeOf(error) === "ENOENT") return "";
    throw error;
  });
  return /^\d{1,10}\n$/.test(text) ? Number(text) : Number.NaN;
}

function isAlive(pid: number, file: string): boolean {
  if (pid === process.pid) return HELD.has(file);
  // 0 and what is no number mean no process.
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user is one, too.
    return systemCodeOf(error) === "EPERM";
  }
}

/** Moves the lock away before it is removed: somebody else may have done so, and have taken it meanwhile. */
async function removeStale(
  file: string,
  { holder, temporary }: { readonly holder: number; readonly temporary: string },
): Promise<void> {
  try {
    await rename(file, temporary);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return;
    throw error;
  }
  if (!Object.is(await holderOf(temporary), holder)) await linkIfAbsent(temporary, file);
  await rm(temporary, { force: true });
}

function busy(
  directory: string,
  { file, holder }: { readonly file: string; readonly holder: number },
): SpindleError {
  return new SpindleError(
    "BINDLE_STORE_BUSY",
    `Cannot use ${directory} to store bindles: another server uses it, process ${holder}`,
    { hint: `Stop it, or choose another directory with \`--dir\`; if it is no server, remove ${file}.` },
  );
}
