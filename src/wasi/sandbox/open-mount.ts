// Opens the root of a mount, once per component; every call begins there.

import type { MountedDirectory } from "../../mounts/mod.ts";
import type { OpenDirectory } from "./filesystem.ts";
import { openLiveMount } from "./live-directory.ts";
import { OpenSnapshotDirectory } from "./snapshot-directory.ts";

export function openMount(mount: MountedDirectory): OpenDirectory {
  switch (mount.kind) {
    case "snapshot":
      return new OpenSnapshotDirectory(mount);
    case "live":
      return openLiveMount(mount);
  }
}
