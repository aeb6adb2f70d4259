// Reads a value that TOML gave as a definition says, and reports every mistake with its path.
//
// The definitions (schema.ts) are written with valibot, which gives their types and, through JSON
// Schema, what editors know. They are read here and not by valibot, because a manifest needs more than
// a verdict: all unknown keys and not the first, the one alternative of a union that the author meant,
// every key of a table ("constructor" too), and words that speak of TOML.

import type * as v from "valibot";

import { didYouMean } from "../errors/mod.ts";
import { describePath, type Findings, type KeyPath, type Mistake, quote } from "./findings.ts";

type Schema<Output = unknown> = v.BaseSchema<unknown, Output, v.BaseIssue<unknown>>;

/** A rule that a shape cannot express, attached to a schema with `v.metadata({ find })`. */
export type Rule<T> = (value: T) => Mistake | undefined;

/**
 * Reads `value` as `schema` says, with defaults filled in. What it reports goes to `findings`; the result
 * is undefined if a part has the wrong type or is missing, so that nothing can be made of the whole.
 */
export function readShape<Output>(
  schema: Schema<Output>,
  value: unknown,
  findings: Findings,
  path: KeyPath = [],
): Output | undefined {
  const output = read(asNode(schema), value, { path, findings });
  // Whatever is not BROKEN has been rebuilt by read(), part by part, as the schema says.
  return output === BROKEN ? undefined : (output as Output);
}

/** A TOML table: neither a list nor a date. */
export function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** The parts of valibot's schemas that the definitions use, as data. */
type Node = { readonly pipe?: readonly PipeItem[] } & (
  | { readonly type: "string" | "number" | "boolean" | "unknown" }
  | { readonly type: "literal"; readonly literal: unknown }
  | { readonly type: "picklist"; readonly options: readonly string[] }
  | { readonly type: "array"; readonly item: Node }
  | { readonly type: "record"; readonly key: Node; readonly value: Node }
  | { readonly type: "strict_object" | "loose_object"; readonly entries: Entries }
  | { readonly type: "object_with_rest"; readonly entries: Entries; readonly rest: Node }
  | { readonly type: "union"; readonly options: readonly Node[] }
  | { readonly type: "variant"; readonly key: string; readonly options: readonly Node[] }
  | { readonly type: "exact_optional"; readonly wrapped: Node; readonly default: unknown }
);
type Entries = Readonly<Record<string, Node>>;
type PipeItem = {
  readonly type: string;
  readonly metadata?: { readonly find?: Rule<unknown> };
  /** The first item is a schema, which can have been piped before. */
  readonly pipe?: readonly PipeItem[];
};

function asNode(schema: Schema): Node {
  // schema.ts uses only the schemas listed in Node; read() fails loudly for any other.
  return schema as unknown as Node;
}

interface Place {
  readonly path: KeyPath;
  readonly findings: Findings;
}

const BROKEN = Symbol("a value of the wrong type");

function read(node: Node, value: unknown, place: Place): unknown {
  const output = readPlain(node, value, place);
  if (output === BROKEN) return BROKEN;
  for (const find of rulesOf(node)) {
    const mistake = find(output);
    if (mistake) place.findings.error(place.path, mistake);
  }
  return output;
}

function rulesOf({ pipe = [] }: Pick<PipeItem, "pipe">): readonly Rule<unknown>[] {
  return pipe.flatMap((item) => [...rulesOf(item), ...(item.metadata?.find ? [item.metadata.find] : [])]);
}

function readPlain(node: Node, value: unknown, place: Place): unknown {
  switch (node.type) {
    case "unknown":
      return value;
    case "string":
    case "number":
    case "boolean":
      return typeof value === node.type ? value : wrongType(node, value, place);
    case "literal":
      return value === node.literal ? value : wrongChoice([node.literal], value, place);
    case "picklist":
      if (typeof value !== "string") return wrongType(node, value, place);
      return node.options.includes(value) ? value : wrongChoice(node.options, value, place);
    case "array":
      return Array.isArray(value) ? readList(node.item, value, place) : wrongType(node, value, place);
    case "record":
    case "strict_object":
    case "loose_object":
    case "object_with_rest":
      return isTable(value) ? readTable(node, value, place) : wrongType(node, value, place);
    case "union":
      return readUnion(node, value, place);
    case "variant":
      return isTable(value) ? readVariant(node, value, place) : wrongType(node, value, place);
    case "exact_optional":
      return read(node.wrapped, value, place);
  }
  // Only a definition that uses another of valibot's schemas gets here.
  throw new Error(`No reader for this schema at ${describePath(place.path)}`);
}

function readList(item: Node, list: readonly unknown[], { path, findings }: Place): unknown {
  const output = list.map((value, index) => read(item, value, { path: [...path, index], findings }));
  return output.includes(BROKEN) ? BROKEN : output;
}

type TableNode = Extract<Node, { type: "record" | "strict_object" | "loose_object" | "object_with_rest" }>;

function readTable(node: TableNode, value: Readonly<Record<string, unknown>>, place: Place): unknown {
  const { path, findings } = place;
  const known: Entries = node.type === "record" ? {} : node.entries;
  const output = new Map<string, unknown>();
  for (const [key, member] of Object.entries(value)) {
    const inner = { path: [...path, key], findings };
    const memberNode = Object.hasOwn(known, key) ? known[key] : restOf(node);
    if (node.type === "record") checkKey(node.key, key, inner);
    if (memberNode) output.set(key, read(memberNode, member, inner));
    else unknownField(key, known, place);
  }
  for (const [key, member] of Object.entries(known)) {
    if (output.has(key)) continue;
    if (member.type !== "exact_optional") output.set(key, missingField(key, place));
    else if (member.default !== undefined) output.set(key, member.default);
  }
  if ([...output.values()].includes(BROKEN)) return BROKEN;
  return Object.fromEntries(output);
}

