// One mistake in a file that somebody wrote: what, where, and what to do next.

import type { ErrorCode } from "./codes.ts";

/** A text that diagnostics point into. */
export interface SourceText {
  /** The path as the user would type it. */
  readonly path: string;
  readonly text: string;
}

/** A place in a text. Lines and columns are counted from 1, columns in UTF-16 units. */
export interface SourceLocation {
  readonly source: SourceText;
  readonly line: number;
  readonly column: number;
  /** How many characters the caret underlines; at least 1. */
  readonly length: number;
}

/** One finding. `at` is absent only where no place in a file is to blame. */
export interface Diagnostic {
  readonly code: ErrorCode;
  readonly severity: "error" | "warning";
  readonly message: string;
  readonly at?: SourceLocation;
  readonly hint?: string;
}

/**
 * Renders a diagnostic as text: message and code, place, the line with a caret below it, the hint.
 *
 *     error: Unknown field "sorce" in component "api" [MANIFEST_FIELD_UNKNOWN]
 *       --> spin.toml:12:1
 *        |
 *     12 | sorce = "api.wasm"
 *        | ^^^^^
 *       hint: Did you mean "source"?
 */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const head = `${diagnostic.severity}: ${diagnostic.message} [${diagnostic.code}]`;
  const lines = [head];
  if (diagnostic.at) lines.push(...excerpt(diagnostic.at));
  if (diagnostic.hint !== undefined) lines.push(`  hint: ${diagnostic.hint}`);
  return lines.join("\n");
}

/** Lines longer than this are cut around the place, so that a minified file cannot flood the terminal. */
const EXCERPT_COLUMNS_MAX = 160;

function excerpt(at: SourceLocation): string[] {
  const line = at.source.text.split("\n")[at.line - 1]?.replace(/\r$/, "") ?? "";
  const from = Math.max(0, at.column - 1 - EXCERPT_COLUMNS_MAX / 2);
  const shown = line.slice(from, from + EXCERPT_COLUMNS_MAX);
  const before = shown.slice(0, at.column - 1 - from);
  // Tabs are kept in the padding, so that the caret stands below its character in any terminal.
  const padding = before.replace(/[^\t]/g, " ");
  const carets = "^".repeat(Math.max(1, Math.min(at.length, shown.length - before.length)));
  const number = String(at.line);
  const gutter = " ".repeat(number.length);
  return [
    `${gutter}--> ${at.source.path}:${at.line}:${at.column}`,
    `${gutter} |`,
    `${number} | ${shown}`,
    `${gutter} | ${padding}${carets}`,
  ];
}
