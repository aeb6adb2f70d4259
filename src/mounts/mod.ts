// The door of the mounts room: directories of the host, as components see them.

export { ContentCache, SnapshotChangedError } from "./content-cache.ts";
export { type MountOptions, mountDirectory, O_PATH } from "./mount-directory.ts";
export type { LiveMount, MountedDirectory, SnapshotMount } from "./mounted-directory.ts";
export type {
  SnapshotDirectory,
  SnapshotFile,
  SnapshotLink,
  SnapshotNode,
  SnapshotSpecial,
} from "./snapshot-tree.ts";
