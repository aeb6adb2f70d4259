// Measures what each further slot of a component takes of memory: fresh, and once it has answered requests.
//
//     npm run bench:slots -- --from FILE [--slots 17] [--requests 30]
//
// FILE is a manifest, or a module or component. What all slots share, code above all, is there before.

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { collectGarbage } from "../src/bytes/mod.ts";
import { startApplication, type TestApplication } from "../src/testing/mod.ts";

/** Requests to the first slot: what V8 compiles meanwhile is shared, and is not to be counted below. */
const WARM_UP_REQUESTS = 5_000;
/** Memory that was let go is given back to the system a little later. */
const COLLECTIONS = 3;
const REST_MS = 300;

async function residentMiB(): Promise<number> {
  for (let round = 0; round < COLLECTIONS; round++) {
    collectGarbage();
    await sleep(REST_MS);
  }
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return Number(kib) / 1024;
}

async function ask(application: TestApplication, requests: number): Promise<void> {
  for (let request = 0; request < requests; request++) {
    const response = await application.fetch("/");
    await response.arrayBuffer();
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      from: { type: "string" },
      slots: { type: "string", default: "17" },
      requests: { type: "string", default: "30" },
    },
  });
  if (values.from === undefined) throw new Error("--from FILE says which application");
  const further = Number(values.slots) - 1;
  await using application = await startApplication({ from: values.from });
  const { context } = application.served;
  const [componentId = ""] = context.componentIds;
  const { pool } = context.program(componentId).pre;

  await ask(application, WARM_UP_REQUESTS);
  const before = await residentMiB();
  const taken = Array.from({ length: further + 1 }, () => pool.take());
  const fresh = await residentMiB();
  // Each becomes the only free one for a while, and so the one that answers.
  for (const slot of taken) {
    if (slot) pool.give(slot);
    await ask(application, Number(values.requests));
    pool.take();
  }
  const used = await residentMiB();
  const each = (mib: number) => ((mib - before) / further).toFixed(1);
  console.log(`with one slot  ${before.toFixed(0)} MiB`);
  console.log(`each further   ${each(fresh)} MiB fresh, ${each(used)} MiB after ${values.requests} requests`);
  for (const slot of taken) if (slot) pool.give(slot);
}

await main();
