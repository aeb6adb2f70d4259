// What the operating system says, as far as it is the operator's to mend.

/** `ENOENT`, `ECONNRESET` and the like; undefined for errors without a code. */
export function systemCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Codes of files and disks; none of them is one of the network. */
const FILE_STATES: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EDQUOT: "the quota of this user is used up",
  EEXIST: "there is something else of this name",
  EFBIG: "it would be too large for the disk",
  EIO: "the disk cannot be read or written",
  EISDIR: "it is a directory",
  EMFILE: "too many files are open",
  ENOENT: "no such file or directory",
  ENOSPC: "no space is left on the disk",
  ENOTDIR: "it is not a directory",
  EPERM: "permission denied",
  EROFS: "the disk is read-only",
};

/** What is wrong with a file, in words; undefined for other errors. */
export function fileStateOf(error: unknown): string | undefined {
  return FILE_STATES[systemCodeOf(error) ?? ""];
}
