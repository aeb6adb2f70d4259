// The texts that clients and servers exchange: TOML, which everybody speaks, and JSON, which is quicker to read.

import { parse, stringify, TomlError } from "smol-toml";
import { ShapeError } from "./table-reader.ts";

export type DocumentFormat = "toml" | "json";

export const MEDIA_TYPES: Readonly<Record<DocumentFormat, string>> = {
  toml: "application/toml",
  json: "application/json",
};

/** Larger documents are not read: an invoice of 2,000 parcels has half a megabyte, and TOML takes long to read. */
export const DOCUMENT_BYTES_MAX = 4 * 2 ** 20;

/**
 * Parses a document, strictly as UTF-8.
 *
 * @throws ShapeError
 */
export function parseDocument(bytes: Uint8Array, format: DocumentFormat): unknown {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (format === "json") return JSON.parse(text);
    refuseExpensive(text);
    return parse(text);
  } catch (error) {
    if (error instanceof ShapeError) throw error;
    throw new ShapeError(stateOf(error, format), { cause: error });
  }
}

/** Of dotted keys: those of an invoice have four parts, such as `parcel.label.feature.wasm`. */
const KEY_PARTS_MAX = 8;
const DEEP_KEY = new RegExp(
  String.raw`(?:^|[[{,])[ \t]*(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){${KEY_PARTS_MAX}}`,
  "m",
);

/**
 * Of characters that make tables and values. An invoice of 10,000 parcels has 60,000 equals signs and
 * 80,000 brackets; TOML takes about a second for as much as is allowed.
 */
const MARKS_MAX = { "=": 150_000, ".": 500_000, "[": 150_000, "{": 50_000, ",": 300_000 } as const;

/** Each part of a key makes a table: a few megabytes of dots or brackets would fill the memory. */
function refuseExpensive(text: string): void {
  if (DEEP_KEY.test(text)) throw new ShapeError(`it has a key of more than ${KEY_PARTS_MAX} parts`);
  for (const [mark, max] of Object.entries(MARKS_MAX)) {
    if (countOf(text, mark) > max) throw new ShapeError(`it has more than ${max} of "${mark}"`);
  }
}

function countOf(text: string, mark: string): number {
  let count = 0;
  for (let at = text.indexOf(mark); at !== -1; at = text.indexOf(mark, at + 1)) count++;
  return count;
}

/** Writes a document: fields in their order, except that in TOML tables come after everything else. */
export function formatDocument(value: object, format: DocumentFormat): string {
  return format === "json" ? JSON.stringify(value) : stringify(value);
}

/** The format that the essence of a media type names. Servers of old say `text/json` and the like. */
export function formatOfMediaType(mediaType: string): DocumentFormat | undefined {
  const essence = mediaType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const subtype = essence.split("/")[1]?.split("+")[0];
  return subtype === "toml" || subtype === "json" ? subtype : undefined;
}

function stateOf(error: unknown, format: DocumentFormat): string {
  if (error instanceof TomlError) {
    const [reason] = error.message.split("\n", 1);
    return `line ${error.line}, column ${error.column}: ${reason}`;
  }
  if (error instanceof SyntaxError) return error.message;
  if (error instanceof TypeError) return "it is not UTF-8";
  return `it cannot be read as ${format.toUpperCase()}`;
}
