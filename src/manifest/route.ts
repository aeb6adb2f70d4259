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

/** Says why a route that can be read will not do what its author meant. Spin takes it, so it is no mistake. */
export function routeDoubt(route: string): Mistake | undefined {
  const doubt = doubtOf(route);
  return doubt && { code: "MANIFEST_ROUTE_INVALID", ...doubt };
}

function doubtOf(route: string): { readonly message: string; readonly hint: string } | undefined {
  const never = `Route ${quote(route)} may never match`;
  if (route.includes("://")) {
    const path = route.replace(/^.*?:\/\/[^/]*/s, "") || "/";
    return { message: `${never}: it is compared with the path alone`, hint: `Write ${code(path)}.` };
  }
  if (/[{}<>]/.test(route)) {
    const found = route.match(/[{}<>]/)?.[0];
    return {
      message: `${never}: clients encode ${quote(found)} in a path`,
      hint: `Write a parameter as ${code(withParameters(route))}.`,
    };
  }
  const query = route.search(/[?#]/);
  if (query !== -1) {
    const message = `${never}: ${quote(route[query])} and what follows are no part of a path`;
    return { message, hint: `Write ${code(route.slice(0, query) || "/")}.` };
  }
  const encoded = route.toWellFormed().replace(/[^!-~]+/g, encodeURIComponent);
  if (encoded !== route) {
    const message = `${never}: clients encode spaces and all that is not ASCII`;
    return { message, hint: `Write ${code(encoded)}.` };
  }
  return doubtOfNames(route);
}

function doubtOfNames(route: string): { readonly message: string; readonly hint: string } | undefined {
  const parameters = route.split(/[./]/).filter((section) => section.startsWith(":"));
  const twice = parameters.find((name, index) => parameters.indexOf(name) < index);
  if (twice === undefined) return undefined;
  const message = `Route ${quote(route)} has two parameters ${quote(twice)}: guests are told the last one only`;
  return { message, hint: "Give each a name of its own." };
}

/** `/users/{id}`, `/users/{id:[0-9]+}` and `/users/<int:id>` as `/users/:id`; an example if that fails. */
function withParameters(route: string): string {
  const written = route.replace(/\{\W*([\w-]+)[^{}]*\}/g, ":$1").replace(/<(?:\w+:)?([\w-]+)>/g, ":$1");
  return /^[!-~]+$/.test(written) && !/[{}<>?#]/.test(written) ? written : "/users/:id";
}

function code(route: string): string {
  return `\`${quote(route).slice(1, -1)}\``;
}
