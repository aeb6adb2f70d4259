// Reads parcels that are code, which is not run unchecked, wherever it was kept and however it is labelled.

import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";

import { printableLine, SpindleError } from "../../errors/mod.ts";
import { type BindleContents, formatBindleId, type Label } from "../../registry/mod.ts";

/**
 * Reads a parcel that has been fetched. One that is not what the invoice says is fetched once more.
 *
 * @throws SpindleError BINDLE_PARCEL_MISMATCH, and those of fetching
 */
export async function readParcel(
  contents: BindleContents,
  label: Label,
  { signal }: { readonly signal: AbortSignal },
): Promise<Uint8Array> {
  const file = contents.pathOf(label);
  const found = await readFile(file).catch(() => undefined);
  if (found && isOf(label, found)) return found;
  await contents.fetch([label], { signal, anew: true });
  const bytes = await readFile(file);
  if (isOf(label, bytes)) return bytes;
  const message = `${runningOf(contents)}: "${printableLine(label.name)}" is not what the invoice says`;
  throw new SpindleError("BINDLE_PARCEL_MISMATCH", message);
}

function isOf({ sha256 }: Label, bytes: Uint8Array): boolean {
  return hash("sha256", bytes) === sha256;
}

/** Begins the messages about a bindle that is to be run. */
export function runningOf({ invoice, origin }: BindleContents): string {
  return `Cannot run ${formatBindleId(invoice.bindle)} from ${origin}`;
}
