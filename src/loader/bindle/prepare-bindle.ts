// A bindle of an application on disk, as Spin 0.1 to 0.9 laid it out (`crates/publish/src/expander.rs` of
// Spin at v0.1.0): the rewritten manifest, the modules, then the files, which are in groups by component.
//
// The same application gives the same bindle, byte for byte, wherever and whenever it is prepared.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";

import { type Diagnostic, SpindleError } from "../../errors/mod.ts";
import type { Manifest, ManifestComponent, ModuleSource } from "../../manifest/mod.ts";
import { WholeFiles } from "../../paths/mod.ts";
import {
  BINDLE_VERSION,
  type BindleId,
  type BindleSource,
  type Conditions,
  groupFiles,
  type Invoice,
  type Parcel,
  type ParcelContent,
  parseBindleId,
} from "../../registry/mod.ts";
import { type PlannedCopy, planFiles } from "../component-files.ts";
import { Limiter, settleAll } from "../limiter.ts";
import {
  FILES_AT_ONCE,
  type LoadOptions,
  loadComponentSource,
  readApplication,
} from "../load-application.ts";
import { Report } from "../report.ts";
import { SPIN_MEDIA_TYPE, VERSION_2_MEDIA_TYPE } from "./bindle-manifest.ts";
import { mediaTypeOf } from "./media-type.ts";
import { groupOf, type RewrittenManifests, rewriteManifest } from "./rewritten-manifest.ts";

export interface PrepareBindleOptions
  extends Pick<LoadOptions, "from" | "workingDirectory" | "cacheDirectory" | "patience" | "signal"> {
  /** Added to the version, after a "+". */
  readonly buildInfo?: string;
}

export interface PreparedBindle {
  readonly source: BindleSource;
  /** Whether Spin before 1.0 can run it too. */
  readonly isForSpin: boolean;
  readonly warnings: readonly Diagnostic[];
}

/** Throws one SpindleError with everything that is wrong. */
export async function prepareBindle(options: PrepareBindleOptions): Promise<PreparedBindle> {
  const found = await readApplication(options);
  const id = idOf(found.manifest, options.buildInfo);
  for (const component of found.manifest.components) refuseDependencies(found.manifest, component);
  const { components, diagnostics } = await loadParts({ ...options, root: found.root }, found.manifest);
  const rewritten = rewriteManifest(
    found.manifest,
    new Map(components.map(({ component, module }) => [component.id, digestOf(module)])),
  );
  const contents = new Map<string, ParcelContent>();
  const parcels = [
    ...manifestParcels(rewritten, contents),
    ...(await moduleParcels(components, contents)),
    ...(await fileParcels(components, rewritten, contents)),
  ];
  const invoice = invoiceOf(id, parcels, rewritten);
  for (const { name } of invoice.group ?? []) groupFiles(invoice, name);
  return {
    source: { invoice, contentOf: (sha256) => contents.get(sha256) },
    isForSpin: rewritten.version1 !== undefined,
    warnings: [...found.warnings, ...diagnostics],
  };
}

function idOf({ application, source }: Manifest, buildInfo: string | undefined): BindleId {
  const { name, version } = application;
  const text = `${name}/${version}`;
  try {
    parseBindleId(text);
  } catch (cause) {
    const message = `Cannot make a bindle of ${source.path}: its name and version give no bindle id`;
    const hint = 'Set `name` without spaces, and `version` such as "1.0.0".';
    throw new SpindleError("BINDLE_UNSUPPORTED", message, { hint, cause });
  }
  return parseBindleId(buildInfo === undefined ? text : `${text}+${buildInfo}`);
}

function refuseDependencies({ source, triggers }: Manifest, { id, dependencies }: ManifestComponent): void {
  const dependent = triggers.find((trigger) => trigger.componentId === id && trigger.dependencies);
  if (Object.keys(dependencies).length === 0 && !dependent) return;
  throw new SpindleError(
    "BINDLE_UNSUPPORTED",
    `Cannot make a bindle of ${source.path}: component "${id}" has dependencies, which bindles cannot hold`,
  );
}

/** A component, and what it consists of on disk. */
interface LocalComponent {
  readonly component: ManifestComponent;
  readonly module: ModuleSource;
  readonly files: ReadonlyMap<string, PlannedCopy>;
}

async function loadParts(
  place: PrepareBindleOptions & { readonly root: string },
  manifest: Manifest,
): Promise<{ readonly components: readonly LocalComponent[]; readonly diagnostics: readonly Diagnostic[] }> {
  const limiter = new Limiter(FILES_AT_ONCE);
  const results = await settleAll(
    manifest.components.map(async (component) => {
      const report = new Report(manifest);
      const [module, files] = await limiter.run(async () => [
        await loadComponentSource({ ...place, binaries: new WholeFiles() }, component, report),
        await planFiles(place, component, report),
      ]);
      return { component, module, files, report };
    }),
  );
  const diagnostics = results.flatMap(({ report }) => report.diagnostics);
  if (results.some(({ report }) => report.hasErrors)) throw SpindleError.collect(diagnostics);
  const components = results.flatMap(({ module, ...rest }) => (module ? { ...rest, module } : []));
  return { components, diagnostics };
}

// Parcels.

