// Paths that a manifest names: where they lead in the application, and what is there.
//
// Whatever these functions give is inside the application, links followed. What is not, is reported.

import { readdir, realpath, stat } from "node:fs/promises";
import path from "node:path";

import { didYouMean } from "../errors/mod.ts";
import type { KeyPath } from "../manifest/mod.ts";
import { looksLikeGlob } from "../paths/mod.ts";
import { type ApplicationRoot, isInside } from "./find-files.ts";
import type { Problem, Report } from "./report.ts";

/** What a path leads to. */
export interface FoundPlace {
  /** Relative to the application, with slashes; empty for the application itself. */
  readonly path: string;
  /** Absolute, without symbolic links. */
  readonly realPath: string;
  readonly kind: "file" | "directory";
}

export class ApplicationPaths {
  readonly #root: ApplicationRoot;
  readonly #report: Report;

  constructor(root: ApplicationRoot, report: Report) {
    this.#root = root;
    this.#report = report;
  }

  /** A path or pattern without "." and ".."; undefined, and reported, if it leads out of the application. */
  normalise(text: string, at: KeyPath): string | undefined {
    const inside: string[] = [];
    for (const segment of text.split("/")) {
      if (segment === "..") {
        const left = inside.pop();
        if (left === undefined) return this.#outside(text, at);
        if (looksLikeGlob(left)) {
          const message = `Invalid file pattern ${JSON.stringify(text)}: ".." cannot follow a wildcard`;
          return this.#refuse({ code: "FILES_PATTERN", message, path: at });
        }
      } else if (segment !== "." && segment !== "") inside.push(segment);
    }
    return path.isAbsolute(text) ? this.#outside(text, at) : inside.join("/");
  }

  /** Finds out what is at a normalised path; undefined if there is nothing, or nothing that may be had. */
  async find(relative: string, at: KeyPath): Promise<FoundPlace | "nothing" | undefined> {
    const real = await realpath(path.join(this.#root.realPath, relative)).catch(() => undefined);
    const stats = real === undefined ? undefined : await stat(real).catch(() => undefined);
    if (real === undefined || !stats) return "nothing";
    if (!isInside(this.#root, real)) return this.#outside(relative, at);
    if (stats.isDirectory()) return { path: relative, realPath: real, kind: "directory" };
    if (stats.isFile()) return { path: relative, realPath: real, kind: "file" };
    const message = `Cannot mount "${relative}": it is neither a file nor a directory`;
    return this.#refuse({ code: "FILES_UNREADABLE", message, path: at });
  }

  /** Reports a path at which there is nothing, with the name that may have been meant. */
  async reportMissing(relative: string, at: KeyPath): Promise<void> {
    const { dir, base } = path.posix.parse(relative);
    const siblings = await readdir(path.join(this.#root.realPath, dir)).catch(() => []);
    const hint =
      didYouMean(base, siblings) ?? "Correct `files` in the manifest, or build what makes the file.";
    const message = `Cannot mount "${relative}": it does not exist, and is no pattern`;
    this.#refuse({ code: "FILES_NOT_FOUND", message, hint, path: at });
  }

  /** A destination relative to "/"; undefined, and reported, if it is above. */
  guestPath(destination: string, at: KeyPath): string | undefined {
    const normal = path.posix.normalize(destination.replace(/^\/+/, "") || ".");
    if (/^\.\.(\/|$)/.test(normal)) return this.refuseDestination(destination, 'it is above "/"', at);
    if (destination.includes("\0")) {
      return this.refuseDestination(destination, "it has a null character", at);
    }
    return normal === "." ? "" : normal.replace(/\/$/, "");
  }

  refuseDestination(destination: string, state: string, at: KeyPath): undefined {
    const message = `Invalid destination ${JSON.stringify(destination)}: ${state}`;
    return this.#refuse({ code: "FILES_DESTINATION", message, path: at });
  }

  #outside(text: string, at: KeyPath): undefined {
    const message = `Cannot mount "${text}": it is outside the application directory`;
    const hint = "Move the files into the directory of the manifest, and name them relative to it.";
    return this.#refuse({ code: "FILES_OUTSIDE", message, hint, path: at });
  }

  #refuse(problem: Problem): undefined {
    this.#report.error(problem);
  }
}
