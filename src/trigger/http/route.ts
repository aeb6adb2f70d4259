// One route of the application, in the forms that guests and the operator are told.
//
// The forms for guests hold one character per byte, like everything that comes off the wire: a route
// with an "é" is compared with the bytes of a request path, and told in bytes.

export interface Route {
  readonly triggerId: string;
  /** Absent where the trigger answers by itself, with a `static_response`. */
  readonly componentId: string | undefined;
  /** Without wildcard, as the list of routes shows it: `/users/:id`; empty for the root. */
  readonly listed: string;
  readonly isWildcard: boolean;
  /** As written: `/users/:id/...`. */
  readonly text: string;
  /** `text` without a trailing `/...`: `/users/:id`; empty for `/...`. */
  readonly textWithoutWildcard: string;
  /** `text` below `base`, with a slash in front and none behind. */
  readonly matched: string;
  /** `matched` without a trailing `/...`: the script name of a CGI program. */
  readonly matchedWithoutWildcard: string;
  /** The `base` of the application, which older manifests could set; else "/". */
  readonly base: string;
}

/** What a manifest says of a route. */
export interface RouteSource {
  readonly triggerId: string;
  readonly componentId: string | undefined;
  readonly text: string;
  readonly base?: string;
}

export function createRoute({ triggerId, componentId, text, base = "/" }: RouteSource): Route {
  const absolute = text.startsWith("/") ? text : `/${text}`;
  const matched = withoutTrailingSlash(base) + withoutTrailingSlash(absolute);
  return {
    triggerId,
    componentId,
    listed: matched.replace(/\/(\.\.\.|\*)$/, ""),
    isWildcard: /\/(\.\.\.|\*)$/.test(matched),
    text: toWire(text),
    textWithoutWildcard: toWire(withoutEllipsis(text)),
    matched: toWire(matched),
    matchedWithoutWildcard: toWire(withoutEllipsis(matched)),
    base: toWire(base),
  };
}

/** Strips one slash, not all: `/a//` is told as `/a/`, as Spin does. */
function withoutTrailingSlash(text: string): string {
  return text.endsWith("/") ? text.slice(0, -1) : text;
}

/** A wildcard written `/*` stays, as in `crates/routes/src/lib.rs` of Spin v4.0.2. */
function withoutEllipsis(text: string): string {
  return text.endsWith("/...") ? text.slice(0, -"/...".length) : text;
}

/** UTF-8 bytes, one character each. */
function toWire(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