/** Spin's own mark for its temporary files, which it left in its invoices. */
const SPIN_ANNOTATIONS = { "fermyon:spin:delete_on_write": "." };

function manifestParcels(
  { version1, version2 }: RewrittenManifests,
  contents: Map<string, ParcelContent>,
): readonly Parcel[] {
  const parcelOf = (text: string, kind: { readonly name: string; readonly mediaType: string }): Parcel => {
    const bytes = Buffer.from(text);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    contents.set(sha256, { kind: "bytes", bytes });
    const { name, mediaType } = kind;
    return { label: { sha256, mediaType, name: `${name}.${sha256}.toml`, size: bytes.length } };
  };
  const parcels: Parcel[] = [];
  if (version1 !== undefined) {
    const { label } = parcelOf(version1, { name: "spin", mediaType: SPIN_MEDIA_TYPE });
    parcels.push({ label: { ...label, annotations: SPIN_ANNOTATIONS } });
  }
  if (version2 !== undefined) {
    parcels.push(parcelOf(version2, { name: "spindle", mediaType: VERSION_2_MEDIA_TYPE }));
  }
  return parcels;
}

/** Modules are known by their content alone: neighbours that are equal are one parcel. */
async function moduleParcels(
  components: readonly LocalComponent[],
  contents: Map<string, ParcelContent>,
): Promise<readonly Parcel[]> {
  const parcels: Parcel[] = [];
  for (const { component, module } of components) {
    const sha256 = digestOf(module);
    if (parcels.at(-1)?.label.sha256 === sha256) continue;
    contents.set(sha256, { kind: "file", path: module.path });
    const { size } = await stat(module.path);
    const label = { sha256, mediaType: "application/wasm", name: nameOfSource(component), size };
    parcels.push({ label, conditions: {} });
  }
  return parcels;
}

function digestOf({ digest }: ModuleSource): string {
  return digest.replace("sha256:", "");
}

function nameOfSource({ source }: ManifestComponent): string {
  if (typeof source === "string") return source;
  return "url" in source ? new URL(source.url).pathname : "module.wasm";
}

/** A file that several components have at the same place is one parcel, in all their groups. */
async function fileParcels(
  components: readonly LocalComponent[],
  rewritten: RewrittenManifests,
  contents: Map<string, ParcelContent>,
): Promise<readonly Parcel[]> {
  const limiter = new Limiter(FILES_AT_ONCE);
  const measured = new Map<string, Promise<Measured>>();
  const measureOnce = (file: string): Promise<Measured> => {
    const known = measured.get(file) ?? limiter.run(() => measure(file));
    measured.set(file, known);
    return known;
  };
  const all = components.flatMap(({ component, files }, index) => {
    const group = groupOf(rewritten.components[index]?.id ?? component.id);
    return filesInOrder(component, files).map(async ([name, file]): Promise<FileOfGroup> => {
      const { sha256, size } = await measureOnce(file.realPath);
      contents.set(sha256, { kind: "file", path: file.realPath });
      return { label: { sha256, mediaType: mediaTypeOf(file.path), name, size }, group };
    });
  });
  return consolidate(await settleAll(all));
}

/**
 * As in Spin, patterns come before placements, and the files of each in the order of their paths. (Those of
 * a placement had no order there.)
 */
function filesInOrder(
  { files: mounts }: ManifestComponent,
  files: ReadonlyMap<string, PlannedCopy>,
): readonly (readonly [name: string, file: PlannedCopy])[] {
  const ranked = Array.from(files, ([name, file]) => {
    const index = Number(file.at.at(-1));
    const isPlacement = typeof mounts[index] !== "string";
    // A folder comes before what only begins like it: "a/b" before "a-b".
    const path = Buffer.from(name.replaceAll("/", "\0"));
    return { rank: index + (isPlacement ? mounts.length : 0), path, entry: [name, file] as const };
  });
  const sorted = ranked.toSorted(
    (one, other) => one.rank - other.rank || Buffer.compare(one.path, other.path),
  );
  return sorted.map(({ entry }) => entry);
}

interface FileOfGroup {
  readonly label: Parcel["label"];
  readonly group: string;
}

function consolidate(files: readonly FileOfGroup[]): readonly Parcel[] {
  const parcels = new Map<string, { readonly label: Parcel["label"]; readonly memberOf: string[] }>();
  for (const { label, group } of files) {
    const key = JSON.stringify([label.name, label.sha256, label.mediaType]);
    const parcel = parcels.get(key);
    if (parcel) parcel.memberOf.push(group);
    else parcels.set(key, { label, memberOf: [group] });
  }
  return Array.from(parcels.values(), ({ label, memberOf }) => {
    const conditions: Conditions = { memberOf };
    return { label, conditions };
  });
}

interface Measured {
  readonly sha256: string;
  readonly size: number;
}

async function measure(file: string): Promise<Measured> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of createReadStream(file)) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { sha256: hash.digest("hex"), size };
}

function invoiceOf(
  id: BindleId,
  parcels: readonly Parcel[],
  { components, description, authors }: RewrittenManifests,
): Invoice {
  return {
    bindleVersion: BINDLE_VERSION,
    bindle: {
      ...id,
      ...(description !== undefined && { description }),
      ...(authors && { authors }),
    },
    parcel: parcels,
    group: components.map((component) => ({ name: groupOf(component.id) })),
  };
}
