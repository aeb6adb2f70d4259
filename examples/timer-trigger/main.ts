// Runs the application beside it, or the one that is named, with the timer trigger. On Node.js 26, so either of
//
//     npx node examples/timer-trigger/main.ts [MANIFEST]
//     node scripts/with-node.mjs examples/timer-trigger/main.ts [MANIFEST]
//
// Ends when all timers have stopped; at Ctrl-C with 130, at SIGTERM with 0, and with nothing left behind.

import { randomFillSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { loadApplication } from "spindle/loader";
import { OutboundHttp, OutboundNetwork, readAllowedHosts } from "spindle/outbound";
import { TimerTrigger } from "./timer-trigger.ts";

export interface TimerOptions {
  /** The manifest, or its directory. */
  readonly from: string;
  /** Takes what components print. */
  readonly print: (bytes: Uint8Array) => void;
  readonly signal: AbortSignal;
}

/** Loads the application, and runs its timers until all of them have stopped. */
export async function runTimers({ from, print, signal }: TimerOptions): Promise<void> {
  const workingDirectory = await mkdtemp(join(tmpdir(), "timer-trigger-"));
  try {
    const { application } = await loadApplication({
      from,
      workingDirectory,
      cacheDirectory: join(workingDirectory, "cache"),
      directMounts: false,
      allowTransientWrite: false,
      progress: console.error,
      signal,
    });
    const componentIds = application.components.map(({ id }) => id);
    const variable = (name: string) => application.variables[name]?.default;
    using network = new OutboundNetwork({ report: console.error });
    using trigger = await TimerTrigger.create({
      application,
      clock: {
        realtimeNs: () => BigInt(Date.now()) * 1_000_000n,
        monotonicNs: () => process.hrtime.bigint(),
        sleep: (ns, signal) => sleep(Number(ns / 1_000_000n), undefined, { signal }),
      },
      random: { fill: (bytes) => void randomFillSync(bytes) },
      output: () => ({ stdout: { held: false, write: print }, stderr: { held: false, write: print } }),
      outbound: (component) =>
        new OutboundHttp(network, {
          id: component.id,
          allowedHosts: readAllowedHosts(component, { componentIds, variable }),
        }),
    });
    await trigger.run({ signal });
  } finally {
    await rm(workingDirectory, { recursive: true });
  }
}

const EXIT_CODES = { SIGINT: 130, SIGTERM: 0 } as const;

async function main(): Promise<void> {
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // Not once: a Ctrl-C may come a second time, from a launcher, and must not end the process while it cleans up.
    process.on(signal, () => {
      if (!interrupted.signal.aborted) process.exitCode = EXIT_CODES[signal];
      interrupted.abort();
    });
  }
  try {
    await runTimers({
      from: process.argv[2] ?? import.meta.dirname,
      print: (bytes) => void process.stdout.write(bytes),
      signal: interrupted.signal,
    });
  } catch (error) {
    const isInterruption =
      interrupted.signal.aborted && error instanceof Error && error.name === "AbortError";
    if (!isInterruption) throw error;
  }
}

if (import.meta.main) await main();
