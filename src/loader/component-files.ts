// The files of one component: which they are, and how it comes to see them.
//
// By default they are copied below the working directory, and the copy is mounted at "/". The rules are
// those of `crates/loader/src/local.rs` of Spin at v4.0.2, but that nothing outside the application can
// be had: not by "..", not by an absolute path, not by a symbolic link.

import { chmod, constants, copyFile, mkdir, realpath, stat, utimes } from "node:fs/promises";
import path from "node:path";

import type { FilesMount, KeyPath, ManifestComponent, MountSource } from "../manifest/mod.ts";
import {
  type GlobSegment,
  GlobSyntaxError,
  looksLikeGlob,
  parseGlob,
  parseGlobSegments,
} from "../paths/mod.ts";
import { ApplicationPaths, type FoundPlace } from "./application-paths.ts";
import { mountDirectly } from "./direct-mounts.ts";
import { failureOf, makeInWorkingDirectory } from "./file-system-error.ts";
import { type ApplicationRoot, type FoundFile, findFiles } from "./find-files.ts";
import { type Limiter, settleAll } from "./limiter.ts";
import type { Report } from "./report.ts";

export interface FilesPlace {
  /** The directory of the manifest. */
  readonly root: string;
  readonly workingDirectory: string;
  readonly directMounts: boolean;
  readonly allowTransientWrite: boolean;
  /** Bounds how many files are copied at once, in all components together. */
  readonly copies: Limiter;
  readonly signal: AbortSignal;
}

/** Makes the files of a component ready to be mounted. Problems go to `report`. */
export async function mountFiles(
  place: FilesPlace,
  component: ManifestComponent,
  report: Report,
): Promise<readonly MountSource[]> {
  if (component.files.length === 0) return [];
  if (place.directMounts) {
    const access = place.allowTransientWrite ? "write" : "read";
    return await mountDirectly({ root: await rootOf(place), component, access }, report);
  }
  const copies = await planFiles(place, component, report);
  return await mountCopies(place, { componentId: component.id, copies }, report);
}

/** Finds the files of a component, by the paths at which it sees them, relative to "/". */
export async function planFiles(
  place: Pick<FilesPlace, "root" | "workingDirectory" | "signal">,
  component: ManifestComponent,
  report: Report,
): Promise<ReadonlyMap<string, PlannedCopy>> {
  const plan = new CopyPlan({ root: await rootOf(place), component, report });
  for (const [index, mount] of component.files.entries()) await plan.add(mount, index);
  return plan.copies;
}

async function rootOf(
  place: Pick<FilesPlace, "root" | "workingDirectory" | "signal">,
): Promise<ApplicationRoot> {
  const skipped = await realpath(place.workingDirectory);
  return { realPath: await realpath(place.root), skipped, signal: place.signal };
}

/** Copies the files of a component below the working directory, and mounts the copies. */
export async function mountCopies(
  place: Omit<FilesPlace, "root" | "directMounts">,
  {
    componentId,
    copies,
  }: { readonly componentId: string; readonly copies: ReadonlyMap<string, PlannedCopy> },
  report: Report,
): Promise<readonly MountSource[]> {
  const isWritable = place.allowTransientWrite;
  const assets = path.join(place.workingDirectory, "assets", componentId);
  await makeInWorkingDirectory(() => mkdir(assets, { recursive: true }));
  if (!report.hasErrors) await copyAll(place, { assets, copies }, report);
  const access = isWritable ? "write" : "read";
  return [{ guestPath: "/", hostPath: assets, kind: isWritable ? "live" : "snapshot", access }];
}

interface Planning {
  readonly root: ApplicationRoot;
  readonly component: ManifestComponent;
  readonly report: Report;
}

/** A file, and where the manifest names it. */
export interface PlannedCopy extends FoundFile {
  readonly at: KeyPath;
}

/** Which files are copied to where, before any is. */
class CopyPlan {
  /** By the path at which the component sees the file, relative to "/". Of two files later ones win. */
  readonly copies = new Map<string, PlannedCopy>();
  readonly #component: ManifestComponent;
  readonly #root: ApplicationRoot;
  readonly #report: Report;
  readonly #paths: ApplicationPaths;
  readonly #excludes: readonly { matchesPath(path: string): boolean }[];

