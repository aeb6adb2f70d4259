// What goes wrong while an application is loaded: collected, so that the user sees all of it at once.

import type { Diagnostic, ErrorCode, SourceLocation } from "../errors/mod.ts";
import { type KeyPath, locate, type Manifest } from "../manifest/mod.ts";

export interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string | undefined;
  /** The way from the root of the manifest to what is to blame. */
  readonly path?: KeyPath;
}

/** More problems than this are counted, not kept: a pattern can fail for each of many thousand files. */
const PROBLEMS_MAX = 100;

export class Report {
  readonly diagnostics: Diagnostic[] = [];
  readonly #manifest: Pick<Manifest, "source"> | undefined;

  /** Without a manifest (a module was given), problems have no place. */
  constructor(manifest: Pick<Manifest, "source"> | undefined) {
    this.#manifest = manifest;
  }

  error(problem: Problem): void {
    this.#add("error", problem);
  }

  warn(problem: Problem): void {
    this.#add("warning", problem);
  }

  get hasErrors(): boolean {
    return this.diagnostics.some(({ severity }) => severity === "error");
  }

  #add(severity: "error" | "warning", { code, message, hint, path }: Problem): void {
    if (this.diagnostics.length >= PROBLEMS_MAX) return;
    const at = this.#locate(path);
    this.diagnostics.push({
      code,
      severity,
      message,
      ...(at && { at }),
      ...(hint !== undefined && { hint }),
    });
  }

  #locate(path: KeyPath | undefined): SourceLocation | undefined {
    return path && this.#manifest ? locate(this.#manifest.source, path) : undefined;
  }
}
