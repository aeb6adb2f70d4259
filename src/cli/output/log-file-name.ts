// Makes the name of a log file of a component id, which older manifests hardly restrict.
//
// The result is one path segment on every system, as `sanitize_filename` makes it for Spin.

/** What some file system does not take in a name: separators, wildcards, control characters. */
const UNFIT = /[/?<>\\:*|"\x00-\x1f\x80-\x9f]/g;
/** Names that mean a device on Windows, whatever their extension. */
const DEVICE = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?$/i;
/** The longest name that common file systems take. */
const NAME_BYTES_MAX = 255;

export function logFileName(componentId: string, stream: "stdout" | "stderr"): string {
  const suffix = `_${stream}.txt`;
  const plain = componentId
    .replace(UNFIT, "")
    .replace(/^\.+$/, "")
    .replace(DEVICE, "")
    .replace(/[. ]+$/, "");
  return truncated(plain, NAME_BYTES_MAX - suffix.length) + suffix;
}

/** Cuts a text to so many bytes of UTF-8, between characters. */
function truncated(text: string, bytesMax: number): string {
  const bytes = new Uint8Array(bytesMax);
  return text.slice(0, new TextEncoder().encodeInto(text, bytes).read);
}
