// Finds a Node that is too old to run Spindle, as the one of the system often is: the launcher is for it.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** The path of an older Node, or undefined where there is none. */
export function findOlderNode(): string | undefined {
  const folders = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => !folder.includes("node_modules"));
  const places = folders.map((folder) => join(folder, "node"));
  return [process.env.npm_node_execpath ?? "", ...places].find(
    (place) => existsSync(place) && isOlder(place),
  );
}

function isOlder(node: string): boolean {
  const version = execFileSync(node, ["-p", "process.versions.node"], { encoding: "utf8" });
  return Number.parseInt(version, 10) < 26;
}
