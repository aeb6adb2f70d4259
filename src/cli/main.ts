// The command `spindle`, from the command line to the exit code.

import { setTimeout as sleep } from "node:timers/promises";
import { describeError, SpindleError } from "../errors/mod.ts";
import { type Actions, EXIT, runProgram } from "./program.ts";

/** Loaded when they are needed: help should not wait for an engine. */
const ACTIONS: Actions = {
  up: async (options) => (await import("./up/up.ts")).up(options),
  bindle: async (request) => (await import("./bindle/bindle.ts")).bindle(request),
  inspect: async (options) => (await import("./inspect/inspect.ts")).inspect(options),
};

/** How long the last lines may take to be read by whoever reads them. */
const FLUSH_MS_MAX = 1000;

/** Runs the command that this process was started with, and exits with its code. */
export async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  const isDebugging = argv.includes("--debug");
  // Whoever read our output may leave: that is no reason to stop serving.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  process.on("uncaughtException", (error) => {
    explain(error, isDebugging ? "debug" : "plain");
    process.exit(EXIT.failed);
  });
  const code = await runProgram(argv, ACTIONS).catch((error: unknown) => {
    explain(error, isDebugging ? "debug" : "plain");
    return isMistyped(error) ? EXIT.usage : EXIT.failed;
  });
  await Promise.race([flush(process.stdout), sleep(FLUSH_MS_MAX)]);
  await Promise.race([flush(process.stderr), sleep(FLUSH_MS_MAX)]);
  process.exit(code);
}

/** The value of a flag cannot be read: a mistake of the command line, found by whoever knows such values. */
function isMistyped(error: unknown): boolean {
  return error instanceof SpindleError && MISTYPED.has(error.code);
}

const MISTYPED: ReadonlySet<string> = new Set([
  "BINDLE_ID_INVALID",
  "BINDLE_SERVER_URL",
  "BINDLE_STRATEGY_UNKNOWN",
  "LISTEN_ADDRESS_INVALID",
  "OUTBOUND_NETWORK_INVALID",
]);

/** Operators get what they can mend; of a fault of ours, all that helps to find it. */
function explain(error: unknown, mode: "plain" | "debug"): void {
  const lines = [describeError(error)];
  if (error instanceof SpindleError) {
    if (mode === "debug") lines.push(error.stack ?? "");
  } else {
    lines.unshift("error: Spindle itself is at fault [INTERNAL]");
    lines.push("  hint: Report this, with the lines above and the command that led to them.");
  }
  process.stderr.write(`${lines.join("\n")}\n`);
}

/** Resolves when what was written has been taken; a reader that has left takes all. */
function flush(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}
