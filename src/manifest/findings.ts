// What is wrong in a manifest, by the path of the key or value to blame.
//
// Checks speak of paths such as ["component", "api", "files", 0]; where that is in the text is only
// looked up for the paths that something has to be said about.

import type { ErrorCode } from "../errors/mod.ts";

/** The way from the root of a document to a value: names of keys, and indexes of lists. */
export type KeyPath = readonly (string | number)[];

/** What is wrong with one value, in words. */
export interface Mistake {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string | undefined;
}

export interface Finding extends Mistake {
  readonly severity: "error" | "warning";
  readonly path: KeyPath;
  /** Which of the two the caret goes below. */
  readonly part: "key" | "value";
}

/** More findings of a severity are not kept: nobody reads them, and a hostile file could make millions. */
const FINDINGS_MAX = 100;

/** Collects findings, in the order in which they are made. */
export class Findings {
  readonly #list: Finding[] = [];
  readonly #counts = { error: 0, warning: 0 };

  get all(): readonly Finding[] {
    return this.#list;
  }

  get hasErrors(): boolean {
    return this.#counts.error > 0;
  }

  error(path: KeyPath, mistake: Mistake, part: "key" | "value" = "value"): void {
    this.#add({ ...mistake, severity: "error", path, part });
  }

  warn(path: KeyPath, mistake: Mistake, part: "key" | "value" = "value"): void {
    this.#add({ ...mistake, severity: "warning", path, part });
  }

  #add(finding: Finding): void {
    if (++this.#counts[finding.severity] <= FINDINGS_MAX) this.#list.push(finding);
  }
}

/** A text longer than this is cut in messages. */
const QUOTED_UNITS_MAX = 80;

/** Writes a value as JSON, for a message. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= QUOTED_UNITS_MAX ? text : `${text.slice(0, QUOTED_UNITS_MAX)}…`;
}

/** Writes a path as TOML would: `component.api.files[0]`. */
export function describePath(path: KeyPath): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else text += (text === "" ? "" : ".") + (/^[A-Za-z0-9_-]+$/.test(step) ? step : quote(step));
  }
  return text;
}
