// The list of routes that is printed when the listener is ready, as Spin prints it.

import type { ListenAddress } from "./listen-address.ts";

/** One line of the list. */
export interface ListedRoute {
  /** The component; or the trigger, if that answers by itself. */
  readonly id: string;
  /** Without wildcard; empty for the root. */
  readonly path: string;
  readonly isWildcard: boolean;
  /** Of the component; may be empty. */
  readonly description: string;
}

export interface Serving {
  readonly url: string;
  readonly address: ListenAddress;
  /** In the order of matching. */
  readonly routes: readonly ListedRoute[];
}

/**
 * Renders what is printed to standard output when the listener is ready.
 *
 *     (empty line)
 *     Serving http://127.0.0.1:3000
 *     Available Routes:
 *       api: http://127.0.0.1:3000/api (wildcard)
 *         What the component does
 */
export function renderServing({ url, routes }: Serving, format: "plain" | "json"): string {
  if (format === "json") return `${JSON.stringify(toJson({ url, routes }), undefined, 2)}\n`;
  const lines = ["", `Serving ${url}`, "Available Routes:"];
  for (const { id, path, isWildcard, description } of routes) {
    lines.push(`  ${id}: ${url}${path}${isWildcard ? " (wildcard)" : ""}`);
    if (description !== "") lines.push(`    ${description}`);
  }
  return `${lines.join("\n")}\n`;
}

function toJson({ url, routes }: Pick<Serving, "url" | "routes">) {
  return {
    base_url: url,
    routes: routes.map(({ id, path, isWildcard, description }) => ({
      id,
      route: path === "" ? "/" : path,
      wildcard: isWildcard,
      ...(description !== "" && { description }),
    })),
  };
}
