// Runs the application beside it with the timer trigger: `node examples/timer-trigger/main.ts`, on Node.js 26.

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

if (import.meta.main) {
  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort());
  await runTimers({
    from: import.meta.dirname,
    print: (bytes) => void process.stdout.write(bytes),
    signal: interrupted.signal,
  });
}
