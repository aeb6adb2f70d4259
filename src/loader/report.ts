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

/** More problems of a severity are not kept: a pattern can fail for each of many thousand files. */
const PROBLEMS_MAX = 100;

export class Report {
  readonly diagnostics: Diagnostic[] = [];
  readonly #counts = { error: 0, warning: 0 };
  readonly #manifest: Pick<Manifest, "source"> | undefined;

  /** Without a manifest (a module was given), problems have no place. */
  constructor(manifest: Pick<Manifest, "source"> | undefined) {
    this.#manifest = manifest;
  }

  error({ path, ...problem }: Problem): void {
    this.add({ ...toDiagnostic(problem), severity: "error", ...this.#place(path) });
  }

  warn({ path, ...problem }: Problem): void {
    this.add({ ...toDiagnostic(problem), severity: "warning", ...this.#place(path) });
  }

  /** Adds a problem whose place is not in the manifest. */
  add(diagnostic: Diagnostic): void {
    if (++this.#counts[diagnostic.severity] <= PROBLEMS_MAX) this.diagnostics.push(diagnostic);
  }

  get hasErrors(): boolean {
    return this.#counts.error > 0;
  }

  #place(path: KeyPath | undefined): { readonly at?: SourceLocation } {
    return path && this.#manifest ? { at: locate(this.#manifest.source, path) } : {};
  }
}

function toDiagnostic({ code, message, hint }: Problem): Omit<Diagnostic, "severity"> {
  return { code, message, ...(hint !== undefined && { hint }) };
}
