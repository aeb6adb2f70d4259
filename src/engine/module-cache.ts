// Rewritten modules on disk, by the digest of the original and the version of the rewriter.
//
// A file is written beside its place and renamed, so that several processes can share a directory, and
// begins with a digest of the rest: one that is damaged, cut short or of another version is made anew.
// The cache only ever saves time: whatever goes wrong with it, the module is rewritten.
//
//     32   sha256 of all that follows
//     4    length of the head, u32 little-endian
//     ...  head, JSON: the RewrittenModule without bytes, custom sections with their lengths only
//     ...  rewritten module, then the contents of the custom sections, one after the other

import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type CoreModule, type RewrittenModule, rewriterVersion } from "../wasm/mod.ts";

const DIGEST_BYTES = 32;
const HEAD_OFFSET = DIGEST_BYTES + 4;

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
      return decode(await readFile(this.#pathOf(digest)));
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
      await mkdir(dirname(path), { recursive: true });
      await writeFile(temporary, encode(module), { flag: "wx" });
      await rename(temporary, path);
    } catch {
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }

  #pathOf(digest: string): string {
    return join(this.#directory, digest);
  }
}

function encode(rewritten: RewrittenModule): Buffer {
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
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return Buffer.concat([hash.digest(), ...parts]);
}

/** @throws Error if the file is not whole */
function decode(file: Buffer): RewrittenModule {
  const digest = createHash("sha256").update(file.subarray(DIGEST_BYTES)).digest();
  if (!digest.equals(file.subarray(0, DIGEST_BYTES))) throw new Error("The file is damaged");
  const headEnd = HEAD_OFFSET + file.readUInt32LE(DIGEST_BYTES);
  // The digest holds, so this is what `encode` wrote.
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
