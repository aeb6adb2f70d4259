// Patterns of file names as Rust's `glob` crate has them, which is what manifests are written for.
//
//     ?  one character     *  any run of them     [a-z] [!abc]  one of a set     **  any directories
//
// There are no braces and no escapes, and a leading dot is a character like any other. A pattern is used
// in two ways: step by step down a tree of directories, where `*` stays in its segment (walkable()), and
// on a whole path, where `*` and `?` also match "/" (matchesPath()).

/** A pattern that cannot be read; the message says why, without the pattern. */
export class GlobSyntaxError extends Error {}

type Token =
  | { readonly kind: "text"; readonly character: string }
  | { readonly kind: "any" }
  | { readonly kind: "set"; readonly isNegated: boolean; readonly ranges: readonly Range[] }
  /** `*`: any characters. */
  | { readonly kind: "run" }
  /** `**` and the slash after it: nothing, or any characters up to a slash. */
  | { readonly kind: "directories" };

type Range = readonly [from: string, to: string];

/** One segment of a pattern, for the walk down a tree. */
export type GlobSegment =
  /** A name without wildcards. */
  | { readonly kind: "name"; readonly name: string }
  /** `**`. */
  | { readonly kind: "directories" }
  | { readonly kind: "pattern"; matches(name: string): boolean };

/** Whether a text has wildcards in it. */
export function looksLikeGlob(text: string): boolean {
  return /[?*[\]]/.test(text);
}

/** Takes a pattern apart at its slashes; throws GlobSyntaxError. */
export function parseGlobSegments(pattern: string): readonly GlobSegment[] {
  parseTokens(pattern);
  return pattern.split("/").map((segment): GlobSegment => {
    if (segment === "**") return { kind: "directories" };
    if (!looksLikeGlob(segment)) return { kind: "name", name: segment };
    const tokens = parseTokens(segment);
    return { kind: "pattern", matches: (name) => matchTokens(tokens, name) };
  });
}

/** Compiles a pattern that whole paths are matched against; throws GlobSyntaxError. */
export function parseGlob(pattern: string): { matchesPath(path: string): boolean } {
  const tokens = parseTokens(pattern);
  return { matchesPath: (path) => matchTokens(tokens, path) };
}

function parseTokens(pattern: string): readonly Token[] {
  const characters = [...pattern];
  const tokens: Token[] = [];
  for (let at = 0; at < characters.length; ) {
    const character = characters[at] ?? "";
    if (character === "?") tokens.push({ kind: "any" });
    else if (character === "[") at = parseSet(characters, at, tokens);
    else if (character === "*") at = parseStars(characters, at, tokens);
    else tokens.push({ kind: "text", character });
    at++;
  }
  return tokens;
}

/** Returns the place of the last character of the set. A "]" right after the opening is a member. */
function parseSet(characters: readonly string[], open: number, tokens: Token[]): number {
  const isNegated = characters[open + 1] === "!";
  const first = open + (isNegated ? 2 : 1);
  const close = characters.indexOf("]", first + 1);
  if (close === -1) throw new GlobSyntaxError('a "[" is never closed by a "]"');
  const ranges: Range[] = [];
  for (let at = first; at < close; at++) {
    const from = characters[at] ?? "";
    const isRange = characters[at + 1] === "-" && at + 2 < close;
    ranges.push([from, isRange ? (characters[at + 2] ?? from) : from]);
    if (isRange) at += 2;
  }
  tokens.push({ kind: "set", isNegated, ranges });
  return close;
}

/** Returns the place of the last character that belongs to the stars. */
function parseStars(characters: readonly string[], first: number, tokens: Token[]): number {
  let end = first;
  while (characters[end] === "*") end++;
  if (end - first === 1) {
    tokens.push({ kind: "run" });
    return first;
  }
  if (end - first > 2) throw new GlobSyntaxError('there are wildcards "*" and "**", but no longer ones');
  const startsSegment = first === 0 || characters[first - 1] === "/";
  const endsSegment = end === characters.length || characters[end] === "/";
  if (!startsSegment || !endsSegment) throw new GlobSyntaxError('"**" must stand alone between slashes');
  if (tokens.at(-1)?.kind !== "directories") tokens.push({ kind: "directories" });
  return end === characters.length ? end - 1 : end;
}

/**
 * Matches with one point to go back to, so that the time is the product of the two lengths at most. It
 * suffices: whatever an earlier wildcard could match in addition, the last one can as well.
 */
function matchTokens(tokens: readonly Token[], text: string): boolean {
  const characters = [...text];
  let token = 0;
  let at = 0;
  let retry: { readonly token: number; at: number } | undefined;
  while (at < characters.length || token < tokens.length) {
    const current = tokens[token];
    if (current?.kind === "run" || current?.kind === "directories") {
      retry = { token, at };
      token++;
    } else if (current && at < characters.length && matchesOne(current, characters[at] ?? "")) {
      token++;
      at++;
    } else {
      if (!retry || retry.at >= characters.length) return false;
      retry.at = nextRetry(tokens[retry.token], characters, retry.at);
      at = retry.at;
      token = retry.token + 1;
    }
  }
  return true;
}

/** How far a wildcard reaches at the next try: a run by one character, directories to the next slash. */
function nextRetry(wildcard: Token | undefined, characters: readonly string[], at: number): number {
  if (wildcard?.kind !== "directories") return at + 1;
  const slash = characters.indexOf("/", at);
  return slash === -1 ? characters.length : slash + 1;
}

function matchesOne(token: Token, character: string): boolean {
  switch (token.kind) {
    case "text":
      return token.character === character;
    case "any":
      return true;
    case "set":
      return token.ranges.some(([from, to]) => isBetween(character, from, to)) !== token.isNegated;
    case "run":
    case "directories":
      return false;
  }
}

function isBetween(character: string, from: string, to: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return code >= (from.codePointAt(0) ?? 0) && code <= (to.codePointAt(0) ?? 0);
}
