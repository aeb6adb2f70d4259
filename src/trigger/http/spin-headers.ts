// The headers that Spin adds to a request, for executors whose guests are told in headers.

import type { HttpRequest, RouteMatch } from "./executor.ts";

/**
 * Gives name, value, name, value, ... to put behind the client's headers. A client's headers of the
 * same name are not removed: a guest sees them first.
 */
export function spinHeaders(request: HttpRequest, match: RouteMatch): string[] {
  const { route, pathInfo, params } = match;
  const headers = [
    "spin-path-info",
    pathInfo,
    "spin-full-url",
    fullUrl(request),
    "spin-matched-route",
    route.matched,
    "spin-base-path",
    route.base,
    "spin-raw-component-route",
    route.text,
    "spin-component-route",
    route.textWithoutWildcard,
    "spin-client-addr",
    request.clientAddress,
  ];
  for (const [name, value] of params) {
    headers.push(`spin-path-match-${name.toLowerCase().replaceAll("_", "-")}`, value);
  }
  return headers;
}

/** The URL that the client asked for: `http://example.com/a?b`. */
export function fullUrl(request: HttpRequest): string {
  return `${request.scheme}://${request.authority}${request.target}`;
}
