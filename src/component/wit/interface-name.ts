// Names of interfaces, such as `wasi:io/streams@0.2.3`, and which version can serve which.

export interface InterfaceTrack {
  /** The name without its version. */
  readonly name: string;
  /** Versions on one track can stand in for each other: `0.2`, `1`; a pre-release stands only for itself. */
  readonly track: string;
  /** `undefined` for a name without a version. */
  readonly version: string | undefined;
}

/** A version of semver that is no pre-release. */
const RELEASE = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:\+[\w.-]+)?$/;

export function trackOf(interfaceName: string): InterfaceTrack {
  const at = interfaceName.indexOf("@");
  if (at < 0) return { name: interfaceName, track: "", version: undefined };
  const version = interfaceName.slice(at + 1);
  return { name: interfaceName.slice(0, at), track: versionTrack(version), version };
}

/** A pre-release stands for itself, and so does what is no version. */
function versionTrack(text: string): string {
  const release = RELEASE.exec(text);
  if (!release) return text;
  const [, major, minor, patch] = release;
  if (major !== "0") return `${major}`;
  return minor !== "0" ? `0.${minor}` : `0.0.${patch}`;
}

/** The interface that serves what is asked for by the name `wanted`: the highest version on its track. */
export function findOnTrack(wanted: string, offered: Iterable<string>): string | undefined {
  const { name, track } = trackOf(wanted);
  let best: string | undefined;
  for (const candidate of offered) {
    // Most have another name: that is told without their versions.
    if (!candidate.startsWith(name)) continue;
    const of = trackOf(candidate);
    if (of.name !== name || of.track !== track) continue;
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
  const [a, b] = [releaseOf(one), releaseOf(other)];
  const at = a.findIndex((number, index) => number !== b[index]);
  return at >= 0 && (a[at] ?? 0n) > (b[at] ?? 0n);
}

/** Its numbers; none if it has no version, or a pre-release. */
function releaseOf(interfaceName: string): bigint[] {
  const release = RELEASE.exec(trackOf(interfaceName).version ?? "");
  return release ? release.slice(1).map(BigInt) : [];
}
