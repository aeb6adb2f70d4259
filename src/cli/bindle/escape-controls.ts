// Documents for programs are shown to people too: what would control their terminal is escaped.

/** Escapes, in JSON or TOML that has only quoted strings, the controls that both let stand for themselves. */
export function escapeControls(text: string): string {
  return text.replace(
    /[\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
