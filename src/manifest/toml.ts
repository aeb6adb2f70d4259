// TOML text to values, and from a value back to its place in the text.
//
// The parser that gives values is quick and knows no places. The one that knows places takes as long to
// load as everything else together, so it is only loaded when there is something to point at.

import { createRequire } from "node:module";

import { parse, TomlError } from "smol-toml";
import type { AST } from "toml-eslint-parser";

import { type SourceLocation, type SourceText, SpindleError } from "../errors/mod.ts";
import type { KeyPath } from "./findings.ts";

/** Inline tables and lists may be nested this deep; both parsers recurse. */
const NESTING_MAX = 64;

/** Parses a text; throws MANIFEST_SYNTAX with the place of the first mistake, as TOML parsers stop there. */
export function parseToml(source: SourceText): Readonly<Record<string, unknown>> {
  try {
    return parse(source.text, { maxDepth: NESTING_MAX });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const flaw = error.message.split("\n")[0]?.replace("Invalid TOML document: ", "") ?? "";
    throw new SpindleError("MANIFEST_SYNTAX", `Cannot parse ${source.path}: ${flaw}`, {
      at: { source, line: error.line, column: error.column, length: 1 },
    });
  }
}

/**
 * Where a key or value is. A path that is not in the text (a missing field) gives the nearest table
 * above it that is.
 */
export function locate(source: SourceText, path: KeyPath, part: "key" | "value" = "value"): SourceLocation {
  const places = placesOf(source);
  for (let length = path.length; length > 0; length--) {
    const place = places.get(JSON.stringify(path.slice(0, length)));
    // Of a table above, the key says more than its body.
    if (place) return toLocation(source, length === path.length ? place[part] : place.key);
  }
  return { source, line: 1, column: 1, length: 1 };
}

interface Place {
  readonly key: Range;
  readonly value: Range;
}
type Range = AST.SourceLocation;

const placesBySource = new WeakMap<SourceText, ReadonlyMap<string, Place>>();

function placesOf(source: SourceText): ReadonlyMap<string, Place> {
  let places = placesBySource.get(source);
  if (!places) {
    places = findPlaces(source.text);
    placesBySource.set(source, places);
  }
  return places;
}

function findPlaces(text: string): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  const require = createRequire(import.meta.url);
  // The module is the package that the type names.
  const { parseTOML } = require("toml-eslint-parser") as typeof import("toml-eslint-parser");
  try {
    for (const node of parseTOML(text).body[0].body) {
      if (node.type === "TOMLTable") addTable(places, node);
      else addKeyValue(places, [], node);
    }
  } catch {
    // The two parsers differ in what they accept at the edges of TOML; then there is no place to show.
  }
  return places;
}

function addTable(places: Map<string, Place>, node: AST.TOMLTable): void {
  // `resolvedKey` has the index of each [[table]] after its name; `key.keys` only has the names.
  const names = [...node.key.keys];
  let path: KeyPath = [];
  for (const step of node.resolvedKey) {
    path = [...path, step];
    const key = typeof step === "string" ? names.shift() : undefined;
    if (key) addOnce(places, path, { key: key.loc, value: key.loc });
    else addOnce(places, path, { key: node.key.loc, value: node.key.loc });
  }
  for (const member of node.body) addKeyValue(places, node.resolvedKey, member);
}

function addKeyValue(places: Map<string, Place>, above: KeyPath, node: AST.TOMLKeyValue): void {
  let path = above;
  for (const key of node.key.keys) {
    path = [...path, key.type === "TOMLBare" ? key.name : key.value];
    addOnce(places, path, { key: key.loc, value: node.value.loc });
  }
  addContent(places, path, node.value);
}

function addContent(places: Map<string, Place>, path: KeyPath, node: AST.TOMLContentNode): void {
  if (node.type === "TOMLInlineTable") {
    for (const member of node.body) addKeyValue(places, path, member);
  } else if (node.type === "TOMLArray") {
    for (const [index, element] of node.elements.entries()) {
      const inner = [...path, index];
      addOnce(places, inner, { key: element.loc, value: element.loc });
      addContent(places, inner, element);
    }
  }
}

/** The first mention of a path is its place: `[component.a]` and not the `[component.a.build]` after it. */
function addOnce(places: Map<string, Place>, path: KeyPath, place: Place): void {
  const key = JSON.stringify(path);
  if (!places.has(key)) places.set(key, place);
}

/** Places of several lines are cut to their first: an excerpt shows one line. */
function toLocation(source: SourceText, { start, end }: Range): SourceLocation {
  const length = end.line === start.line ? end.column - start.column : Number.MAX_SAFE_INTEGER;
  return { source, line: start.line, column: start.column + 1, length: Math.max(1, length) };
}
