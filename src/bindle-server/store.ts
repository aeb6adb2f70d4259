// Bindles on disk, in the layout of the reference: a directory of its server can be taken over.
//
//     invoices/<digest of the id>/invoice.toml
//     parcels/<digest>/parcel.dat
//     tmp/                                        what is being written
//     server.pid                                  the server that uses the directory
//
// A directory is made in tmp/, put on the disk, and renamed to its place, which is atomic and fails if
// something is there already. So what has its place is whole; what was acknowledged is on the disk; of two
// writers of one invoice one wins; and a process that is killed leaves nothing but files in tmp/.
// Layout: `src/provider/file/mod.rs` of deislabs/bindle at v0.9.2.

import { randomUUID } from "node:crypto";
import { type FileHandle, link, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";

import { makeDirectory } from "../paths/mod.ts";
import {
  type BindleId,
  digestOfBindleId,
  formatInvoice,
  type Invoice,
  type Label,
  labelsByDigest,
  parseInvoice,
  removeAbandoned,
  storeUnusable,
  syncDirectory,
  systemCodeOf,
  writeToDisk,
  writeWholeFile,
} from "../registry/mod.ts";
import { StoreLock } from "./store-lock.ts";
import { WeightedCache } from "./weighted-cache.ts";

/** An invoice, with what is asked of it often. */
export interface StoredInvoice {
  readonly invoice: Invoice;
  readonly labels: ReadonlyMap<string, Label>;
  /** As TOML. */
  readonly text: Buffer;
}

const INVOICES = "invoices";
const PARCELS = "parcels";
const TEMPORARY = "tmp";
const INVOICE_FILE = "invoice.toml";
const PARCEL_FILE = "parcel.dat";

/** Texts of invoices whose parsed form is kept. */
const CACHED_BYTES_MAX = 32 * 2 ** 20;
/** Parcels that are looked for at once. */
const LOOKS_AT_ONCE = 16;

export class BindleStore implements Disposable {
  readonly #root: string;
  readonly #lock: StoreLock;
  readonly #cache = new WeightedCache<StoredInvoice>(CACHED_BYTES_MAX);
  /** How many invoices were replaced so far. */
  #replacements = 0;

  private constructor(root: string, lock: StoreLock) {
    this.#root = root;
    this.#lock = lock;
  }

  /**
   * Has the directory for itself until it is disposed.
   *
   * @throws SpindleError BINDLE_STORE_BUSY, BINDLE_STORE_UNUSABLE
   */
  static async open(directory: string): Promise<BindleStore> {
    const temporary = path.join(directory, TEMPORARY);
    try {
      for (const part of [INVOICES, PARCELS, TEMPORARY]) {
        makeDirectory(path.join(directory, part));
      }
      await removeAbandoned(temporary);
    } catch (error) {
      throw storeUnusable(directory, error, "--dir");
    }
    return new BindleStore(directory, await StoreLock.take(directory, temporary));
  }

  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }

  /** All invoices, one after another; those that cannot be read are reported and left out. */
  async *invoices(report: (message: string) => void): AsyncGenerator<Invoice> {
    for (const digest of await readdir(this.#path(INVOICES))) {
      try {
        const stored = await this.#read(digest);
        if (stored) yield stored.invoice;
      } catch (error) {
        report(error instanceof Error ? error.message : String(error));
      }
    }
  }

  async getInvoice(id: BindleId): Promise<StoredInvoice | undefined> {
    const digest = digestOfBindleId(id);
    const cached = this.#cache.get(digest);
    if (cached) return cached;
    const replacements = this.#replacements;
    const stored = await this.#read(digest);
    if (stored) this.#keep(digest, stored, replacements);
    return stored;
  }

  /** Keeps an invoice, unless one was replaced since it was read: it could be that one. */
  #keep(digest: string, stored: StoredInvoice, replacements: number): void {
    if (replacements === this.#replacements) this.#cache.set(digest, stored, stored.text.length);
  }

  async #read(digest: string): Promise<StoredInvoice | undefined> {
    const file = this.#path(INVOICES, digest, INVOICE_FILE);
    const text = await readFile(file).catch(undefinedIfAbsent);
    if (!text) return undefined;
    const invoice = parseInvoice(text, file);
    return { invoice, labels: labelsByDigest(invoice), text };
  }

  /** Stores an invoice, unless there is one of its id. */
  async createInvoice(invoice: Invoice): Promise<"created" | "exists"> {
    const text = Buffer.from(formatInvoice(invoice));
    const digest = digestOfBindleId(invoice.bindle);
    // Most that exist are noticed before anything is written; the others when they are placed.
    if (await this.#exists(INVOICES, digest, INVOICE_FILE)) return "exists";
    const replacements = this.#replacements;
    const write = (file: FileHandle) => file.writeFile(text);
    const outcome = await this.#place([INVOICES, digest, INVOICE_FILE], { write, existing: "keep" });
    const stored = { invoice, labels: labelsByDigest(invoice), text };
    if (outcome === "created") this.#keep(digest, stored, replacements);
    return outcome;
  }

  /** Stores what an invoice says in place of what it said. */
  async replaceInvoice(invoice: Invoice): Promise<void> {
    const text = Buffer.from(formatInvoice(invoice));
    const digest = digestOfBindleId(invoice.bindle);
    const options = { temporaryDirectory: this.#path(TEMPORARY) };
    await writeWholeFile(this.#path(INVOICES, digest, INVOICE_FILE), options, (file) => file.writeFile(text));
    this.#replacements++;
    this.#cache.delete(digest);
  }

  /** The parcels of these that are not here. */
  async missing(labels: Iterable<Label>): Promise<readonly Label[]> {
    const all = [...labels];
    const isHere: boolean[] = [];
    let next = 0;
    const look = async () => {
      for (let index = next++; index < all.length; index = next++) {
        const label = all[index];
        isHere[index] = label !== undefined && (await this.hasParcel(label));
      }
    };
    await Promise.all(Array.from({ length: LOOKS_AT_ONCE }, look));
    return all.filter((_, index) => !isHere[index]);
  }

  /** Whether a parcel is here, as long as it should be: a damaged one can be sent again. */
  hasParcel({ sha256, size }: Label): Promise<boolean> {
    return stat(this.#path(PARCELS, sha256, PARCEL_FILE)).then(
      (found) => found.isFile() && found.size === size,
      () => false,
    );
  }

  /** Stores a parcel of these bytes. What `chunks` throws, leaves nothing. */
  async createParcel({ sha256 }: Label, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const write = (file: FileHandle) => file.writeFile(chunks);
    await this.#place([PARCELS, sha256, PARCEL_FILE], { write, existing: "replace" });
  }

  /** The file of a parcel that is here. */
  async openParcel(label: Label): Promise<FileHandle | undefined> {
    if (!(await this.hasParcel(label))) return undefined;
    return await open(this.#path(PARCELS, label.sha256, PARCEL_FILE));
  }

  /** Makes a directory with one file in it, on the disk. */
  async #place(
    [kind, digest, name]: readonly [kind: string, digest: string, name: string],
    {
      write,
      existing,
    }: { readonly write: (file: FileHandle) => Promise<void>; readonly existing: "keep" | "replace" },
  ): Promise<"created" | "exists"> {
    const temporary = this.#path(TEMPORARY, randomUUID());
    const target = this.#path(kind, digest);
    await mkdir(temporary);
    try {
      await writeToDisk(path.join(temporary, name), write);
      const outcome = await placeDirectory({ from: temporary, to: target, name }, existing);
      // The name of the file in its new directory went to the disk with the file.
      await syncDirectory(path.dirname(target));
      return outcome;
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      throw error;
    }
  }

  #exists(...parts: readonly string[]): Promise<boolean> {
    return stat(this.#path(...parts)).then(
      (found) => found.isFile(),
      () => false,
    );
  }

  #path(...parts: readonly string[]): string {
    return path.join(this.#root, ...parts);
  }
}

async function placeDirectory(
  { from, to, name }: { readonly from: string; readonly to: string; readonly name: string },
  existing: "keep" | "replace",
): Promise<"created" | "exists"> {
  try {
    await rename(from, to);
    return "created";
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST", "EPERM"].includes(systemCodeOf(error) ?? "")) throw error;
  }
  // Somebody else was quicker; or a server of the reference has left the directory of an upload that broke off.
  const move = existing === "replace" ? rename : link;
  try {
    await move(path.join(from, name), path.join(to, name));
    await syncDirectory(to);
    return "created";
  } catch (error) {
    if (systemCodeOf(error) !== "EEXIST") throw error;
    return "exists";
  } finally {
    await rm(from, { recursive: true, force: true });
  }
}

function undefinedIfAbsent(error: unknown): undefined {
  if (!["ENOENT", "ENOTDIR"].includes(systemCodeOf(error) ?? "")) throw error;
}
