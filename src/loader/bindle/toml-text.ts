// Writes TOML in the very characters in which Spin 0.1 to 0.10 wrote it.
//
// Parcels are known by their digests. A manifest that says the same in other quotes would be another
// parcel, and its bindle another bindle. The style is that of the crate `toml` 0.5, `to_string_pretty()`.

import { stringify } from "smol-toml";

export type Table = Readonly<Record<string, unknown>>;

/** Values come before tables; both in their order. */
export function tomlText(table: Table): string {
  const lines = [...linesOf(table, [])];
  return lines.length === 0 ? "" : `${lines.join("\n").trimStart()}\n`;
}

/** The lines of what is in a table; its header comes before them, after an empty line. */
function* linesOf(table: Table, path: readonly string[]): Generator<string> {
  for (const [key, value] of Object.entries(table)) {
    if (!isTable(value) && !isTables(value)) yield `${keyText(key)} = ${valueText(value)}`;
  }
  for (const [key, value] of Object.entries(table)) {
    const name = [...path, keyText(key)];
    const header = name.join(".");
    if (isTable(value)) {
      if (hasHeader(value)) yield* ["", `[${header}]`];
      yield* linesOf(value, name);
    } else if (isTables(value)) {
      for (const item of value) yield* ["", `[[${header}]]`, ...linesOf(item, name)];
    }
  }
}

/** A table of tables alone is there when they are. */
function hasHeader(table: Table): boolean {
  const values = Object.values(table);
  return values.length === 0 || values.some((value) => !isTable(value) && !isTables(value));
}

export function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function isTables(value: unknown): value is readonly Table[] {
  return Array.isArray(value) && value.length > 0 && value.every(isTable);
}

function keyText(key: string): string {
  return /^[\w-]+$/.test(key) ? key : escaped(key, "line");
}

function valueText(value: unknown): string {
  if (typeof value === "string") return stringText(value);
  if (Array.isArray(value)) return arrayText(value.map(valueText));
  // Numbers, dates and the like have one form.
  return stringify({ x: value }).trim().replace("x = ", "");
}

function arrayText(items: readonly string[]): string {
  if (items.length < 2) return `[${items.join("")}]`;
  return `[\n${items.map((item) => `    ${item},\n`).join("")}]`;
}

/** As it is, in single quotes, if that is possible at all. */
function stringText(text: string): string {
  const isLiteral = !/[^\t\n -~\u0080-\u{10ffff}]|'{3}|'$/u.test(text);
  if (!isLiteral) return escaped(text, text.includes("\n") ? "lines" : "line");
  if (text.includes("\n")) return `'''\n${text}'''`;
  return text.includes("'") ? `'''${text}'''` : `'${text}'`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\f": "\\f",
  "\r": "\\r",
  '"': '\\"',
  "\\": "\\\\",
};

function escaped(text: string, form: "line" | "lines"): string {
  const inner = text.replace(/["\\]|[^ -~\u0080-\u{10ffff}]/gu, (character) => {
    if (character === "\n" && form === "lines") return character;
    const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    return ESCAPES[character] ?? `\\u${code}`;
  });
  return form === "lines" ? `"""\n${inner}"""` : `"${inner}"`;
}
