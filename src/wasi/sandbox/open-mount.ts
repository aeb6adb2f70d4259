// Opens the root of a mount, once per component; every call begins there.

import type { MountedDirectory } from "../../mounts/mod.ts";
import type { OpenDirectory } from "./filesystem.ts";
import { OpenSnapshotDirectory } from "./snapshot-directory.ts";

export function openMount(mount: MountedDirectory): OpenDirectory {
  switch (mount.kind) {
    case "snapshot":
      return new OpenSnapshotDirectory(mount);
    case "live":
      throw new Error("Live mounts are not open yet");
  }
}
