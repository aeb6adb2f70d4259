// Puts another Node in the place of this one. Plain JavaScript for any Node from 18 on.

import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { LAUNCHER, whenOrphaned } from "./orphan.mjs";

/** Signals that somebody may send to the process they started, which is this one. */
const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];
/**
 * A signal to the whole process group reaches the child by itself. If it ends of that, it must not get the signal
 * once more while it does: late in its exit, Node no longer handles signals, and would be killed.
 */
const FORWARD_AFTER_MS = 100;

/**
 * Runs `node` with `args` in place of this process: it has the same terminal, files, directory and environment, gets the
 * signals, and its end is the end of this process, by the same exit code or the same signal.
 *
 * Where Node can, the process is replaced. Elsewhere this one waits. A Ctrl-C then reaches both, as they are in one
 * process group, and the child a second time from here; the CLI counts what comes within a moment as one.
 */
export function handOver(node, args) {
  if (process.execve) replace(node, args);
  else mirror(node, args);
}

function replace(node, args) {
  process.execve(node, [node, ...args], process.env);
}

function mirror(node, args) {
  let child;
  // Listening begins before the child does: a signal in between waits for the event loop, and the child is there then.
  const forward = (signal) => setTimeout(() => child.kill(signal), FORWARD_AFTER_MS);
  for (const signal of FORWARDED) process.on(signal, forward);
  child = spawn(node, args, { stdio: "inherit", env: environmentFor(args) });
  whenOrphaned(() => child.kill("SIGTERM"));
  child.on("error", (error) => {
    process.stderr.write(`error: Cannot run ${node}: ${error.message}\n`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    if (!signal) process.exit(code ?? 1);
    for (const forwarded of FORWARDED) process.off(forwarded, forward);
    process.kill(process.pid, signal);
  });
}

const SPINDLE = fileURLToPath(new URL("spindle.mjs", import.meta.url));

/** Only Spindle itself takes the variable out again; anything else would pass it on to processes that it is not meant for. */
function environmentFor(args) {
  const isSpindle = args.length > 0 && resolve(args[0]) === SPINDLE;
  return isSpindle ? { ...process.env, [LAUNCHER]: String(process.pid) } : process.env;
}
