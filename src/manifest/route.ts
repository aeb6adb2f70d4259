// What a route may look like: `/exact`, `/users/:id`, `/files/:name.:ext`, `/rest/...` (or `/rest/*`).

import { type Mistake, quote } from "./findings.ts";

/** Says what is wrong with a route. What it matches is the router's business. */
export function routeMistake(route: string): Mistake | undefined {
  const flaw = flawOf(route.replace(/\/\.\.\.$/, "/*"));
  if (!flaw) return undefined;
  return {
    code: "MANIFEST_ROUTE_INVALID",
    message: `Invalid route ${quote(route)}: ${flaw.message}`,
    hint: flaw.hint,
  };
}

function flawOf(route: string): { readonly message: string; readonly hint: string } | undefined {
  const segments = route.replace(/^\/+|\/+$/g, "").split("/");
  const wildcard = segments.findIndex((segment) => segment === "*" || segment === "...");
  if (wildcard !== -1 && wildcard < segments.length - 1) {
    return { message: "a wildcard must come last", hint: 'Write "/..." only at the end of the route.' };
  }
  for (const part of segments.flatMap((segment) => segment.split("."))) {
    if (part.startsWith("*") && part !== "*") {
      return { message: `the wildcard "${part}" has a name`, hint: 'Write "/..." instead.' };
    }
    if (part === "*" && segments.at(-1) !== "*") {
      return { message: "a wildcard must be a whole segment", hint: 'Write "/..." at the end of the route.' };
    }
    if (part === ":") return { message: "a parameter has no name", hint: 'Write ":name".' };
  }
  return undefined;
}
