// `spindle inspect`: loads an application as `up` does, and prints what it is made of.

import { formatDiagnostic } from "../../errors/mod.ts";
import { inspectApplication } from "../../host/mod.ts";
import { findApplication, loadApplication } from "../../loader/mod.ts";
import { withProgress } from "../progress.ts";
import { cacheDirectoryOf, workingDirectoryOf } from "../up/directories.ts";
import { inspectionData } from "./data.ts";
import type { InspectOptions } from "./options.ts";
import { inspectionText } from "./text.ts";

/** Gives the exit code: what cannot run is a finding here, not a failure. */
export async function inspect(options: InspectOptions): Promise<number> {
  const { from, componentId, profile, json } = options;
  const cacheDirectory = cacheDirectoryOf(options);
  const { application, warnings } = await loadApplication({
    ...(from !== undefined && { from }),
    ...(componentId !== undefined && { componentIds: componentId }),
    ...(profile !== undefined && { profile }),
    directMounts: false,
    allowTransientWrite: false,
    workingDirectory: workingDirectoryOf({}),
    cacheDirectory,
    // Nobody waits for it after a signal: the process exits.
    signal: new AbortController().signal,
    progress() {},
  });
  for (const warning of warnings) process.stderr.write(`${formatDiagnostic(warning)}\n`);
  const components = await withProgress(
    process.stderr,
    "Inspecting Wasm modules",
    inspectApplication(application, { cacheDirectory }),
  );
  const { kind } = await findApplication(from);
  const print = json
    ? `${JSON.stringify(inspectionData(application, components), undefined, 2)}\n`
    : inspectionText({ application, components, kind });
  process.stdout.write(print);
  return 0;
}
