// Versions of interfaces that stand in for each other.

import { trackOf } from "../wit/interface-name.ts";

/**
 * The name of an interface with as much of its version as has to match: `a:b/c@1` for 1.2.3, `a:b/c@0.2`
 * for 0.2.6. Versions below 0.1 and pre-releases match only literally.
 */
export function versionTrack(interfaceName: string): string {
  const { name, track } = trackOf(interfaceName);
  return track === "" ? name : `${name}@${track}`;
}
