// Contents of snapshot files, read on first use and kept within a limit.
//
// Equal contents are kept once, whichever file, component or application they belong to: the key is
// the digest, which a file has from its first reading on. What was used last is dropped last.
// Buffers that are given out are shared: they are read, never written, and not kept.

import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";

import type { SnapshotFile } from "./snapshot-tree.ts";

/** Default for all caches together: some thousand pages of a web site with their pictures. */
const CACHE_BYTES_MAX = 64 * 1024 * 1024;

/** A file that would take more than this share of the cache is never kept in it. */
const FILE_SHARE_MAX = 1 / 4;

/** The file on disk is not the one that the snapshot was taken of. */
export class SnapshotChangedError extends Error {
  override readonly name = "SnapshotChangedError";
  constructor(file: SnapshotFile) {
    super(`${file.hostPath} has changed since it was mounted`);
  }
}

export class ContentCache {
  readonly #bytesMax: number;
  #bytes = 0;
  /** Least recently used first. */
  readonly #byDigest = new Map<string, Buffer>();
  /** Known from the first reading on. A snapshot does not change, so neither does this. */
  readonly #digests = new WeakMap<SnapshotFile, string>();
  readonly #loading = new WeakMap<SnapshotFile, Promise<Buffer>>();

  constructor(bytesMax: number = CACHE_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** Whether a file may be kept whole; otherwise it is read piece by piece. */
  admits(file: SnapshotFile): boolean {
    return file.size <= this.#bytesMax * FILE_SHARE_MAX;
  }

  /** The contents, if they are in memory. */
  get(file: SnapshotFile): Buffer | undefined {
    const digest = this.#digests.get(file);
    const bytes = digest === undefined ? undefined : this.#byDigest.get(digest);
    if (digest === undefined || bytes === undefined) return undefined;
    this.#byDigest.delete(digest);
    this.#byDigest.set(digest, bytes);
    return bytes;
  }

  /** Reads the file at once. For small files: the thread waits for the disk. */
  load(file: SnapshotFile): Buffer {
    const present = this.get(file);
    if (present) return present;
    const bytes = readFileSync(file.hostPath);
    return this.#keep(file, bytes, hash("sha256", bytes, "base64"));
  }

  /** Reads the file without holding up the thread; calls for a file that is being read share one reading. */
  loadLater(file: SnapshotFile): Promise<Buffer> {
    const loading = this.#loading.get(file);
    if (loading) return loading;
    const started = this.#readLater(file).finally(() => this.#loading.delete(file));
    this.#loading.set(file, started);
    return started;
  }

  async #readLater(file: SnapshotFile): Promise<Buffer> {
    const bytes = await readFile(file.hostPath);
    const digest = await crypto.subtle.digest("SHA-256", bytes);
    return this.#keep(file, bytes, Buffer.from(digest).toString("base64"));
  }

  #keep(file: SnapshotFile, bytes: Buffer, digest: string): Buffer {
    if (bytes.length !== file.size) throw new SnapshotChangedError(file);
    this.#digests.set(file, digest);
    const present = this.get(file);
    if (present) return present;
    this.#byDigest.set(digest, bytes);
    this.#bytes += bytes.length;
    this.#dropOldest();
    return bytes;
  }

  #dropOldest(): void {
    for (const [digest, bytes] of this.#byDigest) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#byDigest.delete(digest);
      this.#bytes -= bytes.length;
    }
  }
}
