// Versions of interfaces that stand in for each other.

/** `namespace:package/interface@version` */
const VERSIONED = /^(.+)@(\d+)\.(\d+)\.(\d+)(-[^+]+)?(\+.*)?$/;

/**
 * The name of an interface with as much of its version as has to match: `a:b/c@1` for 1.2.3, `a:b/c@0.2`
 * for 0.2.6. Versions below 0.1 and pre-releases match only literally.
 */
export function versionTrack(name: string): string {
  const [, path, major, minor, patch, prerelease] = VERSIONED.exec(name) ?? [];
  if (path === undefined || prerelease !== undefined) return name;
  if (major !== "0") return `${path}@${major}`;
  return minor === "0" ? `${path}@0.0.${patch}` : `${path}@0.${minor}`;
}
