// Finds a Node that can run Spindle. Plain JavaScript for any Node from 18 on.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The major version that Spindle needs: the first with JSPI and resizable memory buffers unflagged. */
export const NODE_MAJOR = 26;

/** Returns the path of a suitable Node: this process's own, or that of the npm package `node`. */
export function findNode() {
  if (Number(process.versions.node.split(".")[0]) >= NODE_MAJOR) return process.execPath;
  const require = createRequire(import.meta.url);
  const binary = join(dirname(require.resolve("node/package.json")), "bin", "node");
  if (!existsSync(binary)) throw new Error(`The npm package "node" is not set up: ${binary} is missing`);
  return binary;
}
