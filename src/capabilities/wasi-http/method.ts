// `method` and `scheme`: as text and as the variants of wasi:http.

export interface Method {
  readonly tag: string;
  /** Of a method that has no case of its own. */
  readonly val?: string;
}

export interface Scheme {
  readonly tag: "HTTP" | "HTTPS" | "other";
  readonly val?: string;
}

const NAMES = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
const METHODS: ReadonlyMap<string, Method> = new Map(
  NAMES.map((name): [string, Method] => [name, { tag: name.toLowerCase() }]),
);

export const GET: Method = { tag: "get" };
/** What guests are told of every request, with TLS too: `spin-full-url` has the real scheme. */
export const HTTP: Scheme = { tag: "HTTP" };

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

export function methodOf(name: string): Method {
  return METHODS.get(name) ?? { tag: "other", val: name };
}

/** The name on the wire; undefined if it can be none. */
export function methodName({ tag, val = "" }: Method): string | undefined {
  if (tag !== "other") return tag.toUpperCase();
  return TOKEN.test(val) ? val : undefined;
}

/** Lower case; undefined if it can be none. */
export function schemeName({ tag, val = "" }: Scheme): string | undefined {
  if (tag !== "other") return tag.toLowerCase();
  return /^[A-Za-z][A-Za-z0-9+.-]*$/.test(val) ? val.toLowerCase() : undefined;
}
