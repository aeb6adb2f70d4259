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

class FileFinder {
  readonly files = new Map<string, FoundFile>();
  readonly problems: Omit<Problem, "path">[] = [];
  readonly #root: ApplicationRoot;
  readonly #segments: readonly GlobSegment[];
  readonly #isExcluded: (path: string) => boolean;
  /** Directories and the segment that they were visited with: `**` comes to the same place on many ways. */
  readonly #visited = new Set<string>();
  #entriesLeft = ENTRIES_MAX;

  constructor(root: ApplicationRoot, { segments, isExcluded }: SearchRequest) {
    this.#root = root;
    this.#segments = segments;
    this.#isExcluded = isExcluded;
  }

  /** Looks in a directory for what the segments from `index` on match. */
  async visit(directory: Directory, index: number): Promise<void> {
    const segment = this.#segments[index];
    const key = `${index} ${directory.path}`;
    if (!segment || this.#visited.has(key) || directory.realPath === this.#root.skipped) return;
    this.#visited.add(key);
    this.#root.signal.throwIfAborted();
    if (segment.kind === "name") return await this.#enter(directory, segment.name, index + 1);
    if (segment.kind === "directories") await this.visit(directory, index + 1);
    for (const { name } of await this.#list(directory)) {
      if (this.#entriesLeft-- <= 0) return this.#tooMany();
      if (segment.kind === "directories") await this.#enter(directory, name, index);
      else if (segment.matches(name)) await this.#enter(directory, name, index + 1);
    }
  }

  /** Takes an entry if nothing of the pattern is left, or goes on below it. */
  async #enter(directory: Directory, name: string, next: number): Promise<void> {
    const entryPath = directory.path === "" ? name : `${directory.path}/${name}`;
    const wantsFile = next === this.#segments.length;
    if (wantsFile && this.#isExcluded(entryPath)) return;
    const entry = await this.#resolve(directory, name, entryPath);
    if (!entry) return;
    if (wantsFile && entry.stats.isFile()) {
      this.files.set(entryPath, { path: entryPath, realPath: entry.realPath });
    } else if (!wantsFile && entry.stats.isDirectory()) {
      const above = [...directory.above, directory.realPath];
      if (above.includes(entry.realPath))
        this.#problem("FILES_SYMLINK_CYCLE", entryPath, "it leads back to a directory above it");
      else await this.visit({ path: entryPath, realPath: entry.realPath, above }, next);
    }
  }

  /** Follows links; undefined if there is nothing, or nothing that may be had. */
  async #resolve(
    directory: Directory,
    name: string,
    entryPath: string,
  ): Promise<{ readonly realPath: string; readonly stats: Stats } | undefined> {
    const direct = path.join(directory.realPath, name);
    const stats = await lstat(direct).catch(() => undefined);
    if (!stats?.isSymbolicLink()) return stats && { realPath: direct, stats };
    // A link that leads to nothing is left out, as Spin leaves it out.
    const target = await realpath(direct).catch(() => undefined);
    const targetStats = target === undefined ? undefined : await stat(target).catch(() => undefined);
    if (target === undefined || !targetStats) return undefined;
    if (isInside(this.#root, target)) return { realPath: target, stats: targetStats };
    if (!this.#isExcluded(entryPath)) {
      this.#problem("FILES_OUTSIDE", entryPath, "it is a symbolic link to a place outside the application");
    }
    return undefined;
  }

  async #list(directory: Directory): Promise<readonly Dirent[]> {
    try {
      const entries = await readdir(directory.realPath, { withFileTypes: true });
      return entries.sort((one, other) => (one.name < other.name ? -1 : 1));
    } catch (cause) {
      this.#problem(
        "FILES_UNREADABLE",
        directory.path,
        cause instanceof Error ? cause.message : String(cause),
      );
      return [];
    }
  }

  #tooMany(): void {
    if (this.problems.some(({ code }) => code === "FILES_TOO_MANY")) return;
    const message = `Cannot mount files: the pattern looks at more than ${ENTRIES_MAX} entries`;
    this.problems.push({
      code: "FILES_TOO_MANY",
      message,
      hint: "Name the directories that the component needs.",
    });
  }

  #problem(
    code: "FILES_OUTSIDE" | "FILES_SYMLINK_CYCLE" | "FILES_UNREADABLE",
    at: string,
    state: string,
  ): void {
    const message = `Cannot mount "${at}": ${state}`;
    // `**` comes to the same entry on two ways.
    if (!this.problems.some((problem) => problem.message === message)) this.problems.push({ code, message });
  }
}
