// Maps a request path to the route that serves it.
//
// Routes are put in order once, at construction; the first that matches in that order wins. A trie
// over path segments finds it without trying each: routes without parameters take one look-up, and
// the worst path costs no more steps than the trie has nodes. Matching allocates only what it returns.

import { SpindleError } from "../../errors/mod.ts";
import type { RouteMatch } from "./executor.ts";
import { createRoute, type Route, type RouteSource } from "./route.ts";
import {
  matchPart,
  type PatternPart,
  RoutePattern,
  RoutePatternError,
  segmentEnd,
  trimSlashes,
} from "./route-pattern.ts";

/** Paths below this are answered by the trigger itself; no route can take them. */
export const RESERVED_PREFIX = "/.well-known/spin/";

/**
 * A route that is never used, because another one takes all its requests: the last with the same text, or
 * the first that differs only in slashes at its ends or in the names of parameters.
 */
export interface DuplicateRoute {
  readonly replaced: Route;
  readonly effective: Route;
}

interface Entry {
  readonly route: Route;
  readonly pattern: RoutePattern;
}

export class Router {
  /** In the order of matching. */
  readonly routes: readonly Route[];
  readonly duplicates: readonly DuplicateRoute[];
  readonly #entries: readonly Entry[];
  readonly #root: Node;
  /** The answer for paths that are written exactly like a route. */
  readonly #exact = new Map<string, RouteMatch>();

