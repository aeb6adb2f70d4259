// The names that a manifest may give: kebab-case for components, snake_case for variables.
//
// A word is ASCII letters and digits, begins with a letter, and is wholly lower-case or wholly
// upper-case, as in the component model (`crates/serde/src/id.rs` of Spin).

import { type Mistake, quote } from "./findings.ts";

const WORD = "(?:[a-z][a-z0-9]*|[A-Z][A-Z0-9]*)";
export const KEBAB_CASE = new RegExp(`^${WORD}(?:-${WORD})*$`);
export const LOWER_SNAKE_CASE = /^[a-z][a-z0-9]*(?:_[a-z][a-z0-9]*)*$/;
/** What names a store or a database. */
export const LABEL = new RegExp(`^${WORD}(?:(?:-${WORD})*|(?:_${WORD})*)$`);

/** Says what is wrong with a component id, or a reference to one. */
export function kebabMistake(id: string): Mistake | undefined {
  if (KEBAB_CASE.test(id)) return undefined;
  return { code: "MANIFEST_ID_INVALID", ...explain(id, "-"), hint: suggest(id, "-", KEBAB_CASE) };
}

/** Says what is wrong with the name of a variable. */
export function lowerSnakeMistake(name: string): Mistake | undefined {
  if (LOWER_SNAKE_CASE.test(name)) return undefined;
  return { code: "MANIFEST_ID_INVALID", ...explain(name, "_"), hint: suggest(name, "_", LOWER_SNAKE_CASE) };
}

/** Says what is wrong with the label of a store or a database. */
export function labelMistake(label: string): Mistake | undefined {
  if (LABEL.test(label)) return undefined;
  const message = `Invalid label ${quote(label)}: expected kebab-case or snake_case`;
  return { code: "MANIFEST_ID_INVALID", message, hint: suggest(label, "-", LABEL) };
}

/** Makes a component id of the older, free-form kind kebab-case; it may still be invalid afterwards. */
export function toKebabId(id: string): string {
  return KEBAB_CASE.test(id) ? id : id.replaceAll("_", "-").toLowerCase();
}

function explain(name: string, separator: "-" | "_"): { readonly message: string } {
  return { message: `Invalid name ${quote(name)}: ${flawOf(name, separator)}` };
}

function flawOf(name: string, separator: "-" | "_"): string {
  const wrong = separator === "-" ? "_" : "-";
  if (name === "") return "it is empty";
  if (name.includes(wrong)) return `words must be separated with "${separator}", not "${wrong}"`;
  if (separator === "_" && /[A-Z]/.test(name)) return "it must be lower-case";
  for (const word of name.split(separator)) {
    const strange = /[^A-Za-z0-9]/u.exec(word)?.[0];
    if (word === "") return `there is an empty word before or after a "${separator}"`;
    if (strange) return `words may only have ASCII letters and digits, found "${strange}"`;
    if (!/^[A-Za-z]/.test(word)) return `words must begin with a letter, found "${word}"`;
    if (/[a-z]/.test(word) && /[A-Z]/.test(word)) return `words must not mix cases, found "${word}"`;
  }
  return "it is not made of words";
}

function suggest(name: string, separator: "-" | "_", form: RegExp): string | undefined {
  const words = name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();
  const fixed = words
    .split(/[^a-z0-9]+/)
    .filter(Boolean)
    .join(separator);
  return form.test(fixed) ? `Did you mean "${fixed}"?` : undefined;
}
