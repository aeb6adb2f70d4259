// The rules for names within components.
//
// Labels become names of properties in generated code, so nothing but a label may pass for one.

import { MalformedComponentError } from "../binary/component-error.ts";

const FIRST_WORD = "(?:[a-z][a-z0-9]*|[A-Z][A-Z0-9]*)";
const WORD = "(?:[a-z0-9]+|[A-Z0-9]+)";
const LABEL = new RegExp(`^${FIRST_WORD}(?:-${WORD})*$`);

/** @throws MalformedComponentError if one is not a label, or two are the same but for their case */
export function requireLabels(
  named: readonly { readonly name: string }[],
  what: string,
  offset: number,
): void {
  const seen = new Set<string>();
  for (const { name } of named) {
    if (!LABEL.test(name)) throw new MalformedComponentError(`"${name}" is not a name for a ${what}`, offset);
    const folded = name.toLowerCase();
    if (seen.has(folded)) throw new MalformedComponentError(`two names for a ${what} are "${name}"`, offset);
    seen.add(folded);
  }
}

/** Adds an item under its name, once. @throws MalformedComponentError if there is one already */
export function addNamed<T>(
  items: Map<string, T>,
  entry: { readonly name: string; readonly item: T },
  offset: number,
): void {
  if (items.has(entry.name)) throw new MalformedComponentError(`"${entry.name}" is there twice`, offset);
  items.set(entry.name, entry.item);
}
