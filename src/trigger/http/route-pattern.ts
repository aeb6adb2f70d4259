// The pattern of a route: what it accepts, what it captures, and which of two goes first.
//
// These are the rules of routefinder 0.5.4, which Spin routes with, its oddities included: an
// application must be served the same. Dots separate like slashes, but glue to the text before them,
// so `/a.b` is two texts in a row, and `/:name.:ext` a parameter, a dot, and a parameter.

/** A route that would mean nothing; the message says why, and fits behind a colon. */
export class RoutePatternError extends Error {
  override readonly name = "RoutePatternError";
}

type Token =
  | { readonly kind: "slash" }
  | { readonly kind: "dot" }
  | { readonly kind: "exact"; readonly text: string }
  | { readonly kind: "parameter"; readonly name: string }
  | { readonly kind: "wildcard" };

/** One path segment of a pattern: pieces that are matched from left to right. */
export interface PatternPart {
  readonly pieces: readonly Piece[];
  /** The same for parts that match the same, whatever their parameters are called. */
  readonly shape: string;
  /** Set if nothing but this text matches. */
  readonly literal: string | undefined;
  /** The last piece is a wildcard: it takes this segment's rest and all that follow. */
  readonly takesRest: boolean;
}

type Piece =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "parameter"; readonly name: string }
  | { readonly kind: "wildcard" };

export interface Captures {
  readonly params: readonly (readonly [name: string, value: string])[];
  /** What the wildcard took, without the slash before it; absent if the pattern has none. */
  readonly rest: string | undefined;
}

export class RoutePattern {
  /** By path segment. */
  readonly parts: readonly PatternPart[];
  readonly hasCaptures: boolean;
  readonly #tokens: readonly Token[];
  readonly #dots: number;
  /** Where the wildcard begins, if nothing but text comes before it. */
  readonly #restFrom: number | undefined;

