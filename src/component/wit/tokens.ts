// Splits WIT text into words and signs.

/** A mistake in the WIT text of a host interface, with its place. Whoever wrote the interface made it. */
export class WitError extends Error {
  override readonly name = "WitError";
  readonly line: number;
  readonly column: number;

  constructor(reason: string, place: { readonly line: number; readonly column: number }) {
    super(`${place.line}:${place.column}: ${reason}`);
    this.line = place.line;
    this.column = place.column;
  }
}

export interface Token {
  readonly kind: "word" | "path" | "sign" | "end";
  readonly text: string;
  readonly offset: number;
}

const VERSION = String.raw`\d+\.\d+\.\d+(?:-[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?(?:\+[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?`;
const WORD = String.raw`[A-Za-z][\dA-Za-z]*(?:-[\dA-Za-z]+)*`;
/** Alternatives in order: blanks and comments, annotations, full names of interfaces, words, signs. */
const TOKEN = new RegExp(
  [
    String.raw`(?<skipped>\s+|//[^\n]*|/\*[^]*?\*/|@[a-z]+(?:\([^)]*\))?)`,
    `(?<path>${WORD}:${WORD}/${WORD}(?:@${VERSION})?)`,
    String.raw`%?(?<word>${WORD}|\d+|_(?![\w-]))`,
    `(?<sign>->|[{}()<>,:;=.*])`,
  ].join("|"),
  "y",
);

export function* tokens(text: string): Generator<Token> {
  let offset = 0;
  while (offset < text.length) {
    TOKEN.lastIndex = offset;
    const groups = TOKEN.exec(text)?.groups;
    if (groups === undefined) throw witError(`unexpected ${JSON.stringify(text[offset])}`, text, offset);
    const { path, word, sign } = groups;
    if (path !== undefined) yield { kind: "path", text: path, offset };
    else if (word !== undefined) yield { kind: "word", text: word, offset };
    else if (sign !== undefined) yield { kind: "sign", text: sign, offset };
    offset = TOKEN.lastIndex;
  }
  yield { kind: "end", text: "end of text", offset };
}

export function witError(reason: string, text: string, offset: number): WitError {
  const before = text.slice(0, offset).split("\n");
  return new WitError(reason, { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 });
}
