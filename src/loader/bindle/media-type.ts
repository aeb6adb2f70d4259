// What kind of content a file has, judged by its name, as Spin judged it when it made bindles.

import path from "node:path";
import { lookup } from "mime-types";

/** Where the crate `mime_guess` 2.0.4, which Spin 0.1 to 0.10 used, says something else. */
const OLDER: Readonly<Record<string, string>> = {
  c: "text/plain",
  cfg: "text/plain",
  h: "text/plain",
  ico: "image/x-icon",
  js: "application/javascript",
  jsx: "text/jscript",
  map: "text/plain",
  mjs: "application/javascript",
  otf: "application/font-sfnt",
  py: "text/plain",
  rs: "text/x-rust",
  sql: "application/x-sql",
  tgz: "application/x-compressed",
  toml: "text/x-toml",
  ts: "video/vnd.dlna.mpeg-tts",
  woff: "application/font-woff",
  xml: "text/xml",
  yaml: "text/x-yaml",
  yml: "text/x-yaml",
};
const UNKNOWN = "application/octet-stream";

/** The media type for the extension of a file. */
export function mediaTypeOf(file: string): string {
  const extension = path.extname(file).slice(1).toLowerCase();
  if (extension === "") return UNKNOWN;
  return (Object.hasOwn(OLDER, extension) ? OLDER[extension] : lookup(extension) || undefined) ?? UNKNOWN;
}
