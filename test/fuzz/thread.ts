// The thread that runs cases, one seed after another, for as long as it is let.

import { parentPort, workerData } from "node:worker_threads";
import { Fuzzer } from "./fuzzer.ts";

const fuzzer = await Fuzzer.create();
// main.ts gives the seed to begin with.
for (let { seed } = workerData as { seed: number }; ; seed++)
  parentPort?.postMessage({ seed, finding: await fuzzer.run(seed) });
