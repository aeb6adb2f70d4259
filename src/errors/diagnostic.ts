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
  const head = `${diagnostic.severity}: ${printable(diagnostic.message)} [${diagnostic.code}]`;
  const lines = [head];
  if (diagnostic.at) lines.push(...excerpt(diagnostic.at));
  if (diagnostic.hint !== undefined) lines.push(`  hint: ${printable(diagnostic.hint)}`);
  return lines.join("\n");
}

/** Lines longer than this are cut around the place, so that a minified file cannot flood the terminal. */
const EXCERPT_UNITS_MAX = 160;
/** How much of a line that is cut is shown before the place. */
const EXCERPT_UNITS_BEFORE = 60;

function excerpt(at: SourceLocation): string[] {
  const line = lineOf(at.source.text, at.line);
  const column = Math.min(at.column - 1, line.length);
  const [from, to] = cut(line, column);
  const before = (from > 0 ? "…" : "") + printable(line.slice(from, column));
  const blamed = printable(line.slice(column, Math.min(column + at.length, to)));
  const after = printable(line.slice(column + at.length, to)) + (to < line.length ? "…" : "");
  // Tabs are kept in the padding, so that the caret stands below its character in any terminal.
  const padding = before.replace(/[^\t]+/g, (text) => " ".repeat(displayWidth(text)));
  const carets = "^".repeat(Math.max(1, displayWidth(blamed)));
  const number = String(at.line);
  const gutter = " ".repeat(number.length);
  return [
    `${gutter}--> ${printable(at.source.path)}:${at.line}:${at.column}`,
    `${gutter} |`,
    `${number} | ${before}${blamed}${after}`.trimEnd(),
    `${gutter} | ${padding}${carets}`,
  ];
}

/** One line of a text, without its end; found without taking the whole text apart. */
function lineOf(text: string, number: number): string {
  let start = 0;
  for (let line = 1; line < number; line++) {
    const end = text.indexOf("\n", start);
    if (end === -1) return "";
    start = end + 1;
  }
  const end = text.indexOf("\n", start);
  return text.slice(start, end === -1 ? undefined : end).replace(/\r$/, "");
}

/** The part of a line that is shown, without halves of characters at its ends. */
function cut(line: string, column: number): readonly [from: number, to: number] {
  if (line.length <= EXCERPT_UNITS_MAX) return [0, line.length];
  const from = Math.max(0, Math.min(column - EXCERPT_UNITS_BEFORE, line.length - EXCERPT_UNITS_MAX));
  const to = from + EXCERPT_UNITS_MAX;
  return [isHalf(line, from) ? from + 1 : from, isHalf(line, to) ? to - 1 : to];
}

/** Whether the unit at `index` is the second of a pair. */
function isHalf(text: string, index: number): boolean {
  return /[\udc00-\udfff]/.test(text.charAt(index));
}

/** Text from a file may have characters that would control the terminal; they are shown as "�". */
export function printable(text: string): string {
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, "�");
}

/** The same for a text that strangers wrote: it cannot begin a line that would look like ours either. */
export function printableLine(text: string): string {
  return printable(text).replace(/[\n\u2028\u2029]/g, "�");
}

const NO_WIDTH = /\p{Mark}|\u200d|[\ufe00-\ufe0f]/u;
const DOUBLE_WIDTH =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;

/** How many columns of a terminal a text takes. A tab counts as one: callers that can keep tabs do. */
function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (!NO_WIDTH.test(character)) width += DOUBLE_WIDTH.test(character) ? 2 : 1;
  }
  return width;
}
