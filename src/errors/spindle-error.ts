// The error that an operator sees: a code, a message, a place, a hint.
//
// Thrown for faults of the operator (manifest, flags, files, network). Faults of a guest are errno
// values, WIT variants or traps; faults of ours are plain errors, so that their stack is printed.

import type { ErrorCode } from "./codes.ts";
import { type Diagnostic, formatDiagnostic, printable, type SourceLocation } from "./diagnostic.ts";

export interface SpindleErrorOptions {
  readonly at?: SourceLocation;
  readonly hint?: string;
  readonly cause?: unknown;
}

export class SpindleError extends Error {
  override readonly name = "SpindleError";
  readonly code: ErrorCode;
  /** All findings, the first one first. A file with three mistakes gives three. */
  readonly diagnostics: readonly Diagnostic[];

  constructor(code: ErrorCode, message: string, options: SpindleErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    const { at, hint } = options;
    this.diagnostics = [
      { code, severity: "error", message, ...(at && { at }), ...(hint !== undefined && { hint }) },
    ];
  }

  /** Makes one error of several findings; at least one must have the severity "error". */
  static collect(diagnostics: readonly Diagnostic[]): SpindleError {
    const first = diagnostics.find((diagnostic) => diagnostic.severity === "error");
    if (!first) throw new Error("SpindleError.collect() needs at least one error");
    const error = new SpindleError(first.code, first.message);
    // The constructor made the list of one; the class owns it, so widening it here is safe.
    (error as { diagnostics: readonly Diagnostic[] }).diagnostics = diagnostics;
    return error;
  }
}

/** Causes deeper than this are not printed; a cycle of causes ends here too. */
const CAUSES_MAX = 8;

/** Renders any thrown value for the terminal: diagnostics, then the causes that add something. */
export function describeError(error: unknown): string {
  if (!(error instanceof SpindleError)) {
    return error instanceof Error ? (error.stack ?? String(error)) : String(error);
  }
  const parts = error.diagnostics.map(formatDiagnostic);
  let cause = error.cause;
  for (let depth = 0; depth < CAUSES_MAX && cause !== undefined; depth++) {
    parts.push(`  caused by: ${printable(cause instanceof Error ? cause.message : String(cause))}`);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return parts.join("\n");
}
