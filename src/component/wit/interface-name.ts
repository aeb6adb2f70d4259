// Names of interfaces, such as `wasi:io/streams@0.2.3`, and which version can serve which.

import { compare, parse } from "semver";

export interface InterfaceTrack {
  /** The name without its version. */
  readonly name: string;
  /** Versions on one track can stand in for each other: `0.2`, `1`; a pre-release stands only for itself. */
  readonly track: string;
  /** `undefined` for a name without a version. */
  readonly version: string | undefined;
}

export function trackOf(interfaceName: string): InterfaceTrack {
  const at = interfaceName.indexOf("@");
  if (at < 0) return { name: interfaceName, track: "", version: undefined };
  const version = interfaceName.slice(at + 1);
  return { name: interfaceName.slice(0, at), track: versionTrack(version), version };
}

/** What is no version stands for itself too. */
function versionTrack(text: string): string {
  const version = parse(text);
  if (version === null || version.prerelease.length > 0) return text;
  const { major, minor } = version;
  if (major > 0) return `${major}`;
  return minor > 0 ? `0.${minor}` : version.version;
}

/** The interface that serves what is asked for by the name `wanted`: the highest version on its track. */
export function findOnTrack(wanted: string, offered: Iterable<string>): string | undefined {
  let best: string | undefined;
  for (const candidate of offered) {
    if (!isOnTrack(wanted, candidate)) continue;
    if (best === undefined || isHigher(candidate, best)) best = candidate;
  }
  return best;
}

/** Whether two names are of the same interface in versions that can stand in for each other. */
export function isOnTrack(wanted: string, offered: string): boolean {
  if (wanted === offered) return true;
  const [a, b] = [trackOf(wanted), trackOf(offered)];
  return a.name === b.name && a.track === b.track;
}

/** Of two names on one track. */
function isHigher(one: string, other: string): boolean {
  const [a, b] = [trackOf(one).version, trackOf(other).version];
  return parse(a) !== null && parse(b) !== null && compare(a ?? "", b ?? "") > 0;
}
