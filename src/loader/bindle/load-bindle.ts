// An application from a bindle: the same as from its manifest on disk, of the parcels that it needs.

import { SpindleError } from "../../errors/mod.ts";
import type { Manifest, ManifestComponent, ModuleSource } from "../../manifest/mod.ts";
import {
  type BindleContents,
  formatBindleId,
  groupFiles,
  isDigest,
  type Label,
  labelsByDigest,
  type TransferProgress,
} from "../../registry/mod.ts";
import { assembleApplication, choose, type LoadedApplication, type Parts } from "../assemble-application.ts";
import { mountCopies, type PlannedCopy } from "../component-files.ts";
import { Limiter } from "../limiter.ts";
import type { LoadOptions } from "../load-application.ts";
import { FILES_AT_ONCE } from "../load-application.ts";
import { loadModuleFile } from "../module-source.ts";
import { manifestError, readBindleManifest } from "./bindle-manifest.ts";

export interface LoadBindleOptions
  extends Pick<
    LoadOptions,
    "workingDirectory" | "allowTransientWrite" | "componentIds" | "environment" | "signal"
  > {
  /** Told after each parcel that was fetched. */
  readonly progress?: (progress: TransferProgress) => void;
}

/**
 * Loads an application, and fetches the parcels that its components need.
 *
 * @throws SpindleError BINDLE_MANIFEST, BINDLE_FILE_NAME, those of fetching, and one with all that is wrong
 * with the manifest or the modules
 */
export async function loadBindle(
  contents: BindleContents,
  options: LoadBindleOptions,
): Promise<LoadedApplication> {
  const { manifest, warnings } = await readBindleManifest(contents, options);
  const chosen = choose(manifest, options.componentIds);
  const parcels = findParcels(contents, chosen);
  const labels = [...parcels.values()].flatMap(({ module, files }) => [module, ...files.values()]);
  const { signal, progress } = options;
  await contents.fetch(labels, { signal, ...(progress && { progress }) });
  const parts = partsOf(contents, parcels, options);
  const origin = `bindle+${contents.origin}?id=${formatBindleId(contents.invoice.bindle)}`;
  return await assembleApplication(
    { manifest: chosen, origin, warnings, isSynthetic: true },
    parts,
    options.environment,
  );
}

/** What a component consists of. */
interface ComponentParcels {
  readonly module: Label;
  /** By the paths at which the component sees them, relative to "/". */
  readonly files: ReadonlyMap<string, Label>;
}

function findParcels(contents: BindleContents, manifest: Manifest): ReadonlyMap<string, ComponentParcels> {
  const labels = labelsByDigest(contents.invoice);
  return new Map(
    manifest.components.map((component) => {
      const module = findModule(contents, component, labels);
      return [component.id, { module, files: findFilesOf(contents, component) }];
    }),
  );
}

function findModule(
  contents: BindleContents,
  { id, source }: ManifestComponent,
  labels: ReadonlyMap<string, Label>,
): Label {
  if (typeof source !== "string" || !isDigest(source)) {
    throw manifestError(contents, `the source of component "${id}" is not the digest of a parcel`);
  }
  const label = labels.get(source);
  if (label) return label;
  throw manifestError(contents, `it lacks the parcel ${source}, the source of component "${id}"`);
}

function findFilesOf({ invoice }: BindleContents, { files }: ManifestComponent): ReadonlyMap<string, Label> {
  // Only strings name groups; what else a forged manifest may have there matches nothing.
  const groups = files.filter((group) => typeof group === "string");
  return new Map(
    groups.flatMap((group) => groupFiles(invoice, group).map(({ path, label }) => [path, label] as const)),
  );
}

function partsOf(
  contents: BindleContents,
  parcels: ReadonlyMap<string, ComponentParcels>,
  options: LoadBindleOptions,
): Parts {
  const place = { ...options, copies: new Limiter(FILES_AT_ONCE) };
  const parcelsOf = ({ id }: ManifestComponent): ComponentParcels => {
    const found = parcels.get(id);
    if (!found) throw new Error(`no parcels were looked for for component ${id}`);
    return found;
  };
  return {
    async source(component, report) {
      const label = parcelsOf(component).module;
      const file = { path: contents.pathOf(label), described: label.name };
      const named = { componentId: component.id, at: component.path };
      const source = await loadModuleFile(options, { ...file, ...named }, report);
      // A module in text is another file once it is assembled.
      if (source?.path === file.path) refuseOther(contents, label, source);
      return source;
    },
    async mounts(component, report) {
      if (component.files.length === 0) return [];
      const copies = new Map<string, PlannedCopy>();
      for (const [path, label] of parcelsOf(component).files) {
        copies.set(path, { path, realPath: contents.pathOf(label), at: component.path });
      }
      return await mountCopies(place, { componentId: component.id, copies }, report);
    },
  };
}

/** Code is not run unchecked, however its parcel is labelled and wherever it was kept. */
function refuseOther(contents: BindleContents, label: Label, { digest }: ModuleSource): void {
  if (digest === `sha256:${label.sha256}`) return;
  const message = `Cannot run ${formatBindleId(contents.invoice.bindle)} from ${contents.origin}: "${label.name}" is not what the invoice says`;
  throw new SpindleError("BINDLE_PARCEL_MISMATCH", message);
}