const ANYTHING: Node = { type: "unknown" };

/** How the members without a definition of their own are read; undefined where there may be none. */
function restOf(node: TableNode): Node | undefined {
  switch (node.type) {
    case "record":
      return node.value;
    case "object_with_rest":
      return node.rest;
    case "loose_object":
      return ANYTHING;
    case "strict_object":
      return undefined;
  }
}

function checkKey(node: Node, key: string, { path, findings }: Place): void {
  for (const find of rulesOf(node)) {
    const mistake = find(key);
    if (mistake) findings.error(path, mistake, "key");
  }
}

/** Of the options that have the right type, the table that shares most keys with the value is meant. */
function readUnion(node: Extract<Node, { type: "union" }>, value: unknown, place: Place): unknown {
  let meant: Node | undefined;
  let meantScore = -1;
  for (const option of node.options) {
    const score = likeness(option, value);
    if (score > meantScore) [meant, meantScore] = [option, score];
  }
  return meant ? read(meant, value, place) : wrongType(node, value, place);
}

/** How well a value fits a schema at first sight; below zero: not at all. */
function likeness(node: Node, value: unknown): number {
  switch (node.type) {
    case "array":
      return Array.isArray(value) ? 0 : -1;
    case "strict_object":
      return isTable(value)
        ? Object.keys(value).filter((key) => Object.hasOwn(node.entries, key)).length
        : -1;
    case "record":
      return isTable(value) ? 0 : -1;
    case "string":
    case "number":
    case "boolean":
      return typeof value === node.type ? 0 : -1;
    case "literal":
      return value === node.literal ? 0 : -1;
    case "union":
      return Math.max(...node.options.map((option) => likeness(option, value)));
    default:
      return -1;
  }
}

/** Alternatives that one field names: `executor = { type = "wagi" }`. */
function readVariant(
  node: Extract<Node, { type: "variant" }>,
  value: Readonly<Record<string, unknown>>,
  place: Place,
): unknown {
  const choices: unknown[] = [];
  for (const option of node.options) {
    const names = option.type === "strict_object" ? choicesOf(option.entries[node.key]) : [];
    if (names.includes(value[node.key])) return read(option, value, place);
    choices.push(...names);
  }
  if (!Object.hasOwn(value, node.key)) return missingField(node.key, place);
  const inner = { path: [...place.path, node.key], findings: place.findings };
  return wrongChoice(choices, value[node.key], inner);
}

function choicesOf(node: Node | undefined): readonly unknown[] {
  if (node?.type === "literal") return [node.literal];
  return node?.type === "picklist" ? node.options : [];
}

function unknownField(key: string, known: Entries, { path, findings }: Place): void {
  const where = path.length === 0 ? "the manifest" : `"${describePath(path)}"`;
  const hint =
    didYouMean(key, Object.keys(known)) ?? `Remove it, or use one of: ${Object.keys(known).join(", ")}.`;
  const message = `Unknown field "${key}" in ${where}`;
  findings.error([...path, key], { code: "MANIFEST_FIELD_UNKNOWN", message, hint }, "key");
}

function missingField(key: string, { path, findings }: Place): typeof BROKEN {
  const where = path.length === 0 ? "the manifest" : `"${describePath(path)}"`;
  const message = `Missing field "${key}" in ${where}`;
  findings.error(path, { code: "MANIFEST_FIELD_MISSING", message, hint: `Add \`${key} = ...\`.` }, "key");
  return BROKEN;
}

function wrongType(node: Node, value: unknown, { path, findings }: Place): typeof BROKEN {
  const message = `Wrong type of "${describePath(path)}": expected ${describeNode(node)}, found ${describeValue(value)}`;
  findings.error(path, { code: "MANIFEST_TYPE", message, hint: typeHint(node, value, path) });
  return BROKEN;
}

/** What to write for the slips that everybody makes: `[trigger.http]`, `files = "x"`, `PORT = 80`. */
function typeHint(node: Node, value: unknown, path: KeyPath): string | undefined {
  if (node.type === "array" && isTable(value)) return `Write [[${describePath(path)}]], with two brackets.`;
  if (node.type === "array") return `Put the value in brackets: [${quote(value)}].`;
  if (node.type === "string" && ["number", "boolean"].includes(typeof value))
    return `Write it in quotes: "${value}".`;
  return `Write ${describeNode(node)}.`;
}

function wrongChoice(choices: readonly unknown[], value: unknown, { path, findings }: Place): typeof BROKEN {
  // Made when there is a mistake, because it takes longer than reading a manifest.
  const expected = new Intl.ListFormat("en", { type: "disjunction" }).format(choices.map(quote));
  const found = isTable(value) || Array.isArray(value) ? describeValue(value) : quote(value);
  const message = `Invalid "${describePath(path)}": expected ${expected}, found ${found}`;
  const names = choices.filter((choice) => typeof choice === "string");
  const hint = typeof value === "string" ? didYouMean(value, names) : undefined;
  findings.error(path, { code: "MANIFEST_VALUE", message, hint });
  return BROKEN;
}

function describeNode(node: Node): string {
  switch (node.type) {
    case "string":
    case "picklist":
      return "a string";
    case "number":
      return "a number";
    case "boolean":
      return "true or false";
    case "array":
      return "a list";
    case "union":
      return [...new Set(node.options.map(describeNode))].join(" or ");
    case "literal":
      return quote(node.literal);
    default:
      return "a table";
  }
}

function describeValue(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (value instanceof Date) return "a date";
  if (isTable(value)) return "a table";
  return typeof value === "boolean" ? String(value) : `a ${typeof value}`;
}
