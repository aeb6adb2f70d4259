#!/usr/bin/env node
// The command `spindle`: makes sure that Node 26 runs the CLI, whatever Node this is.
//
// Plain JavaScript for any Node from 18 on. Run by Node 26 it imports the CLI into this process;
// run by an older one it hands over to the Node that the package brings, and mirrors how that ends.

import { existsSync } from "node:fs";
import module from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findNode, isSuitable } from "./find-node.mjs";
import { handOver, whenOrphaned } from "./hand-over.mjs";

/** In the repository the CLI runs from its TypeScript source, in a published package from JavaScript. */
function cliModule() {
  const source = new URL("../src/cli/main.ts", import.meta.url);
  return existsSync(source) ? source : new URL("../dist/cli/main.js", import.meta.url);
}

/** What Node compiles it keeps, which makes every start but the first twice as fast. Whether that works is no matter. */
function keepCompiledCode() {
  const caches = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  module.enableCompileCache?.(join(caches, "spindle", "compiled"));
}

function dependenciesAreInstalled() {
  try {
    module.createRequire(import.meta.url).resolve("commander");
    return true;
  } catch {
    return false;
  }
}

try {
  if (!dependenciesAreInstalled()) {
    const root = fileURLToPath(new URL("..", import.meta.url));
    throw new Error(`The packages that Spindle needs are not installed: run \`npm install\` in ${root}`);
  }
  if (isSuitable()) {
    keepCompiledCode();
    whenOrphaned(() => process.kill(process.pid, "SIGTERM"));
    const { main } = await import(cliModule().href);
    await main();
  } else {
    handOver(findNode(), [fileURLToPath(import.meta.url), ...process.argv.slice(2)]);
  }
} catch (error) {
  // An error with a stack of ours in it helps nobody who has only to install something.
  process.stderr.write(`error: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