  constructor({ root, component, report }: Planning) {
    this.#component = component;
    this.#root = root;
    this.#report = report;
    this.#paths = new ApplicationPaths(root, report);
    this.#excludes = component.excludeFiles.flatMap((pattern, index) => {
      const at = [...component.path, "exclude_files", index];
      return this.#parsePattern(pattern, at, parseGlob) ?? [];
    });
  }

  async add(mount: FilesMount, index: number): Promise<void> {
    const at = [...this.#component.path, "files", index];
    if (typeof mount === "string") await this.#addPattern(mount, at);
    else await this.#addPlacement(mount, at);
  }

  /** A pattern keeps the paths of what it matches. */
  async #addPattern(pattern: string, at: KeyPath): Promise<void> {
    if (/(^|\/)\.\.?$/.test(pattern) || pattern === "") {
      const message = `Invalid file pattern ${JSON.stringify(pattern)}: it must not end in "." or ".."`;
      this.#report.error({ code: "FILES_PATTERN", message, hint: hintForDirectory("dir"), path: at });
      return;
    }
    this.#warnOfEverything(pattern, at);
    const relative = this.#paths.normalise(pattern, at);
    const place = relative === undefined ? undefined : await this.#paths.find(relative, at);
    if (relative === undefined || place === undefined) return;
    if (place === "nothing" && looksLikeGlob(relative)) await this.#addGlob(relative, at);
    else if (place === "nothing") await this.#paths.reportMissing(relative, at);
    else if (place.kind === "directory") await this.#addNamedDirectory(place, at);
    else this.#addFile(place.path, place, at);
  }

  /** A named directory keeps its path twice, because Spin puts its path in front of paths that have it. */
  async #addNamedDirectory({ path: directory }: FoundPlace, at: KeyPath): Promise<void> {
    if (directory !== "") {
      const message = `The files of directory "${directory}" are mounted at "/${directory}/${directory}"`;
      const hint = hintForDirectory(directory);
      this.#report.warn({ code: "FILES_DIRECTORY_TWICE", message, hint, path: at });
    }
    for (const file of await this.#find(directoryPattern(directory), at)) {
      this.#addFile(path.posix.join(directory, file.path), file, at);
    }
  }

  async #addGlob(pattern: string, at: KeyPath): Promise<void> {
    const segments = this.#parsePattern(pattern, at, parseGlobSegments);
    if (!segments) return;
    const files = await this.#find(segments, at);
    for (const file of files) this.#addFile(file.path, file, at);
    if (files.length > 0 || this.#report.hasErrors) return;
    const hint = pattern.endsWith("**")
      ? `"**" matches directories: write "${pattern}/*" for the files in them.`
      : "Correct the pattern, or build what it should match.";
    const message = `Pattern "${pattern}" matches no file`;
    this.#report.warn({ code: "FILES_NOT_FOUND", message, hint, path: at });
  }

  /** A placement puts a file, or what is below a directory, at a path of its own. */
  async #addPlacement({ source, destination }: Exclude<FilesMount, string>, at: KeyPath): Promise<void> {
    const relative = this.#paths.normalise(source, [...at, "source"]);
    const target = this.#paths.guestPath(destination, [...at, "destination"]);
    if (relative === undefined || target === undefined) return;
    const place = await this.#paths.find(relative, [...at, "source"]);
    if (place === undefined) return;
    if (place === "nothing") {
      await this.#paths.reportMissing(relative, [...at, "source"]);
    } else if (place.kind === "directory") {
      for (const file of await this.#find(directoryPattern(place.path), at)) {
        this.#addFile(path.posix.join(target, path.posix.relative(place.path, file.path)), file, at);
      }
    } else if (/(^|[/.])$/.test(destination)) {
      this.#paths.refuseDestination(destination, "it is not a file name", [...at, "destination"]);
    } else {
      this.#addFile(target, place, at);
    }
  }

  #addFile(guestPath: string, { path: source, realPath }: FoundFile, at: KeyPath): void {
    if (this.copies.get(guestPath)?.realPath === realPath) return;
    this.copies.set(guestPath, { path: source, realPath, at });
  }

  #parsePattern<T>(pattern: string, at: KeyPath, parse: (pattern: string) => T): T | undefined {
    try {
      return parse(pattern);
    } catch (error) {
      if (!(error instanceof GlobSyntaxError)) throw error;
      const message = `Invalid file pattern ${JSON.stringify(pattern)}: ${error.message}`;
      this.#report.error({ code: "FILES_PATTERN", message, path: at });
      return undefined;
    }
  }

  async #find(segments: readonly GlobSegment[], at: KeyPath): Promise<readonly FoundFile[]> {
    const isExcluded = (file: string): boolean => this.#excludes.some((exclude) => exclude.matchesPath(file));
    const { files, problems } = await findFiles(this.#root, { segments, isExcluded });
    for (const problem of problems) this.#report.error({ ...problem, path: at });
    return files;
  }

  #warnOfEverything(pattern: string, at: KeyPath): void {
    if (pattern !== "*" && pattern !== "**/*") return;
    const message = `Pattern "${pattern}" mounts the whole application directory, with the manifest and the modules`;
    const hint = `Write "./${pattern}" if that is what you want.`;
    this.#report.warn({ code: "FILES_WHOLE_APPLICATION", message, hint, path: at });
  }
}

/** Everything below a directory, whatever characters are in its name. */
function directoryPattern(directory: string): readonly GlobSegment[] {
  const names = directory.split("/").filter((name) => name !== "");
  const everything = parseGlobSegments("**/*");
  return [...names.map((name) => ({ kind: "name", name }) as const), ...everything];
}

function hintForDirectory(directory: string): string {
  return `Write "${directory}/**/*", or { source = "${directory}", destination = "/${directory}" }.`;
}

interface Copying {
  readonly assets: string;
  readonly copies: ReadonlyMap<string, PlannedCopy>;
}

async function copyAll(
  { copies: limiter, signal }: Pick<FilesPlace, "copies" | "signal">,
  copying: Copying,
  report: Report,
): Promise<void> {
  const directories = new Map<string, Promise<unknown>>();
  const copies = [...copying.copies].map(([guestPath, file]) =>
    limiter.run(async () => {
      signal.throwIfAborted();
      const target = path.join(copying.assets, guestPath);
      const parent = path.dirname(target);
      const made = directories.get(parent) ?? mkdir(parent, { recursive: true });
      directories.set(parent, made);
      try {
        await made;
        await copy(file.realPath, target);
      } catch (cause) {
        const message = `Cannot mount "${file.path}": it cannot be copied to "/${guestPath}" (${failureOf(cause)})`;
        report.error({ code: "FILES_UNREADABLE", message, path: file.at });
      }
    }),
  );
  await settleAll(copies);
}

async function copy(source: string, target: string): Promise<void> {
  await copyFile(source, target, constants.COPYFILE_FICLONE);
  const { atimeMs, mtimeMs, mode } = await stat(source);
  // The copy is ours to write, and to let guests write, whatever the original allows.
  if ((mode & 0o600) !== 0o600) await chmod(target, mode | 0o600);
  await utimes(target, atimeMs / 1000, mtimeMs / 1000);
}
