// An application from a bindle: the same as from its manifest on disk, of the parcels that it needs.

import type { Manifest, ManifestComponent } from "../../manifest/mod.ts";
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
import { Limiter } from "../limiter.ts";
import type { LoadOptions } from "../load-application.ts";
import { FILES_AT_ONCE } from "../load-application.ts";
import { loadModuleBytes, MODULE_BYTES_MAX } from "../module-source.ts";
import { manifestError, readBindleManifest } from "./bindle-manifest.ts";
import { mountParcels, type ParcelsPlace } from "./mount-parcels.ts";
import { readParcel } from "./read-parcel.ts";

export interface LoadBindleOptions
  extends Pick<
    LoadOptions,
    "workingDirectory" | "allowTransientWrite" | "componentIds" | "environment" | "signal"
  > {
  /** How components get their files: as links to parcels, if the working directory is new and nobody else's. */
  readonly files?: ParcelsPlace["files"];
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
  if (!label) {
    throw manifestError(contents, `it lacks the parcel ${source}, the source of component "${id}"`);
  }
  if (label.size > MODULE_BYTES_MAX) {
    const limit = `${MODULE_BYTES_MAX / 2 ** 20} MiB`;
    throw manifestError(contents, `the source of component "${id}" has more than the ${limit} that are read`);
  }
  return label;
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
  const place = { ...options, files: options.files ?? "copies", copies: new Limiter(FILES_AT_ONCE) };
  const parcelsOf = ({ id }: ManifestComponent): ComponentParcels => {
    const found = parcels.get(id);
    if (!found) throw new Error(`no parcels were looked for for component ${id}`);
    return found;
  };
  return {
    async source(component, report) {
      const label = parcelsOf(component).module;
      const file = { path: contents.pathOf(label), described: label.name };
      const bytes = await readParcel(contents, label, options);
      const named = { componentId: component.id, at: component.path };
      const module = { ...file, bytes, digest: `sha256:${label.sha256}`, ...named };
      return await loadModuleBytes(options, module, report);
    },
    async mounts(component, report) {
      const { files } = parcelsOf(component);
      return await mountParcels(place, { contents, component, files }, report);
    },
    // Bindles cannot hold components that others depend on.
    dependencies: async () => ({}),
  };
}
