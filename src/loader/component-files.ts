// The files of one component: which they are, and how it comes to see them.
//
// By default they are copied below the working directory, and the copy is mounted at "/". The rules are
// those of `crates/loader/src/local.rs` of Spin at v4.0.2, but that nothing outside the application can
// be had: not by "..", not by an absolute path, not by a symbolic link.

import { chmod, constants, copyFile, mkdir, readdir, realpath, stat, utimes } from "node:fs/promises";
import path from "node:path";

import { didYouMean } from "../errors/mod.ts";
import type { FilesMount, KeyPath, ManifestComponent, MountSource } from "../manifest/mod.ts";
import {
  type GlobSegment,
  GlobSyntaxError,
  looksLikeGlob,
  parseGlob,
  parseGlobSegments,
} from "../paths/mod.ts";
import { failureOf, makeInWorkingDirectory } from "./file-system-error.ts";
import { type ApplicationRoot, type FoundFile, findFiles, isInside } from "./find-files.ts";
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
  const root: ApplicationRoot = {
    realPath: await realpath(place.root),
    skipped: await realpath(place.workingDirectory),
    signal: place.signal,
  };
  const mounting = new ComponentFiles({ place, component, root, report });
  return place.directMounts ? await mounting.mountDirectly() : await mounting.mountCopies();
}

interface Mounting {
  readonly place: FilesPlace;
  readonly component: ManifestComponent;
  readonly root: ApplicationRoot;
  readonly report: Report;
}

/** Where a pattern, or a source, points: a path in the application without "." and "..". */
interface Place {
  /** Relative to the application, with slashes; empty for the application itself. */
  readonly path: string;
  readonly realPath: string;
  readonly kind: "file" | "directory" | "other";
}

function hintForDirectory(directory: string): string {
  return `Write "${directory}/**/*", or { source = "${directory}", destination = "/${directory}" }.`;
}

class ComponentFiles {
  readonly #place: FilesPlace;
  readonly #component: ManifestComponent;
  readonly #root: ApplicationRoot;
  readonly #report: Report;
  readonly #excludes: readonly { matchesPath(path: string): boolean }[];
  /** What is copied, by the path that the component sees it at, relative to "/". Later entries win. */
  readonly #copies = new Map<string, FoundFile & { readonly at: KeyPath }>();

