#!/usr/bin/env node
// The command `spindle`: makes sure that Node 26 runs the CLI, whatever Node this is.
//
// Plain JavaScript for any Node from 18 on. Run by Node 26 it imports the CLI into this process;
// run by an older one it hands over to the Node that the package brings, and mirrors how that ends.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { findNode, isSuitable } from "./find-node.mjs";
import { handOver } from "./hand-over.mjs";

/** In the repository the CLI runs from its TypeScript source, in a published package from JavaScript. */
function cliModule() {
  const source = new URL("../src/cli/main.ts", import.meta.url);
  return existsSync(source) ? source : new URL("../dist/cli/main.js", import.meta.url);
}

function dependenciesAreInstalled() {
  try {
    createRequire(import.meta.url).resolve("commander");
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
