// Makes the files of a component out of parcels.
//
// Parcels do not change. So a component that only reads its files can be given links to parcels, which
// takes a fraction of the time that copies take. It needs a file system that has both.

import { linkSync, mkdirSync, rmSync } from "node:fs";
import path from "node:path";

import type { ManifestComponent, MountSource } from "../../manifest/mod.ts";
import type { BindleContents, Label } from "../../registry/mod.ts";
import { type FilesPlace, mountCopies, type PlannedCopy } from "../component-files.ts";
import { isFileSystemError } from "../file-system-error.ts";
import type { Report } from "../report.ts";

export interface ParcelsPlace extends Omit<FilesPlace, "root" | "directMounts"> {
  /** Links only where the working directory is new, and nobody writes to what is in it. */
  readonly files: "copies" | "links";
}

/** Mounts parcels at "/", at their paths relative to it. */
export async function mountParcels(
  place: ParcelsPlace,
  { contents, component, files }: ComponentFiles,
  report: Report,
): Promise<readonly MountSource[]> {
  if (component.files.length === 0) return [];
  const assets = path.join(place.workingDirectory, "assets", component.id);
  const named = Array.from(files, ([name, label]) => ({ path: name, realPath: contents.pathOf(label) }));
  if (place.files === "links" && !place.allowTransientWrite && linkAll(assets, named)) {
    return [{ guestPath: "/", hostPath: assets, kind: "snapshot", access: "read" }];
  }
  const copies = new Map<string, PlannedCopy>(
    named.map((file) => [file.path, { ...file, at: component.path }]),
  );
  return await mountCopies(place, { componentId: component.id, copies }, report);
}

export interface ComponentFiles {
  readonly contents: BindleContents;
  readonly component: ManifestComponent;
  /** By their paths, relative to "/". */
  readonly files: ReadonlyMap<string, Label>;
}

/** Links all files, or none: another disk has no links to this one, and a file takes only so many. */
function linkAll(assets: string, files: readonly { readonly path: string; readonly realPath: string }[]) {
  const made = new Set<string>();
  try {
    mkdirSync(assets, { recursive: true });
    for (const file of files) {
      const target = path.join(assets, file.path);
      const parent = path.dirname(target);
      if (!made.has(parent)) mkdirSync(parent, { recursive: true });
      made.add(parent);
      linkSync(file.realPath, target);
    }
    return true;
  } catch (error) {
    if (!isFileSystemError(error)) throw error;
    // Nothing may be left: a copy to the place of a link would change the parcel.
    rmSync(assets, { recursive: true, force: true });
    return false;
  }
}
