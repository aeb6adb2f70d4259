// Runs Node 26, which the package brings, with the given arguments: `node scripts/with-node.mjs --test ...`.
// Plain JavaScript for any Node from 18 on.

import { spawn } from "node:child_process";
import { findNode } from "../bin/find-node.mjs";

const child = spawn(findNode(), process.argv.slice(2), { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => {
  if (signal) process.kill(process.pid, signal);
  else process.exit(code ?? 1);
});
