// Where an application that is run from the command line keeps what it keeps.

import { homedir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { SpindleError } from "../../errors/mod.ts";
import { createWorkingDirectory } from "../../loader/mod.ts";
import type { Application } from "../../manifest/mod.ts";
import { makeDirectory } from "../../paths/mod.ts";

/** Where log files go; undefined for nowhere. */
export function logDirectoryOf(
  application: Application,
  { logDir, stateDir }: { readonly logDir?: string; readonly stateDir?: string },
): string | undefined {
  if (logDir !== undefined) return logDir === "" ? undefined : logDir;
  const state = stateDirectoryOf(application, stateDir);
  return state === undefined ? undefined : join(state, "logs");
}

/** The state directory, as the user would type it; what is run without a manifest on disk has none. */
function stateDirectoryOf({ metadata }: Application, given: string | undefined): string | undefined {
  if (given !== undefined) return given === "" ? undefined : given;
  if (!metadata.origin.startsWith("file:")) return undefined;
  const origin = fileURLToPath(metadata.origin);
  if (!origin.endsWith(".toml")) return undefined;
  const fromHere = relative(process.cwd(), dirname(origin));
  return join(fromHere.startsWith("..") ? dirname(origin) : fromHere, ".spin");
}

/** Where downloads are kept, as each system has it. */
export function cacheDirectoryOf({ cacheDir }: { readonly cacheDir?: string }): string {
  if (cacheDir !== undefined) return resolve(cacheDir);
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  switch (process.platform) {
    case "darwin":
      return join(homedir(), "Library", "Caches", "spindle");
    case "win32":
      return join(LOCALAPPDATA ?? join(homedir(), "AppData", "Local"), "spindle");
    default:
      return join(XDG_CACHE_HOME || join(homedir(), ".cache"), "spindle");
  }
}

/**
 * Makes the directory that files are copied to: `temp`, which is the user's and stays, or a temporary one, which is
 * gone when the process is, whether it ends by itself, by an error, or by a signal that is handled.
 */
export function workingDirectoryOf({ temp }: { readonly temp?: string }): string {
  try {
    if (temp !== undefined) {
      makeDirectory(temp);
      return resolve(temp);
    }
    const made = createWorkingDirectory();
    process.once("exit", () => made.removeNow());
    return made.path;
  } catch (cause) {
    throw new SpindleError(
      "WORKING_DIRECTORY_UNUSABLE",
      `Cannot make the working directory${temp ? ` "${temp}"` : ""}`,
      {
        hint: "Choose a directory that can be written with `--temp`.",
        cause,
      },
    );
  }
}
