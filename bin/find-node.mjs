// Finds a Node that can run Spindle, and finishes the set-up of the one that the package brings.
// Plain JavaScript for any Node from 18 on.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { exclusively } from "./exclusively.mjs";
import { isSuitable, NODE_MAJOR } from "./suitable.mjs";

/**
 * Returns the path of a suitable Node: this process's own, or that of the npm package `node`.
 *
 * The package is complete only after its install script has run, which npm may have been told not to
 * do; then the script is run here, once, and its output goes to stderr.
 *
 * @throws Error that says what to install, if there is none and none can be set up
 */
export function findNode() {
  if (isSuitable()) return process.execPath;
  const folder = packageFolder("node");
  if (!folder) throw new Error(explain(`the npm package "node", which brings it, is not installed`));
  return binaryOf(folder) ?? setUp(folder);
}

function packageFolder(name, from = import.meta.url) {
  try {
    return dirname(createRequire(from).resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

/** The binary where the install script puts it, or where the package for this platform has it. */
function binaryOf(folder) {
  const file = process.platform === "win32" ? "bin/node.exe" : "bin/node";
  const system = process.platform === "win32" ? "win" : process.platform;
  const prefix = system === "darwin" && process.arch === "arm64" ? "node-bin" : "node";
  const platform = packageFolder(`${prefix}-${system}-${process.arch}`, join(folder, "package.json"));
  const places = platform ? [join(folder, file), join(platform, file)] : [join(folder, file)];
  return places.find(existsSync);
}

function setUp(folder) {
  return exclusively(join(folder, ".set-up-lock"), () => {
    // Another process may have done it while this one waited for the lock.
    const ready = binaryOf(folder);
    if (ready) return ready;
    const { version, scripts } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    process.stderr.write(`Setting up Node.js ${version} (once, about 150 MB)...\n`);
    spawnSync(scripts.preinstall ?? scripts.install, { cwd: folder, shell: true, stdio: ["ignore", 2, 2] });
    const binary = binaryOf(folder);
    if (!binary) throw new Error(explain(`setting up the npm package "node", which brings it, failed`));
    return binary;
  });
}

function explain(reason) {
  return [
    `Spindle needs Node.js ${NODE_MAJOR} or newer, this is ${process.versions.node}, and ${reason}`,
    "  hint: With a network and write access to the folder where Spindle is installed, run `npm install` there and",
    `        Spindle again; or install Node.js ${NODE_MAJOR} from https://nodejs.org and run Spindle with it.`,
  ].join("\n");
}
