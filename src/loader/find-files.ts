// Finds the files of an application that patterns name, and nothing outside of it.
//
// Symbolic links are followed, as Spin does, but only to places inside the application: a link that
// leads out of it, or in a circle, is a problem that is reported, never a way out.

import type { Dirent, Stats } from "node:fs";
import { lstat, readdir, realpath, stat } from "node:fs/promises";
import path from "node:path";

import type { GlobSegment } from "../paths/mod.ts";
import type { Problem } from "./report.ts";

/** A file of the application. */
export interface FoundFile {
  /** Relative to the application, with slashes. */
  readonly path: string;
  /** Absolute, without symbolic links. */
  readonly realPath: string;
}

/** Entries that one pattern may look at; links between directories could make it endless. */
const ENTRIES_MAX = 200_000;
/** Problems of one pattern that are kept. */
const PROBLEMS_MAX = 50;

export interface ApplicationRoot {
  /** Absolute, without symbolic links. */
  readonly realPath: string;
  /** A directory that is never entered: where the files are copied to. Without symbolic links. */
  readonly skipped: string;
  readonly signal: AbortSignal;
}

/** What a search finds, in the order of the names. Problems do not end it. */
export interface Search {
  readonly files: readonly FoundFile[];
  readonly problems: readonly Omit<Problem, "path">[];
}

export interface SearchRequest {
  readonly segments: readonly GlobSegment[];
  /** Files that are left out, and links that may lead where they like. */
  readonly isExcluded: (path: string) => boolean;
  readonly entriesMax?: number;
}

/** Finds the files that a pattern, taken apart, matches. */
export async function findFiles(root: ApplicationRoot, request: SearchRequest): Promise<Search> {
  const finder = new FileFinder(root, request);
  await finder.visit({ path: "", realPath: root.realPath, above: [] }, 0);
  return { files: [...finder.files.values()], problems: finder.problems };
}

/** Whether an absolute path without links is in the application. */
export function isInside(root: ApplicationRoot, realPath: string): boolean {
  return realPath === root.realPath || realPath.startsWith(root.realPath + path.sep);
}

/** A directory on the way down. */
interface Directory extends FoundFile {
  /** The real paths of the directories above, to notice circles. */
  readonly above: readonly string[];
}

type Kind = Pick<Stats, "isFile" | "isDirectory" | "isSymbolicLink">;

/** An entry of a directory, which says what it is, or a name in a pattern, which does not. */
type Named = Dirent | { readonly name: string };

/** What is at a path, links followed. */
interface Entry {
  readonly realPath: string;
  readonly kind: Kind;
  readonly isOutside: boolean;
}

const CYCLE = "it leads back to a directory above it";
const OUTSIDE = "it is a symbolic link to a place outside the application";

class FileFinder {
  readonly files = new Map<string, FoundFile>();
  readonly #root: ApplicationRoot;
  readonly #request: SearchRequest;
  /** By message, because `**` comes to the same entry on several ways. */
  readonly #problems = new Map<string, Omit<Problem, "path">>();
  /** Directories and the segment that they were visited with: `**` comes to the same place on many ways. */
  readonly #visited = new Set<string>();
  /** Where links lead, and what is in directories: links between directories lead to them again and again. */
  readonly #links = new Map<string, Promise<Entry | undefined>>();
  readonly #listings = new Map<string, Promise<readonly Dirent[]>>();
  #entriesLeft: number;
  #isGivenUp = false;

  constructor(root: ApplicationRoot, request: SearchRequest) {
    this.#root = root;
    this.#request = request;
    this.#entriesLeft = request.entriesMax ?? ENTRIES_MAX;
  }

