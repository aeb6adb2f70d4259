// An application on disk, from what the user typed: found, read, checked, its files copied.

import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { type Diagnostic, didYouMean, SpindleError } from "../errors/mod.ts";
import {
  type Application,
  type Component,
  type Manifest,
  type ManifestComponent,
  type ManifestTrigger,
  parseManifest,
  type Trigger,
} from "../manifest/mod.ts";
import { type FilesPlace, mountFiles } from "./component-files.ts";
import type { Patience } from "./download.ts";
import { findApplication } from "./find-application.ts";
import { Limiter, settleAll } from "./limiter.ts";
import { loadModuleSource, type SourcePlace } from "./module-source.ts";
import { Report } from "./report.ts";

export interface LoadOptions {
  /** A manifest, a directory with one, or a module; without it, the nearest `spin.toml` upwards. */
  readonly from?: string;
  /** Where files are copied to. The caller makes and removes it. */
  readonly workingDirectory: string;
  /** Mount directories themselves instead of copies of them. */
  readonly directMounts: boolean;
  /** Let guests write to what they have mounted. */
  readonly allowTransientWrite: boolean;
  /** Where downloads are kept. */
  readonly cacheDirectory: string;
  /** Load these components and what triggers them, and leave out the others. */
  readonly componentIds?: readonly string[];
  /** Set in every component, over what the manifest sets. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The profile of the manifest whose overrides apply. */
  readonly profile?: string;
  /** How long downloads are waited for. */
  readonly patience?: Partial<Patience>;
  readonly signal: AbortSignal;
  /** Told, in a sentence, when something takes long. */
  readonly progress: (note: string) => void;
}

export interface LoadedApplication {
  readonly application: Application;
  readonly warnings: readonly Diagnostic[];
}

/** A load that takes longer than this says so. */
const SLOW_MS = 1250;
/** Sources that are read, downloaded or assembled at once. */
const SOURCES_AT_ONCE = 4;
/** Files that are copied at once, in all components together. */
const FILES_AT_ONCE = 16;

/** Loads an application; throws one SpindleError with everything that is wrong. */
export async function loadApplication(options: LoadOptions): Promise<LoadedApplication> {
  const slow = setTimeout(
    () => options.progress("Loading Wasm components is taking a few seconds..."),
    SLOW_MS,
  );
  try {
    const found = await readApplication(options);
    return await loadComponents(found, options);
  } finally {
    clearTimeout(slow);
  }
}

/** A manifest, and where what it names is. */
interface FoundApplication {
  readonly manifest: Manifest;
  /** The directory that paths are relative to. */
  readonly root: string;
  readonly origin: string;
  readonly warnings: readonly Diagnostic[];
  readonly isSynthetic: boolean;
}

async function readApplication({ from, profile }: LoadOptions): Promise<FoundApplication> {
  const place = await findApplication(from);
  const origin = pathToFileURL(place.path).href;
  const root = path.dirname(place.path);
  const isSynthetic = place.kind === "module";
  const text = isSynthetic ? syntheticManifest(place.path) : await readText(place.path);
  const options = profile === undefined ? {} : { profile };
  const { manifest, warnings } = parseManifest({ path: displayPath(place.path), text }, options);
  return { manifest, root, origin, warnings, isSynthetic };
}

/** The application that a module is when it comes alone: it answers every path. */
function syntheticManifest(module: string): string {
  const quote = JSON.stringify;
  return `spin_manifest_version = 2
application = { name = ${quote(path.parse(module).name)} }
[[trigger.http]]
route = "/..."
component = { source = ${quote(path.basename(module))} }
`;
}

async function readText(file: string): Promise<string> {
  const bytes = await readBytes(file);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new SpindleError("MANIFEST_SYNTAX", `Cannot read ${displayPath(file)}: it is not UTF-8`, { cause });
  }
}

