// An application on disk, from what the user typed: found, read, checked, its files copied.

import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { SpindleError } from "../errors/mod.ts";
import { kebabMistake, type ManifestComponent, type ModuleSource, parseManifest } from "../manifest/mod.ts";
import { WholeFiles } from "../paths/mod.ts";
import { assembleText, isComponent, readModule } from "../wasm/mod.ts";
import {
  assembleApplication,
  choose,
  type FoundApplication,
  type LoadedApplication,
  type Parts,
} from "./assemble-application.ts";
import { loadDependencies } from "./component-dependencies.ts";
import { type FilesPlace, mountFiles } from "./component-files.ts";
import type { Patience } from "./download.ts";
import { findApplication } from "./find-application.ts";
import { Limiter } from "./limiter.ts";
import { loadModuleSource, type SourcePlace } from "./module-source.ts";
import type { Report } from "./report.ts";

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
  /** Reads modules; given to whoever makes the application ready too, it saves reading them again. */
  readonly binaries?: WholeFiles;
  readonly signal: AbortSignal;
  /** Told, in a sentence, when something takes long. */
  readonly progress: (note: string) => void;
}

/** A load that takes longer than this says so. */
const SLOW_MS = 1250;
/** Files that are copied at once, in all components together. */
export const FILES_AT_ONCE = 16;

/** Loads an application; throws one SpindleError with everything that is wrong. */
export async function loadApplication(given: LoadOptions): Promise<LoadedApplication> {
  const options = { ...given, binaries: given.binaries ?? new WholeFiles() };
  const slow = setTimeout(
    () => options.progress("Loading Wasm components is taking a few seconds..."),
    SLOW_MS,
  );
  try {
    const found = await readApplication(options);
    const chosen = { ...found, manifest: choose(found.manifest, options.componentIds) };
    return await assembleApplication(chosen, localParts(found.root, options), options.environment);
  } finally {
    clearTimeout(slow);
  }
}

/** Finds the application, and reads its manifest. */
export async function readApplication({
  from,
  profile,
  binaries = new WholeFiles(),
}: Pick<LoadOptions, "from" | "profile" | "binaries">): Promise<
  FoundApplication & { readonly root: string }
> {
  const place = await findApplication(from);
  const origin = pathToFileURL(place.path).href;
  const root = path.dirname(place.path);
  const isSynthetic = place.kind === "module";
  const text = isSynthetic ? await syntheticManifest(place.path, binaries) : await readText(place.path);
  const options = profile === undefined ? {} : { profile };
  const { manifest, warnings } = parseManifest({ path: displayPath(place.path), text }, options);
  return { manifest, root, origin, warnings, isSynthetic };
}

/** The application that a module is when it comes alone: it answers every path. */
async function syntheticManifest(module: string, binaries: WholeFiles): Promise<string> {
  const quote = JSON.stringify;
  const id = componentIdOf(module);
  return `spin_manifest_version = 2
application = { name = ${quote(path.parse(module).name)} }
[[trigger.http]]
route = "/..."
component = ${quote(id)}
${(await isCommand(module, binaries)) ? 'executor = { type = "wagi" }' : ""}
[component.${id}]
source = ${quote(path.basename(module))}
`;
}

/** `my-app` for `My_App.wasm`. */
function componentIdOf(module: string): string {
  const words =
    path
      .parse(module)
      .name.toLowerCase()
      .match(/[a-z0-9]+/g) ?? [];
  const id = words.join("-");
  return kebabMistake(id) === undefined ? id : "app";
}

/** Whether a module is a program to be run, and no handler to be called. Nobody else could say so where there is no manifest. */
async function isCommand(file: string, binaries: WholeFiles): Promise<boolean> {
  try {
    const bytes = await readModuleFile(file, binaries);
    if (isComponent(bytes)) return await isCommandComponent(bytes);
    const functions = readModule(bytes).exports.filter(({ kind }) => kind === "func");
    const names = new Set(functions.map(({ name }) => name));
    return names.has("_start") && !names.has("handle-http-request");
  } catch {
    // What is wrong with it is told when the component is loaded.
    return false;
  }
}

const RUN = "wasi:cli/run";
const HTTP_HANDLERS = ["fermyon:spin/inbound-http", "wasi:http/handler", "wasi:http/incoming-handler"];

async function isCommandComponent(bytes: Uint8Array): Promise<boolean> {
  // Planning a large component takes a while, and most are none.
  if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(RUN)) return false;
  const { planComponent } = await import("./plans.ts");
  const names = planComponent(bytes).exports.map(({ name }) => name.replace(/@.*$/, ""));
  return names.includes(RUN) && !HTTP_HANDLERS.some((name) => names.includes(name));
}

async function readModuleFile(file: string, binaries: WholeFiles): Promise<Uint8Array> {
  const { bytes } = await binaries.read(file);
  return path.extname(file) === ".wat" ? await assembleText(bytes.toString()) : bytes;
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

/** What components have on disk, beside their manifest. */
function localParts(root: string, options: LoadOptions & Pick<SourcePlace, "binaries">): Parts {
  const place: SourcePlace & FilesPlace = { ...options, root, copies: new Limiter(FILES_AT_ONCE) };
  return {
    source: (component, report) => loadComponentSource(place, component, report),
    mounts: (component, report) => mountFiles(place, component, report),
    dependencies: (component, report) => loadDependencies(place, component, report),
  };
}

/** Finds, checks and hashes the module of a component; undefined if it cannot be had. */
export function loadComponentSource(
  place: SourcePlace,
  component: ManifestComponent,
  report: Report,
): Promise<ModuleSource | undefined> {
  const named = {
    componentId: component.id,
    source: component.source,
    at: [...component.path, "source"],
    hint: `${component.build ? "Run `spindle up --build`, or correct" : "Correct"} \`source\` in the manifest.`,
  };
  return loadModuleSource(place, named, report);
}
