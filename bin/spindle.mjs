#!/usr/bin/env node
// The command `spindle`: makes sure that Node 26 runs the CLI, whatever Node this is.
//
// Plain JavaScript for any Node from 18 on. Run by Node 26 it imports the CLI into this process; run by an older one it
// hands over to the Node that the package brings, and mirrors how that ends. What it needs itself it does not import:
// an import reads every export of a builtin module, which loads others, and takes a third of the time that Node starts in.

import { whenOrphaned } from "./orphan.mjs";
import { isSuitable } from "./suitable.mjs";

/** In the repository the CLI runs from its TypeScript source, in a published package from JavaScript. */
function cliModule() {
  const { existsSync } = process.getBuiltinModule("node:fs");
  const source = new URL("../src/cli/main.ts", import.meta.url);
  return existsSync(source) ? source : new URL("../dist/cli/main.js", import.meta.url);
}

/** What Node compiles it keeps, which makes every start but the first twice as fast. Whether that works is no matter. */
function keepCompiledCode() {
  const { join } = process.getBuiltinModule("node:path");
  const caches = process.env.XDG_CACHE_HOME || join(process.getBuiltinModule("node:os").homedir(), ".cache");
  process.getBuiltinModule("node:module").enableCompileCache(join(caches, "spindle", "compiled"));
}

async function runCli() {
  keepCompiledCode();
  whenOrphaned(() => process.kill(process.pid, "SIGTERM"));
  const { main } = await import(cliModule().href);
  await main();
}

async function runByOtherNode() {
  const { findNode } = await import("./find-node.mjs");
  const { handOver } = await import("./hand-over.mjs");
  const { fileURLToPath } = await import("node:url");
  handOver(findNode(), [fileURLToPath(import.meta.url), ...process.argv.slice(2)]);
}

/** Says so if it is a package that is missing, and nothing of ours. */
function explained(error) {
  if (error?.code !== "ERR_MODULE_NOT_FOUND" || !error.message.startsWith("Cannot find package"))
    return error;
  const { fileURLToPath } = process.getBuiltinModule("node:url");
  const root = fileURLToPath(new URL("..", import.meta.url));
  return new Error(`The packages that Spindle needs are not installed: run \`npm install\` in ${root}`);
}

try {
  await (isSuitable() ? runCli() : runByOtherNode());
} catch (thrown) {
  const error = explained(thrown);
  // An error with a stack of ours in it helps nobody who has only to install something.
  process.stderr.write(`error: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
