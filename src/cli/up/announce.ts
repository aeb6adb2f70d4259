// What `up` prints when the application is served: its address and its routes, as Spin prints them.

import { styleText } from "node:util";

export interface AnnouncedRoute {
  /** The component, or the trigger where it answers by itself. */
  readonly id: string;
  /** Without wildcard; empty for the root. */
  readonly path: string;
  readonly isWildcard: boolean;
  readonly description: string;
}

export interface Announcement {
  /** `http://127.0.0.1:3000` */
  readonly baseUrl: string;
  /** In the order of matching. */
  readonly routes: readonly AnnouncedRoute[];
}

/** For people. `styleText` leaves the colours out where `stream` does not show them. */
export function plainAnnouncement({ baseUrl, routes }: Announcement, stream: NodeJS.WriteStream): string {
  const lines = routes.flatMap(({ id, path, isWildcard, description }) => {
    const route = `  ${id}: ${baseUrl}${path}${isWildcard ? " (wildcard)" : ""}`;
    return description === "" ? [route] : [route, `    ${description}`];
  });
  const serving = styleText(["bold", "green"], "Serving", { stream });
  return ["", `${serving} ${baseUrl}`, "Available Routes:", ...lines, ""].join("\n");
}

/** For programs. */
export function jsonAnnouncement({ baseUrl, routes }: Announcement): string {
  const entries = routes.map(({ id, path, isWildcard, description }) => ({
    id,
    route: path === "" ? "/" : path,
    wildcard: isWildcard,
    ...(description !== "" && { description }),
  }));
  return `${JSON.stringify({ base_url: baseUrl, routes: entries }, undefined, 2)}\n`;
}
