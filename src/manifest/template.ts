// Texts with `{{ variable }}` in them, as component variables and allowed hosts may have.
//
// Only a name can stand between the braces; there are no filters and no escapes. A "}}" on its own is
// plain text (`crates/expressions/src/template.rs` of Spin).

export type TemplatePart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "variable"; readonly name: string };

/** Takes a text apart; undefined if a `{{` is never closed. */
export function parseTemplate(text: string): readonly TemplatePart[] | undefined {
  const parts: TemplatePart[] = [];
  let at = 0;
  for (;;) {
    const open = text.indexOf("{{", at);
    const plain = text.slice(at, open === -1 ? undefined : open);
    if (plain !== "") parts.push({ kind: "text", text: plain });
    if (open === -1) return parts;
    const close = text.indexOf("}}", open + 2);
    if (close === -1) return undefined;
    parts.push({ kind: "variable", name: text.slice(open + 2, close).trim() });
    at = close + 2;
  }
}

/** Puts values in; undefined if a variable has none. */
export function expandTemplate(
  parts: readonly TemplatePart[],
  lookUp: (name: string) => string | undefined,
): string | undefined {
  let expanded = "";
  for (const part of parts) {
    const text = part.kind === "text" ? part.text : lookUp(part.name);
    if (text === undefined) return undefined;
    expanded += text;
  }
  return expanded;
}
