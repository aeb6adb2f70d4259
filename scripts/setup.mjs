// Makes a fresh clone ready: installs the dependencies once, and again when they change. `node scripts/setup.mjs`
// Plain JavaScript for any Node from 18 on; several may run at once.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exclusively } from "../bin/exclusively.mjs";
import { findNode } from "../bin/find-node.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const modules = join(root, "node_modules");
/** Holds the digest of what was last installed completely. */
const stamp = join(modules, ".spindle-installed");
const wanted = digestOf("package.json", "package-lock.json");

/** Exits with a message if that fails. */
export function setUp() {
  try {
    if (!isInstalled()) exclusively(join(modules, ".spindle-setup-lock"), install);
    findNode();
  } catch (error) {
    process.stderr.write(`error: ${error.message}\n`);
    process.exit(1);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setUp();

function isInstalled() {
  return existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
}

function install() {
  // Another process may have done it while this one waited for the lock.
  if (isInstalled()) return;
  process.stderr.write("Installing dependencies (once, about 350 MB)...\n");
  // Not `npm ci`: the lock file pins versions, but does not list the packages of every platform.
  const args = ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  const options = { cwd: root, stdio: ["ignore", 2, 2] };
  const { npm_execpath: npm } = process.env;
  const result = npm
    ? spawnSync(process.execPath, [npm, ...args], options)
    : spawnSync("npm", args, { ...options, shell: process.platform === "win32" });
  if (result.status !== 0) {
    const reason = result.error?.message ?? `npm ended with ${result.status ?? result.signal}, see above`;
    throw new Error(
      `Cannot install the dependencies: ${reason}\n` +
        "  hint: They come from the npm registry: check the network, `npm ping`, and the free disk space, then run this again.",
    );
  }
  mkdirSync(modules, { recursive: true });
  writeFileSync(stamp, wanted);
}

/** What decides which packages are installed: the dependencies asked for, and the versions chosen. */
function digestOf(manifestFile, lockFile) {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, manifestFile), "utf8"));
  return createHash("sha256")
    .update(JSON.stringify([dependencies, devDependencies, process.platform, process.arch]))
    .update(readFileSync(join(root, lockFile)))
    .digest("hex");
}
