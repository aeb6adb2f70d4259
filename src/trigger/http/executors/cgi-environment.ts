// The environment and the arguments of a Wagi guest (`crates/http/src/wagi/mod.rs` at v4.0.2; RFC 3875).
//
// Spin writes some variables twice, and a guest gets the last; here each is written once. A header
// that comes twice, or that differs only in "-" and "_", counts the last time too.

import type { HttpRequest, RouteMatch } from "../executor.ts";
import { fullUrl } from "../spin-headers.ts";

export type EnvironmentEntry = readonly [name: string, value: string];

/** Headers that a CGI program does not get to see. */
const HIDDEN: ReadonlySet<string> = new Set(["HTTP_AUTHORIZATION", "HTTP_CONNECTION"]);

const PORT_DEFAULT = "80";

export function cgiEnvironment(
  request: HttpRequest,
  match: RouteMatch,
  bodyBytes: number,
): EnvironmentEntry[] {
  const { route } = match;
  const [serverName, serverPort] = splitAuthority(request.authority);
  const clientIp = ipOf(request.clientAddress);
  const pathInfo = decodeWire(match.pathInfo);
  const entries: EnvironmentEntry[] = [
    ["AUTH_TYPE", ""],
    ["CONTENT_LENGTH", String(bodyBytes)],
    // Spin looks for a header of this very name. The content type is in HTTP_CONTENT_TYPE.
    ["CONTENT_TYPE", ""],
    ["GATEWAY_INTERFACE", "CGI/1.1"],
    ["PATH_INFO", pathInfo],
    ["PATH_TRANSLATED", percentDecode(pathInfo)],
    ["QUERY_STRING", decodeWire(request.query ?? "")],
    ["REMOTE_ADDR", clientIp],
    ["REMOTE_HOST", clientIp],
    ["REMOTE_USER", ""],
    ["REQUEST_METHOD", request.method],
    ["SCRIPT_NAME", decodeWire(route.matchedWithoutWildcard)],
    ["SERVER_NAME", serverName],
    ["SERVER_PORT", serverPort],
    ["SERVER_PROTOCOL", `HTTP/${request.httpVersion}`],
    ["SERVER_SOFTWARE", "WAGI/1"],
    ["X_BASE_PATH", decodeWire(route.base)],
    ["X_CLIENT_ADDR", request.clientAddress],
    ["X_COMPONENT_ROUTE", decodeWire(route.textWithoutWildcard)],
    ["X_FULL_URL", decodeWire(fullUrl(request))],
    ["X_MATCHED_ROUTE", decodeWire(route.matched)],
    ["X_RAW_COMPONENT_ROUTE", decodeWire(route.text)],
    ["X_RAW_PATH_INFO", pathInfo],
  ];
  const fixed = entries.length;
  for (const [name, value] of match.params) {
    set(entries, fixed, [`X_PATH_MATCH_${name.toUpperCase()}`, decodeWire(value)]);
  }
  const named = entries.length;
  const { rawHeaders } = request;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    // The loop stays inside of an array that holds only strings.
    const name = `HTTP_${(rawHeaders[at] as string).toUpperCase().replaceAll("-", "_")}`;
    const value = rawHeaders[at + 1] as string;
    if (HIDDEN.has(name)) continue;
    set(entries, named, [name, /^[\t\x20-\x7e]*$/.test(value) ? value : "CORRUPT VALUE"]);
  }
  return entries;
}

/** Adds an entry, or replaces that of the same name among those from `start` on. */
function set(entries: EnvironmentEntry[], start: number, entry: EnvironmentEntry): void {
  for (let at = start; at < entries.length; at++) {
    if (entries[at]?.[0] === entry[0]) {
      entries[at] = entry;
      return;
    }
  }
  entries.push(entry);
}

/** Host and port of `example.com:8080` or `[::1]:8080`. */
function splitAuthority(authority: string): readonly [host: string, port: string] {
  const colon = authority.indexOf(":", authority.lastIndexOf("]") + 1);
  if (colon === -1) return [authority, PORT_DEFAULT];
  return [authority.slice(0, colon), authority.slice(colon + 1) || PORT_DEFAULT];
}

/** The address of `127.0.0.1:1234` or `[::1]:1234`, without brackets. */
function ipOf(address: string): string {
  const colon = address.lastIndexOf(":");
  return address.startsWith("[") ? address.slice(1, colon - 1) : address.slice(0, colon);
}

/** The pattern of the arguments, taken apart. */
export type ArgumentsTemplate = readonly ("script-name" | "query" | { readonly text: string })[];

export function parseArgumentsTemplate(pattern: string): ArgumentsTemplate {
  // Split at a group, the names stand at the odd places.
  return pattern.split(/\$\{(SCRIPT_NAME|ARGS)\}/).map((part, at) => {
    if (at % 2 === 0) return { text: part };
    return part === "ARGS" ? "query" : "script-name";
  });
}

/**
 * Puts path and query into the template and splits it at every space: without a query, the default
 * gives the path and an empty argument, as Spin does.
 */
export function cgiArguments(template: ArgumentsTemplate, request: HttpRequest): string[] {
  const line = template.map((part) => {
    if (part === "script-name") return decodeWire(request.path);
    if (part === "query") return decodeWire(request.query ?? "").replaceAll("&", " ");
    return part.text;
  });
  return line.join("").split(" ");
}

/** A text off the wire, one character for each byte, as the text whose UTF-8 it is. */
function decodeWire(text: string): string {
  return /[^\x00-\x7f]/.test(text) ? Buffer.from(text, "latin1").toString("utf8") : text;
}

/** Decodes %XX, but for %00: no environment can hold a zero byte. What is not UTF-8 becomes U+FFFD. */
function percentDecode(text: string): string {
  if (!text.includes("%")) return text;
  const bytes = Buffer.from(text, "utf8").toString("latin1");
  const decoded = bytes.replace(/%(?!00)([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(decoded, "latin1").toString("utf8");
}
