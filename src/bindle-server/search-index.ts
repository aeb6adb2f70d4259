// Finds bindles by name and version. It holds ids only, never invoices.
//
// Anybody may ask, and an answer looks at every bindle: so what is asked is short, and is parsed once.

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

/** Characters of a query. Names of bindles are short. */
const QUERY_LENGTH_MAX = 256;
/** Each is looked for in every name. */
const QUERY_WORDS_MAX = 16;
/** Characters of a range of versions; parsing one takes longer than its length says. */
const VERSION_LENGTH_MAX = 256;

/** A query that is not looked for; the message says why. */
export class SearchError extends Error {}

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

  /**
   * What matches, in the order of the ids. Each word of the query has to be a part of the name.
   *
   * @throws SearchError
   */
  search({ query, version, yanked }: SearchQuery): readonly IndexedBindle[] {
    const words = wordsOf(query);
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

/** @throws SearchError */
function wordsOf(query: string): readonly string[] {
  if (query.length > QUERY_LENGTH_MAX) {
    throw new SearchError(`the query is longer than ${QUERY_LENGTH_MAX} characters`);
  }
  const words = query.split(/\s+/).filter((word) => word !== "");
  if (words.length > QUERY_WORDS_MAX) {
    throw new SearchError(`the query has more than ${QUERY_WORDS_MAX} words`);
  }
  return words;
}

/**
 * Versions in a range. A whole version means itself; in a range, a bare number means what it means to
 * Cargo, which the reference uses: `1.2` is `^1.2`, and commas join. What is no range matches nothing.
 *
 * @throws SearchError
 */
function versionFilter(text: string): (version: string) => boolean {
  if (text.length > VERSION_LENGTH_MAX) {
    throw new SearchError(`the version is longer than ${VERSION_LENGTH_MAX} characters`);
  }
  const wanted = text.trim();
  if (wanted === "") return () => true;
  if (semver.parse(wanted)) return (version) => version === wanted;
  const range = parseRange(wanted);
  return (version) => range?.test(version) ?? false;
}

/** Not `semver.satisfies()`, which parses the range for each version. */
function parseRange(text: string): semver.Range | undefined {
  const range = text
    .split(",")
    .map((part) => part.trim())
    .map((part) => (/^\d[\d.]*$/.test(part) ? `^${part}` : part))
    .join(" ");
  return semver.validRange(range) === null ? undefined : new semver.Range(range);
}
