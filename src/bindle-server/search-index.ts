// Finds bindles by name and version. It holds ids only, never invoices.
//
// A query waits until all that was stored before the server began has been read.

import semver from "semver";

import { type BindleId, formatBindleId } from "../registry/mod.ts";

export interface IndexedBindle extends BindleId {
  readonly yanked: boolean;
}

export interface SearchQuery {
  readonly query: string;
  readonly version: string;
  readonly yanked: boolean;
}

export class SearchIndex {
  readonly #bindles = new Map<string, IndexedBindle>();

  /** Adds a bindle, or says something new of it. */
  put(bindle: IndexedBindle): void {
    const { name, version, yanked } = bindle;
    this.#bindles.set(formatBindleId(bindle), { name, version, yanked });
  }

  /** Adds a bindle, unless it is known already. */
  putOlder(bindle: IndexedBindle): void {
    if (!this.#bindles.has(formatBindleId(bindle))) this.put(bindle);
  }

  /** What matches, in the order of the ids. Each word of the query has to be a part of the name. */
  search({ query, version, yanked }: SearchQuery): readonly IndexedBindle[] {
    const words = query.split(/\s+/).filter((word) => word !== "");
    const isWanted = versionFilter(version);
    return [...this.#bindles]
      .filter(
        ([, bindle]) =>
          (yanked || !bindle.yanked) &&
          words.every((word) => bindle.name.includes(word)) &&
          isWanted(bindle.version),
      )
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([, bindle]) => bindle);
  }
}

/**
 * Versions in a range. A whole version means itself; in a range, a bare number means what it means to
 * Cargo, which the reference uses: `1.2` is `^1.2`, and commas join. What is no range matches nothing.
 */
function versionFilter(text: string): (version: string) => boolean {
  const wanted = text.trim();
  if (wanted === "") return () => true;
  if (semver.parse(wanted)) return (version) => version === wanted;
  const range = wanted
    .split(",")
    .map((part) => part.trim())
    .map((part) => (/^\d[\d.]*$/.test(part) ? `^${part}` : part))
    .join(" ");
  return (version) => semver.satisfies(version, range);
}