  constructor({ place, component, root, report }: Mounting) {
    this.#place = place;
    this.#component = component;
    this.#root = root;
    this.#report = report;
    this.#excludes = component.excludeFiles.flatMap((pattern, index) => {
      const at = [...component.path, "exclude_files", index];
      return this.#parsePattern(pattern, at, parseGlob) ?? [];
    });
  }

  // Copies.

  async mountCopies(): Promise<readonly MountSource[]> {
    for (const [index, mount] of this.#component.files.entries()) {
      const at = [...this.#component.path, "files", index];
      if (typeof mount === "string") await this.#planPattern(mount, at);
      else await this.#planPlacement(mount, at);
    }
    const assets = path.join(this.#place.workingDirectory, "assets", this.#component.id);
    await makeInWorkingDirectory(() => mkdir(assets, { recursive: true }));
    if (!this.#report.hasErrors) await this.#copyAll(assets);
    const isWritable = this.#place.allowTransientWrite;
    return [
      {
        guestPath: "/",
        hostPath: assets,
        kind: isWritable ? "live" : "snapshot",
        access: isWritable ? "write" : "read",
      },
    ];
  }

  /** A pattern keeps the paths of what it matches. */
  async #planPattern(pattern: string, at: KeyPath): Promise<void> {
    if (/(^|\/)\.\.?$/.test(pattern) || pattern === "") {
      const message = `Invalid file pattern ${JSON.stringify(pattern)}: it must not end in "." or ".."`;
      this.#report.error({ code: "FILES_PATTERN", message, hint: hintForDirectory("dir"), path: at });
      return;
    }
    this.#warnOfEverything(pattern, at);
    const relative = this.#insidePath(pattern, at);
    if (relative === undefined) return;
    const place = await this.#lookUp(relative, at);
    if (place === "outside") return;
    if (place?.kind === "directory") await this.#planNamedDirectory(place, at);
    else if (place?.kind === "file") this.#plan(place.path, place, at);
    else if (!place && looksLikeGlob(relative)) await this.#planGlob(relative, at);
    else if (place) this.#unreadable(pattern, "it is neither a file nor a directory", at);
    else await this.#notFound(pattern, relative, at);
  }

  /** A named directory keeps its path twice, because Spin puts its path in front of paths that have it. */
  async #planNamedDirectory(place: Place, at: KeyPath): Promise<void> {
    if (place.path !== "") {
      const message = `The files of directory "${place.path}" are mounted at "/${place.path}/${place.path}"`;
      this.#report.warn({
        code: "FILES_DIRECTORY_TWICE",
        message,
        hint: hintForDirectory(place.path),
        path: at,
      });
    }
    for (const file of await this.#find(directoryPattern(place.path), at)) {
      this.#plan(path.posix.join(place.path, file.path), file, at);
    }
  }

  async #planGlob(pattern: string, at: KeyPath): Promise<void> {
    const segments = this.#parsePattern(pattern, at, parseGlobSegments);
    if (!segments) return;
    const files = await this.#find(segments, at);
    for (const file of files) this.#plan(file.path, file, at);
    if (files.length > 0 || this.#report.hasErrors) return;
    this.#report.warn({ code: "FILES_NOT_FOUND", message: `Pattern "${pattern}" matches no file`, path: at });
  }

  /** A placement puts a file, or what is below a directory, at a path of its own. */
  async #planPlacement({ source, destination }: Exclude<FilesMount, string>, at: KeyPath): Promise<void> {
    const relative = this.#insidePath(source, [...at, "source"]);
    const target = this.#guestPath(destination, [...at, "destination"]);
    if (relative === undefined || target === undefined) return;
    const place = await this.#lookUp(relative, [...at, "source"]);
    if (place === "outside") return;
    if (place?.kind === "directory") {
      for (const file of await this.#find(directoryPattern(place.path), at)) {
        this.#plan(path.posix.join(target, path.posix.relative(place.path, file.path)), file, at);
      }
    } else if (place?.kind === "file") {
      if (/(^|[/.])$/.test(destination)) this.#badDestination(destination, "it is not a file name", at);
      else this.#plan(target, place, at);
    } else if (place) this.#unreadable(source, "it is neither a file nor a directory", at);
    else await this.#notFound(source, relative, [...at, "source"]);
  }

  #plan(guestPath: string, { path: source, realPath }: FoundFile, at: KeyPath): void {
    this.#copies.set(guestPath, { path: source, realPath, at });
  }

  async #copyAll(assets: string): Promise<void> {
    const directories = new Map<string, Promise<unknown>>();
    const copies = [...this.#copies].map(([guestPath, file]) =>
      this.#place.copies.run(async () => {
        const target = path.join(assets, guestPath);
        const parent = path.dirname(target);
        const made = directories.get(parent) ?? mkdir(parent, { recursive: true });
        directories.set(parent, made);
        this.#place.signal.throwIfAborted();
        try {
          await made;
          await this.#copy(file.realPath, target);
        } catch (cause) {
          this.#unreadable(
            file.path,
            `it cannot be copied to "/${guestPath}" (${failureOf(cause)})`,
            file.at,
          );
        }
      }),
    );
    await settleAll(copies);
  }

  async #copy(source: string, target: string): Promise<void> {
    await copyFile(source, target, constants.COPYFILE_FICLONE);
    const { atimeMs, mtimeMs, mode } = await stat(source);
    // The copy is ours to write, and to let guests write, whatever the original allows.
    if ((mode & 0o600) !== 0o600) await chmod(target, mode | 0o600);
    await utimes(target, atimeMs / 1000, mtimeMs / 1000);
  }

  // Direct mounts.

  /** Mounts directories themselves: paths are relative to the manifest. */
  async mountDirectly(): Promise<readonly MountSource[]> {
    if (this.#component.excludeFiles.length > 0) {
      const message = "Cannot mount directly: `exclude_files` is not supported with --direct-mounts";
      this.#report.error({
        code: "FILES_DIRECT_MOUNT",
        message,
        path: [...this.#component.path, "exclude_files"],
      });
    }
    const mounts: MountSource[] = [];
    for (const [index, mount] of this.#component.files.entries()) {
      const at = [...this.#component.path, "files", index];
      const mounted = await this.#mountDirectory(mount, at);
      const taken = mounts.find(({ guestPath }) => guestPath === mounted?.guestPath);
      if (taken) this.#badDestination(taken.guestPath, "another directory is mounted there", at);
      else if (mounted) mounts.push(mounted);
    }
    return mounts;
  }

  async #mountDirectory(mount: FilesMount, at: KeyPath): Promise<MountSource | undefined> {
    const [source, destination] =
      typeof mount === "string" ? [mount, mount] : [mount.source, mount.destination];
    const relative = this.#insidePath(source, at);
    const target = relative === undefined ? undefined : this.#guestPath(destination, at);
    if (relative === undefined || target === undefined) return undefined;
    const place = await this.#lookUp(relative, at);
    if (place === "outside") return undefined;
    if (place?.kind !== "directory") {
      const message = `Cannot mount "${source}" directly: only directories can be mounted with --direct-mounts`;
      this.#report.error({ code: "FILES_DIRECT_MOUNT", message, path: at });
      return undefined;
    }
    const access = this.#place.allowTransientWrite ? "write" : "read";
    return { guestPath: `/${target}`, hostPath: place.realPath, kind: "live", access };
  }

  // Paths.

  /** A path or pattern in the application, without "." and ".."; undefined, and reported, if it leads out. */
  #insidePath(text: string, at: KeyPath): string | undefined {
    const inside: string[] = [];
    for (const segment of text.split("/")) {
      if (segment === "..") {
        if (inside.length === 0 || text.startsWith("/")) return this.#outside(text, at);
        if (looksLikeGlob(inside.pop() ?? "")) {
          const message = `Invalid file pattern ${JSON.stringify(text)}: ".." cannot follow a wildcard`;
          this.#report.error({ code: "FILES_PATTERN", message, path: at });
          return undefined;
        }
      } else if (segment !== "." && segment !== "") inside.push(segment);
    }
    return path.isAbsolute(text) ? this.#outside(text, at) : inside.join("/");
  }

  #outside(text: string, at: KeyPath): undefined {
    const message = `Cannot mount "${text}": it is outside the application directory`;
    const hint = "Move the files into the directory of the manifest, and name them relative to it.";
    this.#report.error({ code: "FILES_OUTSIDE", message, hint, path: at });
  }

  /** A destination relative to "/"; undefined, and reported, if it is above. */
  #guestPath(destination: string, at: KeyPath): string | undefined {
    const normal = path.posix.normalize(destination.replace(/^\/+/, "") || ".");
    if (/^\.\.(\/|$)/.test(normal)) return this.#badDestination(destination, 'it is above "/"', at);
    if (destination.includes("\0")) return this.#badDestination(destination, "it has a null character", at);
    return normal === "." ? "" : normal.replace(/\/$/, "");
  }

  #badDestination(destination: string, state: string, at: KeyPath): undefined {
    const message = `Invalid destination ${JSON.stringify(destination)}: ${state}`;
    this.#report.error({ code: "FILES_DESTINATION", message, path: at });
  }

  /** Finds out what is at a path, following links; undefined if there is nothing. */
  async #lookUp(relative: string, at: KeyPath): Promise<Place | "outside" | undefined> {
    const real = await realpath(path.join(this.#root.realPath, relative)).catch(() => undefined);
    if (real === undefined) return undefined;
    if (!isInside(this.#root, real)) {
      this.#outside(relative, at);
      return "outside";
    }
    const stats = await stat(real);
    const kind = stats.isDirectory() ? "directory" : stats.isFile() ? "file" : "other";
    return { path: relative, realPath: real, kind };
  }

  // Patterns.

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

  #unreadable(file: string, state: string, at: KeyPath): void {
    this.#report.error({ code: "FILES_UNREADABLE", message: `Cannot mount "${file}": ${state}`, path: at });
  }

  async #notFound(text: string, relative: string, at: KeyPath): Promise<void> {
    const { dir, base } = path.posix.parse(relative);
    const siblings = await readdir(path.join(this.#root.realPath, dir)).catch(() => []);
    const hint =
      didYouMean(base, siblings) ?? "Correct `files` in the manifest, or build what makes the file.";
    const message = `Cannot mount "${text}": it does not exist, and is no pattern`;
    this.#report.error({ code: "FILES_NOT_FOUND", message, hint, path: at });
  }
}

/** Everything below a directory, whatever characters are in its name. */
function directoryPattern(directory: string): readonly GlobSegment[] {
  const names = directory.split("/").filter((name) => name !== "");
  const everything = parseGlobSegments("**/*");
  return [...names.map((name) => ({ kind: "name", name }) as const), ...everything];
}
