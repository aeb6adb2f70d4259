// The door of the mounts room: directories of the host, as components see them.

export { ContentCache, SnapshotChangedError } from "./content-cache.ts";
export { type MountOptions, type MountRequest, mountDirectory } from "./mount-directory.ts";
export type {
  LiveMount,
  MountedDirectory,
  SnapshotDirectory,
  SnapshotFile,
  SnapshotLink,
  SnapshotMount,
  SnapshotNode,
  SnapshotSpecial,
} from "./mounted-directory.ts";
