// Mounts directories of the application themselves, for --direct-mounts: changes are seen at once.
//
// Paths are relative to the manifest, wherever Spindle is started. (Spin checks them there, but mounts
// them from the current directory.)

import type { FilesMount, KeyPath, ManifestComponent, MountSource } from "../manifest/mod.ts";
import { ApplicationPaths } from "./application-paths.ts";
import type { ApplicationRoot } from "./find-files.ts";
import type { Report } from "./report.ts";

export interface DirectMounting {
  readonly root: ApplicationRoot;
  readonly component: ManifestComponent;
  readonly access: "read" | "write";
}

/** Only directories can be mounted, and all that is in them. */
export async function mountDirectly(
  { root, component, access }: DirectMounting,
  report: Report,
): Promise<readonly MountSource[]> {
  if (component.excludeFiles.length > 0) {
    const message = "Cannot mount directly: `exclude_files` is not supported with --direct-mounts";
    report.error({ code: "FILES_DIRECT_MOUNT", message, path: [...component.path, "exclude_files"] });
  }
  const paths = new ApplicationPaths(root, report);
  const mounts = new Map<string, MountSource>();
  for (const [index, mount] of component.files.entries()) {
    const at = [...component.path, "files", index];
    const directory = await findDirectory(paths, mount, { at, report });
    if (!directory) continue;
    const { guestPath, hostPath } = directory;
    if (mounts.has(guestPath)) paths.refuseDestination(guestPath, "another directory is mounted there", at);
    else mounts.set(guestPath, { guestPath, hostPath, kind: "live", access });
  }
  return [...mounts.values()];
}

async function findDirectory(
  paths: ApplicationPaths,
  mount: FilesMount,
  { at, report }: { readonly at: KeyPath; readonly report: Report },
): Promise<Pick<MountSource, "guestPath" | "hostPath"> | undefined> {
  const [source, destination] =
    typeof mount === "string" ? [mount, mount] : [mount.source, mount.destination];
  const relative = paths.normalise(source, at);
  const target = relative === undefined ? undefined : paths.guestPath(destination, at);
  if (relative === undefined || target === undefined) return undefined;
  const place = await paths.find(relative, at);
  if (place === undefined) return undefined;
  if (place !== "nothing" && place.kind === "directory") {
    return { guestPath: `/${target}`, hostPath: place.realPath };
  }
  const message = `Cannot mount "${source}" directly: only directories can be mounted with --direct-mounts`;
  report.error({ code: "FILES_DIRECT_MOUNT", message, path: at });
  return undefined;
}