  /** @throws RoutePatternError */
  constructor(text: string) {
    this.#tokens = tokenize(trimSlashes(text.replace(/\/\.\.\.$/, "/*")));
    this.#dots = this.#tokens.filter((token) => token.kind === "dot").length;
    this.parts = toParts(this.#tokens);
    this.hasCaptures = this.parts.some((part) => part.literal === undefined);
    this.#restFrom = restAfterText(this.parts);
  }

  /**
   * Says whether this pattern, declared after `other`, is tried before it all the same.
   *
   * Not a total order: a leading dot goes before whatever was declared earlier, and anything declared
   * later goes before a leading dot.
   */
  precedes(other: RoutePattern): boolean {
    for (const [i, mine] of this.#tokens.entries()) {
      const theirs = other.#tokens[i];
      if (theirs === undefined) break;
      const order = compareTokens(mine, theirs);
      if (order !== 0) return order > 0;
    }
    if (this.#dots !== other.#dots) return this.#dots > other.#dots;
    return this.#tokens.length < other.#tokens.length;
  }

  /** Gives the captures of a trimmed path that is known to match. */
  capture(path: string): Captures {
    if (this.#restFrom !== undefined) return { params: [], rest: path.slice(this.#restFrom) };
    const params: [name: string, value: string][] = [];
    let rest: string | undefined;
    const onCapture: OnCapture = (piece, start, stop) => {
      if (piece.kind === "parameter") setParam(params, piece.name, path.slice(start, stop));
      else rest = path.slice(start);
    };
    let from = 0;
    for (const part of this.parts) {
      const end = segmentEnd(path, from);
      matchPart(part, { path, from, end }, onCapture);
      from = end + 1;
    }
    return { params, rest };
  }
}

/** Of parameters with the same name the last one counts. */
function setParam(params: [name: string, value: string][], name: string, value: string): void {
  const known = params.find((param) => param[0] === name);
  if (known) known[1] = value;
  else params.push([name, value]);
}

function restAfterText(parts: readonly PatternPart[]): number | undefined {
  if (parts.at(-1)?.pieces[0]?.kind !== "wildcard") return undefined;
  const texts = parts.slice(0, -1).map((part) => part.literal);
  return texts.includes(undefined) ? undefined : texts.map((text) => `${text}/`).join("").length;
}

/** A path segment, from `from` up to the next slash or the end of the path. */
export interface PathSegment {
  readonly path: string;
  readonly from: number;
  readonly end: number;
}

export function segmentEnd(path: string, from: number): number {
  const slash = path.indexOf("/", from);
  return slash < 0 ? path.length : slash;
}

export function trimSlashes(path: string): string {
  let start = 0;
  let end = path.length;
  while (start < end && path.charCodeAt(start) === 0x2f) start++;
  while (end > start && path.charCodeAt(end - 1) === 0x2f) end--;
  return path.slice(start, end);
}

type OnCapture = (piece: Piece, start: number, stop: number) => void;

/** Matches one path segment. There is no backtracking: each piece has one way to match. */
export function matchPart(part: PatternPart, segment: PathSegment, onCapture?: OnCapture): boolean {
  const { path, end } = segment;
  let at = segment.from;
  for (const piece of part.pieces) {
    if (piece.kind === "literal") {
      if (!path.startsWith(piece.text, at)) return false;
      at += piece.text.length;
    } else if (piece.kind === "wildcard") {
      onCapture?.(piece, at, path.length);
      return true;
    } else {
      // Empty only between two slashes (or a dot and a slash): at the end of a path nothing is left.
      if (at >= path.length) return false;
      // What follows a parameter within a segment always begins with a dot.
      const stop = piece === part.pieces.at(-1) ? end : path.indexOf(".", at);
      if (stop < 0 || stop > end) return false;
      onCapture?.(piece, at, stop);
      at = stop;
    }
  }
  return at === end;
}

/** Longer routes are refused: matching recurses once for each segment of a route. */
const ROUTE_LENGTH_MAX = 2048;

function tokenize(text: string): Token[] {
  if (text.length > ROUTE_LENGTH_MAX) {
    throw new RoutePatternError(`it is longer than ${ROUTE_LENGTH_MAX} characters`);
  }
  const tokens: Token[] = [];
  const pieces = text.split(/([./])/);
  for (let i = 0; i < pieces.length; i += 2) {
    const separator = pieces[i - 1];
    const section = pieces[i] ?? "";
    if (separator === ".") addDot(tokens);
    // A section that is empty leaves no slash either: `/a//b` is `/a/b`, and `/a/.b` is `/a.b`.
    if (section === "") continue;
    if (separator === "/") tokens.push({ kind: "slash" });
    tokens.push(toToken(section));
  }
  const wildcard = tokens.findIndex((token) => token.kind === "wildcard");
  if (wildcard >= 0 && wildcard < tokens.length - 1) {
    throw new RoutePatternError("a wildcard must come last");
  }
  return tokens;
}

function addDot(tokens: Token[]): void {
  const last = tokens.at(-1);
  if (last?.kind === "exact") tokens[tokens.length - 1] = { kind: "exact", text: `${last.text}.` };
  else tokens.push({ kind: "dot" });
}

function toToken(section: string): Token {
  if (section === "*") return { kind: "wildcard" };
  if (section.startsWith("*")) {
    throw new RoutePatternError(`a wildcard has no name, so write "*" in place of "${section}"`);
  }
  if (section === ":") throw new RoutePatternError('a parameter must have a name, as in ":id"');
  if (section.startsWith(":")) return { kind: "parameter", name: section.slice(1) };
  return { kind: "exact", text: section };
}

const RANK = { exact: 3, parameter: 2, wildcard: 1, dot: 0, slash: 0 } as const;

/** Positive: `mine` goes first. */
function compareTokens(mine: Token, theirs: Token): number {
  if (RANK[mine.kind] === 0 && RANK[theirs.kind] === 0) return 0;
  if (mine.kind === "dot") return 1;
  return RANK[mine.kind] - RANK[theirs.kind];
}

function toParts(tokens: readonly Token[]): PatternPart[] {
  const parts: Piece[][] = tokens.length > 0 ? [[]] : [];
  for (const token of tokens) {
    if (token.kind === "slash") parts.push([]);
    else addPiece(parts.at(-1) ?? [], token);
  }
  return parts.map(toPart);
}

function addPiece(pieces: Piece[], token: Exclude<Token, { kind: "slash" }>): void {
  if (token.kind === "wildcard" || token.kind === "parameter") {
    pieces.push(token);
    return;
  }
  const text = token.kind === "dot" ? "." : token.text;
  const last = pieces.at(-1);
  if (last?.kind === "literal") pieces[pieces.length - 1] = { kind: "literal", text: last.text + text };
  else pieces.push({ kind: "literal", text });
}

function toPart(pieces: readonly Piece[]): PatternPart {
  const [first] = pieces;
  // No literal has a slash in it, so that slashes can stand for the other two.
  const symbols = { parameter: "/", wildcard: "//" };
  return {
    pieces,
    shape: pieces.map((piece) => (piece.kind === "literal" ? piece.text : symbols[piece.kind])).join(""),
    literal: pieces.length === 1 && first?.kind === "literal" ? first.text : undefined,
    takesRest: pieces.at(-1)?.kind === "wildcard",
  };
}
