// What kind of content a file has, judged by its name, as Spin judged it when it made bindles.

import path from "node:path";
import { lookup } from "mime-types";

/** Where the crate `mime_guess` 2.0.4, which Spin 0.1 to 0.10 used, says something else of what a web site may have. */
const OLDER: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "application/ecmascript": "es",
    "application/font-sfnt": "otf",
    "application/font-woff": "woff",
    "application/javascript": "js jsm mjs",
    "application/octet-stream":
      "cjs dds deb dmg exe heic heif ics ipynb iso java key ktx2 lottie m4s mdx msi mtl numbers pages psd ttml usdz wgsl",
    "application/pgp-signature": "asc",
    "application/vnd.ms-pki.stl": "stl",
    "application/x-compress": "z",
    "application/x-compressed": "tgz",
    "application/x-ms-manifest": "manifest",
    "application/x-msmetafile": "wmf",
    "application/x-rar-compressed": "rar",
    "application/x-sql": "sql",
    "application/x-tgif": "obj",
    "application/x-x509-ca-cert": "cer",
    "audio/aiff": "aif aiff",
    "audio/flac": "flac",
    "audio/m4a": "m4a",
    "audio/mid": "mid midi",
    "audio/wav": "wave",
    "audio/x-mpegurl": "m3u8",
    "audio/x-pn-realaudio-plugin": "rpm",
    "image/vnd.radiance": "hdr",
    "image/x-icon": "ico",
    "text/jscript": "jsx",
    "text/plain": "asm c cc cfg cpp cs cxx h hpp inc map py s vcs",
    "text/x-rust": "rs",
    "text/x-toml": "toml",
    "text/x-yaml": "yaml yml",
    "text/xml": "dtd wsdl xml xsd xsl xslt",
    "video/vnd.dlna.mpeg-tts": "mts ts",
  }).flatMap(([type, extensions]) => extensions.split(" ").map((extension) => [extension, type])),
);
const UNKNOWN = "application/octet-stream";

/** The media type for the extension of a file. */
export function mediaTypeOf(file: string): string {
  const extension = path.extname(file).slice(1).toLowerCase();
  if (extension === "") return UNKNOWN;
  return OLDER.get(extension) ?? (lookup(extension) || UNKNOWN);
}
