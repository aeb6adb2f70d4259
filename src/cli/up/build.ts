// `up --build`: runs the build commands of a manifest, one component after the other, before anything is loaded.

import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { SpindleError } from "../../errors/mod.ts";
import { findApplication } from "../../loader/mod.ts";
import { type BuildCommand, parseManifest } from "../../manifest/mod.ts";

export interface BuildOptions {
  readonly from?: string;
  readonly profile?: string;
  readonly componentId?: readonly string[];
  /** Told what is being built. */
  readonly report: (line: string) => void;
}

/** A module that is run by itself has nothing to build. */
export async function buildApplication(options: BuildOptions): Promise<void> {
  const place = await findApplication(options.from);
  if (place.kind === "module") return;
  const text = await readFile(place.path, "utf8");
  const profile = options.profile === undefined ? {} : { profile: options.profile };
  const { manifest } = parseManifest({ path: place.path, text }, profile);
  const chosen = manifest.components.filter(({ id }) => options.componentId?.includes(id) ?? true);
  const builds = chosen.flatMap(({ id, build }) => (build ? [{ id, build }] : []));
  if (builds.length === 0) options.report("None of the components have a build command.");
  for (const { id, build } of builds)
    await buildComponent(id, build, { root: dirname(place.path), ...options });
  if (builds.length > 0) options.report("Finished building all Spin components");
}

async function buildComponent(
  id: string,
  build: BuildCommand,
  { root, report }: { readonly root: string; readonly report: (line: string) => void },
): Promise<void> {
  const cwd = resolve(root, build.workdir);
  for (const command of build.commands) {
    report(`Building component ${id} with \`${command}\``);
    const status = await runShell(command, cwd);
    if (status === 0) continue;
    throw new SpindleError(
      "BUILD_FAILED",
      `Cannot build component "${id}": \`${command}\` ended with ${status}`,
      {
        hint: `Run it in ${cwd} to see what is missing, or start without \`--build\`.`,
      },
    );
  }
}

/**
 * Runs a command in the shell of the platform, and gives its exit code, or what else ended it. It prints to our standard
 * error. If this process exits before, as after a signal, the command gets a SIGTERM.
 *
 * It has a process group of its own, or the signal would reach the shell and not what the shell runs. Not at a terminal:
 * there it would lose the terminal that it may ask its user on, and a Ctrl-C reaches all of it anyway.
 */
function runShell(command: string, cwd: string): Promise<number | string> {
  const { promise, resolve } = Promise.withResolvers<number | string>();
  const detached = process.platform !== "win32" && !process.stdin.isTTY;
  const child = spawn(command, { shell: true, cwd, stdio: ["inherit", 2, 2], detached });
  const stop = () => {
    if (child.pid !== undefined) terminate(detached ? -child.pid : child.pid);
  };
  const settle = (status: number | string) => {
    process.off("exit", stop);
    resolve(status);
  };
  process.once("exit", stop);
  child.once("error", (error) => settle(error.message));
  child.once("exit", (code, signal) => settle(code ?? signal ?? "nothing"));
  return promise;
}

function terminate(pid: number): void {
  try {
    process.kill(pid, "SIGTERM");
  } catch {
    // It ended at this moment, and there is nothing left to end.
  }
}
