// Looks for modules that we treat otherwise than V8 does, and for components that we cannot take, until the
// time is up.
//
//     npm run fuzz -- --seconds N [--seed S]
//
// Case after case is run in a thread of its own, so that one which never ends is a finding too. The
// modules that were found go to a temporary folder; test/fuzz/corpus/ keeps those that were mended.

import { randomInt } from "node:crypto";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { type Finding, Fuzzer } from "./fuzzer.ts";

/** A case takes some ten milliseconds; ten seconds on a machine that has much else to do. */
const CASE_MS_MAX = 30_000;
const FINDINGS_MAX = 20;

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, seed: { type: "string" } },
});
const endsAtMs = performance.now() + Number(values.seconds) * 1000;
const firstSeed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
const findings: Finding[] = [];
let seed = firstSeed;

/** Runs cases until the time is up, something is found, or a case does not end. */
function runThread(): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const thread = new Worker(new URL("thread.ts", import.meta.url), { workerData: { seed } });
  let startedAtMs = performance.now();
  const watch = setInterval(() => {
    const now = performance.now();
    if (now > endsAtMs) resolve();
    if (now - startedAtMs > CASE_MS_MAX) void noteHang(seed).then(resolve, reject);
  }, 100);
  thread.on("message", (message: { readonly seed: number; readonly finding: Finding | undefined }) => {
    startedAtMs = performance.now();
    seed = message.seed + 1;
    if (message.finding) findings.push(message.finding);
  });
  thread.on("error", reject);
  return promise.finally(async () => {
    clearInterval(watch);
    await thread.terminate();
  });
}

async function noteHang(hanging: number): Promise<void> {
  using fuzzer = await Fuzzer.create();
  findings.push({ seed: hanging, what: "it does not end", bytes: await fuzzer.bytesOf(hanging) });
  seed = hanging + 1;
}

console.log(`Fuzzing for ${values.seconds} s from seed ${firstSeed}`);
while (performance.now() < endsAtMs && findings.length < FINDINGS_MAX) await runThread();
console.log(`${seed - firstSeed} cases, ${findings.length} findings`);
if (findings.length > 0) {
  const folder = await mkdtemp(join(tmpdir(), "spindle-fuzz-"));
  for (const { seed, what, bytes } of findings) {
    const path = join(folder, `${seed}.wasm`);
    await writeFile(path, bytes);
    console.log(`\nseed ${seed}: ${path}\n${what}`);
  }
  process.exitCode = 1;
}
