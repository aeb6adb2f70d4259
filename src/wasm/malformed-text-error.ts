// What is wrong with a module in the text format, and where.

export class MalformedTextError extends Error {
  override readonly name = "MalformedTextError";
  /** Both are counted from 1, columns in UTF-16 units. */
  readonly line: number;
  readonly column: number;
  readonly reason: string;

  constructor(
    reason: string,
    place: { readonly line: number; readonly column: number; readonly cause?: unknown },
  ) {
    super(`Malformed module text at ${place.line}:${place.column}: ${reason}`, { cause: place.cause });
    this.reason = reason;
    this.line = place.line;
    this.column = place.column;
  }
}
