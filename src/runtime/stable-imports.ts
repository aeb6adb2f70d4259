// Imports that answer the same in every call of a handler, so that an initialiser which asks one need
// run only once. Handlers get no arguments, and the environment of their component.

import { versionTrack } from "../component/mod.ts";

const PREVIEW_1_MODULES: ReadonlySet<string> = new Set(["wasi_snapshot_preview1", "wasi_unstable"]);

const PREVIEW_1_FUNCTIONS: ReadonlySet<string> = new Set([
  "args_get",
  "args_sizes_get",
  "environ_get",
  "environ_sizes_get",
  "fd_fdstat_get",
  "fd_prestat_dir_name",
  "fd_prestat_get",
]);

/** What a function gives must be no resource: handles of one call mean nothing in the next. */
const PREVIEW_2_FUNCTIONS: Readonly<Record<string, readonly string[]>> = {
  "wasi:cli/environment@0.2": ["get-environment", "get-arguments", "initial-cwd"],
};

export function isStableImport(module: string, name: string): boolean {
  if (PREVIEW_1_MODULES.has(module)) return PREVIEW_1_FUNCTIONS.has(name);
  return PREVIEW_2_FUNCTIONS[versionTrack(module)]?.includes(name) ?? false;
}
