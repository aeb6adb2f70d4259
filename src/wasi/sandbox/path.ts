// Reads the paths that guests give.

import { failure } from "./errno.ts";

/** In UTF-16 units, of which each is at least a byte. As `PATH_MAX` of Linux. */
const PATH_UNITS_MAX = 4096;

/** Symbolic links followed in one look-up. As on Linux. */
export const LINKS_FOLLOWED_MAX = 40;

export interface GuestPath {
  /** Without empty ones and ".": names and "..". None at all for ".". */
  readonly segments: readonly string[];
  /** The path ends in "/", "/." or "..", so that it can only mean a directory. */
  readonly mustBeDirectory: boolean;
}

/**
 * Splits a path of a guest.
 *
 * Fails with NOENT for an empty path, PERM for an absolute one (the guest resolves those against its
 * preopens), INVAL for one with a NUL, NAMETOOLONG past 4,096 units.
 */
export function parseGuestPath(path: string): GuestPath {
  if (path === "") throw failure("NOENT");
  if (path.startsWith("/")) throw failure("PERM");
  if (path.includes("\0")) throw failure("INVAL");
  if (path.length > PATH_UNITS_MAX) throw failure("NAMETOOLONG");
  const written = path.split("/");
  const last = written.at(-1);
  return {
    segments: written.filter((segment) => segment !== "" && segment !== "."),
    mustBeDirectory: last === "" || last === "." || last === "..",
  };
}
