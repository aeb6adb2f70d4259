// Files that are read as a whole, large ones above all: once, whoever asks for them.

import { hash } from "node:crypto";
import { open } from "node:fs/promises";

export interface WholeFile {
  readonly bytes: Buffer;
  /** SHA-256 of the bytes, 64 hexadecimal digits. */
  readonly digest: string;
}

export class WholeFiles {
  readonly #files = new Map<string, Promise<WholeFile>>();

  /** What the file has in it, or had when it was first read. */
  read(path: string): Promise<WholeFile> {
    let file = this.#files.get(path);
    if (!file) {
      file = readHashed(path);
      this.#files.set(path, file);
      file.catch(() => this.#files.delete(path));
    }
    return file;
  }

  /** Lets go of what was read. */
  forget(): void {
    this.#files.clear();
  }
}

async function readHashed(path: string): Promise<WholeFile> {
  const bytes = await readWhole(path);
  return { bytes, digest: hash("sha256", bytes, "hex") };
}

/** At once, where `readFile` takes turns of the event loop for each half of a megabyte. */
export async function readWhole(path: string): Promise<Buffer> {
  await using file = await open(path);
  const { size } = await file.stat();
  const bytes = Buffer.allocUnsafeSlow(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await file.read(bytes, length, size - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}