/** parseManifest() says how much is too much; this only keeps a huge file out of memory. */
const MANIFEST_BYTES_MAX = 16 * 1024 * 1024;

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(file);
    if (size <= MANIFEST_BYTES_MAX) return await readFile(file);
  } catch (cause) {
    throw new SpindleError("APPLICATION_UNREADABLE", `Cannot read ${displayPath(file)}`, { cause });
  }
  const message = `Cannot read ${displayPath(file)}: it has more than ${MANIFEST_BYTES_MAX / 2 ** 20} MiB`;
  throw new SpindleError("MANIFEST_TOO_LARGE", message);
}

/** The path as the user would type it. */
function displayPath(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative.startsWith("..") ? file : relative;
}

async function loadComponents(found: FoundApplication, options: LoadOptions): Promise<LoadedApplication> {
  const { components, triggers } = choose(found.manifest, options.componentIds);
  const sources = new Limiter(SOURCES_AT_ONCE);
  const copies = new Limiter(FILES_AT_ONCE);
  const loads = components.map(async (component) => {
    const report = new Report(found.isSynthetic ? undefined : found.manifest);
    const place = { ...options, root: found.root, copies };
    const loaded = await sources.run(() => loadComponent(place, component, report));
    return { loaded, report };
  });
  const results = await settleAll(loads);
  const diagnostics = [...found.warnings, ...results.flatMap(({ report }) => report.diagnostics)];
  if (results.some(({ report }) => report.hasErrors)) throw SpindleError.collect(diagnostics);
  const application: Application = {
    metadata: { ...found.manifest.application, origin: found.origin },
    variables: found.manifest.variables,
    triggerDefaults: found.manifest.triggerDefaults,
    triggers: triggers.map(toTrigger),
    components: results.flatMap(({ loaded }) => loaded ?? []),
  };
  return { application, warnings: diagnostics };
}

interface Chosen {
  readonly components: readonly ManifestComponent[];
  readonly triggers: readonly ManifestTrigger[];
}

function choose({ components, triggers }: Manifest, ids: readonly string[] | undefined): Chosen {
  if (!ids || ids.length === 0) return { components, triggers };
  const known = new Set(components.map(({ id }) => id));
  const unknown = ids.filter((id) => !known.has(id));
  if (unknown.length > 0) throw SpindleError.collect(unknown.map((id) => unknownComponent(id, known)));
  return {
    components: components.filter(({ id }) => ids.includes(id)),
    triggers: triggers.filter(({ componentId }) => componentId !== undefined && ids.includes(componentId)),
  };
}

function unknownComponent(id: string, known: ReadonlySet<string>): Diagnostic {
  const hint = didYouMean(id, known) ?? `The components are: ${[...known].join(", ")}.`;
  return { code: "COMPONENT_UNKNOWN", severity: "error", message: `There is no component "${id}"`, hint };
}

function toTrigger({ id, type, componentId, dependencies, options }: ManifestTrigger): Trigger {
  return {
    id,
    type,
    ...(componentId !== undefined && { componentId }),
    ...(dependencies && { dependencies }),
    options,
  };
}

type Place = SourcePlace & FilesPlace & Pick<LoadOptions, "environment">;

async function loadComponent(
  place: Place,
  component: ManifestComponent,
  report: Report,
): Promise<Component | undefined> {
  const source = await loadModuleSource(
    place,
    {
      componentId: component.id,
      source: component.source,
      at: [...component.path, "source"],
      hasBuildCommand: component.build !== undefined,
    },
    report,
  );
  const mounts = await mountFiles(place, component, report);
  if (!source) return undefined;
  return {
    id: component.id,
    description: component.description,
    source,
    environment: { ...component.environment, ...place.environment },
    mounts,
    allowedOutboundHosts: component.allowedOutboundHosts,
    variables: component.variables,
    keyValueStores: component.keyValueStores,
    sqliteDatabases: component.sqliteDatabases,
    aiModels: component.aiModels,
    dependencies: component.dependencies,
    dependenciesInheritConfiguration: component.dependenciesInheritConfiguration ?? false,
    ...(component.build && {
      build: { ...component.build, workdir: path.resolve(place.root, component.build.workdir) },
    }),
    tool: component.tool,
  };
}
