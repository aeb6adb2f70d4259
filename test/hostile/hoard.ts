// Serves a guest that hoards, asks it many times at once, and then again; prints what was answered.
//
//     hoard.ts NAME

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startApplication } from "../../src/testing/mod.ts";
import { HOARDING_GUESTS } from "./hoarding-guests.ts";

const AT_ONCE = 4;

const bytes = HOARDING_GUESTS[process.argv[2] ?? ""];
if (!bytes) throw new Error("There is no such guest");
const directory = await mkdtemp(join(tmpdir(), "spindle-hoard-"));
try {
  const from = join(directory, "guest.wasm");
  await writeFile(from, bytes);
  await using app = await startApplication({ from, limits: { requestTimeMs: 1_500 } });
  const ask = async () => (await app.fetch("/")).status;
  const together = await Promise.all(Array.from({ length: AT_ONCE }, ask));
  console.log(JSON.stringify([...together, await ask()]));
} finally {
  await rm(directory, { recursive: true });
}
