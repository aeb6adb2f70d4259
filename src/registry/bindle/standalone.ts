// Bindles as directories: `DIRECTORY/<digest of the id>/` with `invoice.toml` and `parcels/<digest>.dat`.
//
// The layout is that of the reference (`src/standalone/mod.rs` of deislabs/bindle at v0.9.2) and so what
// Spin 0.1 to 0.10 made. A directory is written beside its place and put there when it is whole.

import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { printableLine, SpindleError } from "../../errors/mod.ts";
import { makeDirectory } from "../../paths/mod.ts";
import { forEachAtOnce } from "./at-once.ts";
import type { BindleContents } from "./bindle-contents.ts";
import { type BindleId, digestOfBindleId, formatBindleId } from "./bindle-id.ts";
import { digestOfInvoice, type Invoice, type Label, labelsByDigest } from "./invoice.ts";
import { formatInvoice, parseInvoice } from "./invoice-text.ts";
import { ParcelMismatch } from "./parcel-check.ts";
import { checkFile, type ParcelContent } from "./parcel-content.ts";
import type { BindleSource } from "./push.ts";
import { fileStateOf } from "./system-error.ts";
import type { Abortable } from "./transport.ts";
import { TEMPORARY_PREFIX } from "./whole-file.ts";

const INVOICE_FILE = "invoice.toml";
const PARCELS_DIRECTORY = "parcels";
/** Files that are copied or checked at once. */
const FILES_AT_ONCE = 16;

/** A bindle in a directory: it can be pushed, or run as it is. */
export type StandaloneBindle = BindleContents & BindleSource;

/**
 * Writes a bindle below `directory`, in place of an earlier one of the same id, and gives its own
 * directory. Parcels that `source` does not have are left out: a server may have them.
 *
 * @throws SpindleError BINDLE_STANDALONE
 */
export async function writeStandaloneBindle(
  directory: string,
  source: BindleSource,
  { signal }: Abortable,
): Promise<string> {
  const { invoice } = source;
  const target = path.join(directory, digestOfInvoice(invoice));
  const temporary = path.join(directory, `${TEMPORARY_PREFIX}${randomUUID()}`);
  try {
    makeDirectory(path.join(temporary, PARCELS_DIRECTORY));
    await writeFile(path.join(temporary, INVOICE_FILE), formatInvoice(invoice));
    await forEachAtOnce(labelsByDigest(invoice).values(), { limit: FILES_AT_ONCE, signal }, async (label) => {
      const content = source.contentOf(label.sha256);
      if (content) await writeParcel(parcelPath(temporary, label.sha256), content, label);
    });
    await replaceDirectory(target, temporary);
    return target;
  } catch (error) {
    throw standaloneError(
      `Cannot write the bindle ${formatBindleId(invoice.bindle)} to ${directory}`,
      error,
      WRITE_HINT,
    );
  } finally {
    // What could not be made need not be removed: below a file there is nothing.
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function writeParcel(target: string, content: ParcelContent, label: Label): Promise<void> {
  // A copy costs nothing where the file system can share blocks.
  if (content.kind === "file") await copyFile(content.path, target, constants.COPYFILE_FICLONE);
  else await writeFile(target, content.bytes);
  await checkFile(target, label);
}

async function replaceDirectory(target: string, replacement: string): Promise<void> {
  const former = `${replacement}.former`;
  try {
    await rename(target, former).catch(ignoreAbsence);
    await rename(replacement, target);
  } finally {
    await rm(former, { recursive: true, force: true });
  }
}

function ignoreAbsence(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}

/**
 * Opens a bindle below `directory`. Its parcels are checked when they are asked for.
 *
 * @throws SpindleError BINDLE_STANDALONE, BINDLE_INVOICE_INVALID
 */
export async function openStandaloneBindle(directory: string, id: BindleId): Promise<StandaloneBindle> {
  const digest = digestOfBindleId(id);
  const root = path.join(directory, digest);
  const file = path.join(root, INVOICE_FILE);
  const action = `Cannot read the bindle ${formatBindleId(id)} in ${directory}`;
  const bytes = await readFile(file).catch((error: unknown) => {
    throw standaloneError(`${action}: ${path.join(digest, INVOICE_FILE)}`, error);
  });
  const invoice = parseInvoice(bytes, file);
  if (digestOfInvoice(invoice) !== digest) {
    throw new SpindleError(
      "BINDLE_STANDALONE",
      `${action}: its invoice is that of ${formatBindleId(invoice.bindle)}`,
    );
  }
  const present = await presentParcels(root, invoice);
  return {
    invoice,
    origin: directory,
    contentOf: (sha256) =>
      present.has(sha256) ? { kind: "file", path: parcelPath(root, sha256) } : undefined,
    pathOf: ({ sha256 }) => parcelPath(root, sha256),
    fetch: (labels, { signal }) =>
      forEachAtOnce(labels, { limit: FILES_AT_ONCE, signal }, async (label) => {
        try {
          await checkFile(parcelPath(root, label.sha256), label);
        } catch (error) {
          throw standaloneError(`${action}: ${path.join(PARCELS_DIRECTORY, `${label.sha256}.dat`)}`, error);
        }
      }),
  };
}

async function presentParcels(root: string, invoice: Invoice): Promise<ReadonlySet<string>> {
  const names = await readdir(path.join(root, PARCELS_DIRECTORY)).catch(() => []);
  const files = new Set(names);
  return new Set(
    labelsByDigest(invoice)
      .keys()
      .filter((sha256) => files.has(`${sha256}.dat`)),
  );
}

function parcelPath(root: string, sha256: string): string {
  return path.join(root, PARCELS_DIRECTORY, `${sha256}.dat`);
}

const READ_HINT = "Make it with `spindle bindle prepare`.";
const WRITE_HINT = "Choose another directory, which this user can write to.";

function standaloneError(action: string, error: unknown, hint: string = READ_HINT): unknown {
  if (error instanceof ParcelMismatch) {
    return new SpindleError("BINDLE_PARCEL_MISMATCH", printableLine(`${action}: ${error.message}`));
  }
  const state = fileStateOf(error);
  if (state === undefined) return error;
  return new SpindleError("BINDLE_STANDALONE", `${action}: ${state}`, { hint });
}
