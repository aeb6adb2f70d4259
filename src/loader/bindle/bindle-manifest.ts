// The manifest of an application in a bindle: a parcel with another form of `spin.toml`.
//
// Spin 0.1 to 0.10 put the application's name and version into the invoice alone, wrote fields in
// camelCase, and named modules by the digests of parcels and files by a group of them
// (`crates/loader/src/bindle/config.rs` of Spin at v0.1.0). What only version 2 of `spin.toml` can say
// has no such form: it is in a parcel of its own, in the words of version 2, which Spin does not look at.
// Either is made into the text of a `spin.toml` again, so that one reader checks all there is to check.

import { stringify } from "smol-toml";

import { printableLine, SpindleError } from "../../errors/mod.ts";
import { parseManifest } from "../../manifest/mod.ts";
import {
  type BindleContents,
  formatBindleId,
  type Invoice,
  type Label,
  parseDocument,
  ShapeError,
} from "../../registry/mod.ts";
import { readParcel, runningOf } from "./read-parcel.ts";
import { isTable, type Table } from "./toml-text.ts";

/** The parcel that Spin looks for. */
export const SPIN_MEDIA_TYPE = "application/vnd.fermyon.spin+toml";
/** The parcel that comes before it, where there is one. */
export const VERSION_2_MEDIA_TYPE = "application/vnd.spindle.spin+toml";

/** A manifest is no larger than this, in a bindle or not. */
const MANIFEST_BYTES_MAX = 1024 * 1024;

/**
 * Reads the manifest; the sources in it are digests, and its file patterns the names of groups.
 *
 * @throws SpindleError BINDLE_MANIFEST, BINDLE_PARCEL_MISMATCH, and those of parseManifest()
 */
export async function readBindleManifest(
  contents: BindleContents,
  { signal }: { readonly signal: AbortSignal },
): Promise<ReturnType<typeof parseManifest>> {
  const label = findManifest(contents);
  await contents.fetch([label], { signal });
  const tables = parseTables(contents, await readParcel(contents, label, { signal }));
  const { bindle } = contents.invoice;
  const rewritten =
    label.mediaType === SPIN_MEDIA_TYPE ? version1Of(tables, bindle) : version2Of(tables, bindle);
  return parseManifest({ path: `the manifest of ${formatBindleId(bindle)}`, text: stringify(rewritten) });
}

function findManifest(contents: BindleContents): Label {
  const labels = (contents.invoice.parcel ?? []).map(({ label }) => label);
  const ofType = (mediaType: string) => labels.filter((label) => label.mediaType === mediaType);
  const [version2, version1] = [ofType(VERSION_2_MEDIA_TYPE), ofType(SPIN_MEDIA_TYPE)];
  const found = version2.length > 0 ? version2 : version1;
  const [manifest] = found;
  if (!manifest) throw manifestError(contents, "it has no Spin manifest", "It may be no Spin application.");
  if (found.length > 1) throw manifestError(contents, `it has ${found.length} Spin manifests`);
  if (manifest.size > MANIFEST_BYTES_MAX) {
    throw manifestError(contents, `its manifest has more than ${MANIFEST_BYTES_MAX / 1024} KiB`);
  }
  return manifest;
}

function parseTables(contents: BindleContents, bytes: Uint8Array): Table {
  try {
    // A document of TOML is a table.
    return parseDocument(bytes, "toml") as Table;
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw manifestError(contents, `its manifest cannot be read: ${error.message}`);
  }
}

/** What Spin wrote, in the words of version 1. Of what the invoice says too, the invoice counts. */
function version1Of({ component, ...rest }: Table, bindle: Invoice["bindle"]): Table {
  const components = Array.isArray(component) ? component.map(inSnakeCase) : component;
  return {
    ...rest,
    ...metadataOf(bindle),
    spin_manifest_version: "1",
    ...(components !== undefined && { component: components }),
  };
}

function version2Of({ application, ...rest }: Table, bindle: Invoice["bindle"]): Table {
  const more = isTable(application) ? application : {};
  return { ...rest, application: { ...more, ...metadataOf(bindle) }, spin_manifest_version: 2 };
}

function metadataOf({ name, version, description, authors }: Invoice["bindle"]): Table {
  return {
    name,
    version,
    ...(description !== undefined && { description }),
    ...(authors && { authors }),
  };
}

/** Fields of a component; what is in them has names that are not ours to change. */
function inSnakeCase(component: unknown): unknown {
  if (!isTable(component)) return component;
  const fields = Object.entries(component).map(([name, value]) => {
    const field = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return [field, field === "files" && typeof value === "string" ? [value] : value] as const;
  });
  return Object.fromEntries(fields);
}

export function manifestError(contents: BindleContents, state: string, hint?: string): SpindleError {
  const message = printableLine(`${runningOf(contents)}: ${state}`);
  return new SpindleError("BINDLE_MANIFEST", message, hint === undefined ? {} : { hint });
}
