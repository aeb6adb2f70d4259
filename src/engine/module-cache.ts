// Rewritten modules on disk, by the digest of the original and the version of the rewriter.
//
// A file is written beside its place and renamed, so that several processes can share a directory, and
// begins with a checksum of the rest: one that is damaged, cut short or of another version is made anew.
// The cache only ever saves time: whatever goes wrong with it, the module is rewritten.
//
//     4    CRC-32 of all that follows, u32 little-endian
//     4    length of the head, u32 little-endian
//     ...  head, JSON: the RewrittenModule without bytes, custom sections with their lengths only
//     ...  rewritten module, then the contents of the custom sections, one after the other

import { randomUUID } from "node:crypto";
import { open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { makeDirectory, readWhole } from "../paths/mod.ts";
import { type CoreModule, type RewrittenModule, rewriterVersion } from "../wasm/mod.ts";

/** Against damage, not against malice: who can write here can run as this user. It is ten times as fast as a digest. */
const CHECKSUM_BYTES = 4;
const HEAD_OFFSET = CHECKSUM_BYTES + 4;
/** A file that is this old and not in its place yet was left by a process that was killed. */
const ABANDONED_MS = 60 * 60 * 1000;

interface Head {
  readonly module: Omit<RewrittenModule, "bytes" | "original">;
  readonly original: Omit<CoreModule, "customSections">;
  readonly bytesLength: number;
  readonly customSections: readonly { readonly name: string; readonly length: number }[];
}

export class ModuleCache {
  readonly #directory: string;

  /** @param cacheDirectory made when the first module is written */
  constructor(cacheDirectory: string) {
    this.#directory = join(cacheDirectory, "modules", `${rewriterVersion()}-${process.versions.v8}`);
  }

  /** The module, or nothing if it is not there whole. */
  async get(digest: string): Promise<RewrittenModule | undefined> {
    try {
      return decode(await readWhole(this.#pathOf(digest)));
    } catch {
      // Missing, unreadable or not ours: it is made anew.
      return undefined;
    }
  }

  /** Keeps a module; a full or read-only disk keeps none. */
  async put(digest: string, module: RewrittenModule): Promise<void> {
    const path = this.#pathOf(digest);
    const temporary = `${path}.${randomUUID()}`;
    try {
      makeDirectory(this.#directory);
      await this.#removeAbandoned();
      await writeAtOnce(temporary, encode(module));
      await rename(temporary, path);
    } catch {
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }

  async #removeAbandoned(): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      if (!name.includes(".")) continue;
      const path = join(this.#directory, name);
      const isAbandoned = Date.now() - (await stat(path)).mtimeMs > ABANDONED_MS;
      if (isAbandoned) await rm(path, { force: true });
    }
  }

  #pathOf(digest: string): string {
    return join(this.#directory, digest);
  }
}

/** In one operation: whoever stops the server soon after its start should not cut it off. */
async function writeAtOnce(path: string, parts: readonly Uint8Array[]): Promise<void> {
  await using file = await open(path, "wx");
  const { bytesWritten } = await file.writev(parts);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (bytesWritten !== length) throw new Error(`Only ${bytesWritten} of ${length} bytes were written`);
}

function encode(rewritten: RewrittenModule): readonly Uint8Array[] {
  const { bytes, original, ...module } = rewritten;
  const { customSections, ...rest } = original;
  const head: Head = {
    module,
    original: rest,
    bytesLength: bytes.length,
    customSections: customSections.map(({ name, contents }) => ({ name, length: contents.length })),
  };
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const parts = [length, text, bytes, ...customSections.map(({ contents }) => contents)];
  const checksum = Buffer.alloc(CHECKSUM_BYTES);
  checksum.writeUInt32LE(parts.reduce((value, part) => crc32(part, value), 0));
  return [checksum, ...parts];
}

/** @throws Error if the file is not whole */
function decode(file: Buffer): RewrittenModule {
  if (crc32(file.subarray(CHECKSUM_BYTES)) !== file.readUInt32LE(0)) throw new Error("The file is damaged");
  const headEnd = HEAD_OFFSET + file.readUInt32LE(CHECKSUM_BYTES);
  // The checksum holds, so this is what `encode` wrote.
  const head = JSON.parse(file.toString("utf8", HEAD_OFFSET, headEnd)) as Head;
  let position = headEnd;
  const take = (length: number) => {
    position += length;
    return file.subarray(position - length, position);
  };
  const bytes = take(head.bytesLength);
  const customSections = head.customSections.map(({ name, length }) => ({ name, contents: take(length) }));
  return { ...head.module, bytes, original: { ...head.original, customSections } };
}