  /** @throws SpindleError MANIFEST_ROUTE_INVALID, with a diagnostic for each bad route */
  constructor(sources: readonly RouteSource[]) {
    const { routes, duplicates } = withoutDuplicates(sources.map(createRoute));
    this.#entries = inOrder(parseAll(routes));
    this.duplicates = [...duplicates, ...findShadowed(this.#entries)];
    this.routes = this.#entries.map((entry) => entry.route);
    this.#root = buildTrie(this.#entries.map((entry) => entry.pattern));
    this.#fillExact();
  }

  /** Finds the route for a path: from the first slash up to the query, undecoded. */
  match(path: string): RouteMatch | undefined {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return exact;
    const trimmed = trimSlashes(path);
    const entry = this.#entries[find(this.#root, trimmed, trimmed === "" ? 1 : 0, NONE)];
    return entry && toMatch(entry, path, trimmed);
  }

  #fillExact(): void {
    for (const [index, entry] of this.#entries.entries()) {
      if (entry.pattern.hasCaptures) continue;
      const path = entry.pattern.parts.map((part) => part.literal).join("/");
      // Another route can win even there: see RoutePattern.precedes().
      if (find(this.#root, path, path === "" ? 1 : 0, NONE) !== index) continue;
      this.#exact.set(`/${path}`, toMatch(entry, path, path));
    }
  }
}

function toMatch({ route, pattern }: Entry, path: string, trimmed: string): RouteMatch {
  if (!pattern.hasCaptures) return { route, pathInfo: "", params: [] };
  const { params, rest } = pattern.capture(trimmed);
  return { route, pathInfo: toPathInfo(path, rest), params };
}

/** Puts back the slashes around what the wildcard took: `/foo/...` gets "/" of `/foo/`. */
function toPathInfo(path: string, rest: string | undefined): string {
  if (rest === undefined) return "";
  const trailing = path.endsWith("/") ? "/" : "";
  return rest === "" ? trailing : `/${rest}${trailing}`;
}

/** Of routes with the same text the last one stays, at the place of the first. */
function withoutDuplicates(all: readonly Route[]) {
  const byText = new Map<string, Route>();
  const duplicates: DuplicateRoute[] = [];
  for (const route of all) {
    const replaced = byText.get(route.text);
    if (replaced) duplicates.push({ replaced, effective: route });
    byText.set(route.text, route);
  }
  return { routes: [...byText.values()], duplicates };
}

/** Finds the routes that match the same as one that goes before them. */
function findShadowed(ordered: readonly Entry[]): DuplicateRoute[] {
  const byShape = new Map<string, Route>();
  const shadowed: DuplicateRoute[] = [];
  for (const { route, pattern } of ordered) {
    const shape = JSON.stringify(pattern.parts.map((part) => part.shape));
    const effective = byShape.get(shape);
    if (effective) shadowed.push({ replaced: route, effective });
    else byShape.set(shape, route);
  }
  return shadowed;
}

function parseAll(routes: readonly Route[]): Entry[] {
  const entries: Entry[] = [];
  const errors: string[] = [];
  for (const route of routes) {
    try {
      entries.push({ route, pattern: new RoutePattern(route.matched) });
    } catch (error) {
      if (!(error instanceof RoutePatternError)) throw error;
      errors.push(`Cannot use route "${route.text}" of trigger "${route.triggerId}": ${error.message}`);
    }
  }
  if (errors.length === 0) return entries;
  throw SpindleError.collect(
    errors.map((message) => ({ code: "MANIFEST_ROUTE_INVALID", severity: "error", message }) as const),
  );
}

/** Inserts one after the other, because RoutePattern.precedes() is no total order. */
function inOrder(entries: readonly Entry[]): Entry[] {
  const ordered: Entry[] = [];
  for (const entry of entries) {
    const at = ordered.findIndex((other) => entry.pattern.precedes(other.pattern));
    ordered.splice(at < 0 ? ordered.length : at, 0, entry);
  }
  return ordered;
}

/** Comes after every route. */
const NONE = Number.MAX_SAFE_INTEGER;

/** A place between two path segments. Routes are numbered in their order: the least number wins. */
interface Node {
  /** The first route at or below this node. */
  first: number;
  /** The first route that ends here. */
  end: number;
  /** The first route whose wildcard begins here; it matches whatever follows, and nothing as well. */
  rest: number;
  readonly literals: Map<string, Node>;
  /** Parts with parameters or wildcards; equal ones share a node, whatever their parameters are called. */
  readonly others: { readonly part: PatternPart; readonly node: Node }[];
}

function createNode(): Node {
  return { first: NONE, end: NONE, rest: NONE, literals: new Map(), others: [] };
}

function buildTrie(patterns: readonly RoutePattern[]): Node {
  const root = createNode();
  for (const [index, pattern] of patterns.entries()) {
    let node = root;
    node.first = Math.min(node.first, index);
    for (const part of pattern.parts) {
      if (part.pieces[0]?.kind === "wildcard") {
        node.rest = Math.min(node.rest, index);
        break;
      }
      node = childFor(node, part);
      node.first = Math.min(node.first, index);
    }
    if (pattern.parts.at(-1)?.pieces[0]?.kind !== "wildcard") node.end = Math.min(node.end, index);
  }
  return root;
}

function childFor(node: Node, part: PatternPart): Node {
  const known =
    part.literal === undefined
      ? node.others.find((other) => other.part.shape === part.shape)?.node
      : node.literals.get(part.literal);
  if (known) return known;
  const child = createNode();
  if (part.literal === undefined) node.others.push({ part, node: child });
  else node.literals.set(part.literal, child);
  return child;
}

/** Gives the first route that matches `path` from `from` on, or `best` if none comes before that. */
function find(node: Node, path: string, from: number, best: number): number {
  let found = Math.min(best, node.rest);
  if (from > path.length) return Math.min(found, node.end);
  const end = segmentEnd(path, from);
  if (node.literals.size > 0) {
    const child = node.literals.get(path.slice(from, end));
    if (child && child.first < found) found = find(child, path, end + 1, found);
  }
  for (const { part, node: child } of node.others) {
    if (child.first >= found || !matchPart(part, { path, from, end })) continue;
    found = part.takesRest ? child.end : find(child, path, end + 1, found);
  }
  return found;
}
