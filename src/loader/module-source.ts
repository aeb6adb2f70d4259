// A component's source, as its manifest names it, to a WebAssembly binary on disk.

import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";

import type { ComponentSource, KeyPath, ModuleSource } from "../manifest/mod.ts";
import type { Report } from "./report.ts";

/** V8 refuses modules of more than 1 GiB; components of more than this are surely a mistake. */
const MODULE_BYTES_MAX = 512 * 1024 * 1024;

export interface SourcePlace {
  /** The directory of the manifest, or the current one for a module that was given by itself. */
  readonly root: string;
  readonly workingDirectory: string;
  readonly cacheDirectory: string;
  readonly signal: AbortSignal;
}

export interface NamedSource {
  readonly componentId: string;
  readonly source: ComponentSource;
  /** Where the manifest names it. */
  readonly at: KeyPath;
  readonly hasBuildCommand: boolean;
}

/** Finds, checks and hashes the source; undefined if it cannot be had, which `report` then knows. */
export async function loadModuleSource(
  place: SourcePlace,
  named: NamedSource,
  report: Report,
): Promise<ModuleSource | undefined> {
  if (typeof named.source === "string")
    return await loadFile(place, { ...named, source: named.source }, report);
  report.error({
    code: "COMPONENT_SOURCE_UNSUPPORTED",
    message: `Cannot load component "${named.componentId}": sources of this kind are not supported by this version`,
    path: named.at,
  });
  return undefined;
}

async function loadFile(
  { root }: SourcePlace,
  named: NamedSource & { readonly source: string },
  report: Report,
): Promise<ModuleSource | undefined> {
  const file = path.resolve(root, named.source);
  const fail = (state: string, hint?: string): undefined => {
    const message = `Cannot load component "${named.componentId}": ${state}`;
    report.error({ code: "COMPONENT_SOURCE_MISSING", message, hint, path: named.at });
  };
  const stats = await stat(file).catch(() => undefined);
  if (!stats) {
    const build = named.hasBuildCommand ? "Run `spindle build`, or correct `source`" : "Correct `source`";
    return fail(`${named.source} does not exist`, `${build} in the manifest.`);
  }
  if (!stats.isFile()) return fail(`${named.source} is not a file`);
  if (stats.size > MODULE_BYTES_MAX)
    return fail(`${named.source} is larger than ${MODULE_BYTES_MAX / 2 ** 20} MiB`);
  const bytes = await readFile(file);
  return { path: file, digest: digestOf(bytes), described: named.source };
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
