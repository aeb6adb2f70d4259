// Serves a mix of requests for minutes, and fails if anything that should stay the same trends upward.
//
//     npm run soak -- --minutes N [--seed S] [--workers N] [--guest FILE]
//
// FILE is a component of wasi:http, such as one that an SDK has made, served beside the others. With more
// workers than one, what happens in their threads is seen in the process alone: its memory and descriptors.
//
// The load comes from another process, in bursts. Between two bursts nothing is under way: then garbage
// is collected, and memory, descriptors, slots, timers and the like are measured. Replies that nobody
// expects fail the soak too.

import { fork } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type SoakedApplication, startSoakedApplication } from "./application.ts";
import type { LoadOrder, LoadReport } from "./load.ts";
import { rise, type Tolerance } from "./trend.ts";

const BURSTS = 30;
const BURST_MS_MIN = 1000;
/** How long what was under way may take to end after a burst. */
const QUIET_MS_MAX = 20_000;
/** For timers of a second that nobody needs any more, and slots that are let go every five. */
const SETTLE_MS = 300;

const MIB = 1024 * 1024;

/** What is measured, and how much more of it is nothing to speak of. */
const TOLERANCES = {
  rssMib: { absolute: 24, share: 0.1 },
  heapMib: { absolute: 3, share: 0.1 },
  buffersMib: { absolute: 8, share: 0.2 },
  descriptors: { absolute: 4, share: 0.1 },
  connections: { absolute: 2, share: 0.1 },
  slots: { absolute: 3, share: 0.25 },
  memories: { absolute: 6, share: 0.25 },
  timers: { absolute: 1, share: 0.1 },
  resources: { absolute: 4, share: 0.1 },
} as const satisfies Record<string, Tolerance>;

type Sample = Readonly<Record<keyof typeof TOLERANCES, number>>;

function measure(app: SoakedApplication): Sample {
  const { connections, slots, memories } = app.vitals() ?? { connections: 0, slots: 0, memories: 0 };
  const { rss, heapUsed, external } = process.memoryUsage();
  const resources = process.getActiveResourcesInfo();
  return {
    rssMib: Math.round(rss / MIB),
    heapMib: Math.round((heapUsed / MIB) * 10) / 10,
    buffersMib: Math.round((external / MIB) * 10) / 10,
    descriptors: openDescriptors(),
    connections,
    slots,
    memories,
    timers: resources.filter((name) => name === "Timeout" || name === "Immediate").length,
    resources: resources.length,
  };
}

/** Of this process; 0 where the system does not tell. */
function openDescriptors(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return 0;
  }
}

/** Waits until no request and no slot is in use. Connections of guests to other guests stay open for a while. */
async function becomeQuiet(app: SoakedApplication): Promise<void> {
  const giveUpAtMs = performance.now() + QUIET_MS_MAX;
  for (;;) {
    const underWay = Object.entries(app.vitals()?.underWay ?? {}).filter(([, count]) => count > 0);
    if (underWay.length === 0) break;
    if (performance.now() > giveUpAtMs) throw new Error(`Something does not end: ${underWay.join("; ")}`);
    await sleep(20);
  }
  await sleep(SETTLE_MS);
}

function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  // A context made while the flag is set has the function.
  return runInNewContext("gc") as () => void;
}

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "3" },
    seed: { type: "string" },
    workers: { type: "string", default: "1" },
    guest: { type: "string" },
  },
});
const { guest } = values;
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
const burstMs = Math.max(BURST_MS_MIN, (Number(values.minutes) * 60_000) / BURSTS - 2 * SETTLE_MS);
const collectGarbage = garbageCollector();
const samples: Sample[] = [];
const surprises: string[] = [];
let requests = 0;

console.log(`Soaking for ${values.minutes} minutes, seed ${seed}`);
{
  await using app = await startSoakedApplication({ workers: Number(values.workers), guest });
  const load = fork(join(import.meta.dirname, "load.ts"));
  const port = Number(new URL(app.url).port);
  for (let burst = 0; burst < BURSTS && surprises.length === 0; burst++) {
    load.send({
      port,
      milliseconds: burstMs,
      seed: seed + burst * 1000,
      hasGuest: guest !== undefined,
    } satisfies LoadOrder);
    // load.ts answers each order with a report.
    const [report] = (await once(load, "message")) as [LoadReport];
    requests += report.requests;
    surprises.push(...report.surprises);
    await becomeQuiet(app);
    collectGarbage();
    const sample = measure(app);
    samples.push(sample);
    const shown = Object.entries(sample).map(([name, value]) => `${name} ${value}`);
    console.log(`${String(burst + 1).padStart(3)}  ${shown.join("  ")}`);
  }
  load.disconnect();
  console.log(`${requests} requests, ${app.failures} of them failed as they should`);
}

for (const surprise of surprises) console.log(`unexpected: ${surprise}`);
// The keys of the object are those of its type.
for (const name of Object.keys(TOLERANCES) as (keyof Sample)[]) {
  const risen = rise(
    samples.map((sample) => sample[name]),
    TOLERANCES[name],
  );
  if (risen === 0) continue;
  console.log(`${name} trends upward: by ${risen}`);
  process.exitCode = 1;
}
if (surprises.length > 0) process.exitCode = 1;