  get problems(): readonly Omit<Problem, "path">[] {
    return [...this.#problems.values()];
  }

  /** Looks in a directory for what the segments from `index` on match. */
  async visit(directory: Directory, index: number): Promise<void> {
    const segment = this.#request.segments[index];
    const key = `${index} ${directory.path}`;
    if (!segment || this.#visited.has(key) || directory.realPath === this.#root.skipped) return;
    this.#visited.add(key);
    this.#root.signal.throwIfAborted();
    if (segment.kind === "name") return await this.#enter(directory, segment, index + 1);
    if (segment.kind === "directories") await this.visit(directory, index + 1);
    for (const found of await this.#list(directory)) {
      if (--this.#entriesLeft < 0) this.#giveUp("FILES_TOO_MANY", ".", this.#tooMany());
      if (this.#isGivenUp) return;
      if (segment.kind === "directories") await this.#enter(directory, found, index);
      else if (segment.matches(found.name)) await this.#enter(directory, found, index + 1);
    }
  }

  /** Takes an entry if nothing of the pattern is left, or goes on below it. */
  async #enter(directory: Directory, found: Named, next: number): Promise<void> {
    const entryPath = directory.path === "" ? found.name : `${directory.path}/${found.name}`;
    const wantsFile = next === this.#request.segments.length;
    const isExcluded = this.#request.isExcluded(entryPath);
    if (wantsFile && isExcluded) return;
    const entry = await this.#resolve(path.join(directory.realPath, found.name), found);
    if (!entry) return;
    if (entry.isOutside) {
      if (!isExcluded) this.#problem("FILES_OUTSIDE", entryPath, OUTSIDE);
    } else if (wantsFile && entry.kind.isFile()) {
      this.files.set(entryPath, { path: entryPath, realPath: entry.realPath });
    } else if (!wantsFile && entry.kind.isDirectory()) {
      const above = [...directory.above, directory.realPath];
      const isCycle = this.#request.segments[next]?.kind === "directories" && above.includes(entry.realPath);
      if (isCycle) this.#giveUp("FILES_SYMLINK_CYCLE", entryPath, CYCLE);
      else await this.visit({ path: entryPath, realPath: entry.realPath, above }, next);
    }
  }

  async #resolve(direct: string, found: Named): Promise<Entry | undefined> {
    const kind = "isFile" in found ? found : await lstat(direct).catch(() => undefined);
    if (!kind?.isSymbolicLink()) return kind && { realPath: direct, kind, isOutside: false };
    return await getOrMake(this.#links, direct, async () => {
      // A link that leads to nothing is left out, as Spin leaves it out.
      const realPath = await realpath(direct).catch(() => undefined);
      const target = realPath === undefined ? undefined : await stat(realPath).catch(() => undefined);
      if (realPath === undefined || !target) return undefined;
      return { realPath, kind: target, isOutside: !isInside(this.#root, realPath) };
    });
  }

  #list(directory: Directory): Promise<readonly Dirent[]> {
    return getOrMake(this.#listings, directory.realPath, async () => {
      try {
        const entries = await readdir(directory.realPath, { withFileTypes: true });
        return entries.sort((one, other) => (one.name < other.name ? -1 : 1));
      } catch (cause) {
        const state = cause instanceof Error ? cause.message : String(cause);
        this.#problem("FILES_UNREADABLE", directory.path, state);
        return [];
      }
    });
  }

  #tooMany(): string {
    return `the pattern looks at more than ${this.#request.entriesMax ?? ENTRIES_MAX} files and directories`;
  }

  /** Ends the search: where links lead in a circle, they can do so in very many ways, and one is enough. */
  #giveUp(code: Problem["code"], at: string, state: string): void {
    if (!this.#isGivenUp) this.#problem(code, at, state);
    this.#isGivenUp = true;
  }

  #problem(code: Problem["code"], at: string, state: string): void {
    const message = `Cannot mount "${at}": ${state}`;
    if (this.#problems.size < PROBLEMS_MAX) this.#problems.set(message, { code, message });
  }
}

function getOrMake<T>(made: Map<string, T>, key: string, make: () => T): T {
  const known = made.get(key);
  if (known !== undefined) return known;
  const value = make();
  made.set(key, value);
  return value;
}
