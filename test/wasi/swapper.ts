// Somebody else on the host: swaps entries of directories as fast as it can, in a thread of its own.
//
//     new Worker("swapper.ts", { workerData: [[a, b, spare], ...] })
//
// Each item swaps what is at `a` and `b`, by way of `spare`, until the worker is terminated.

import { renameSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

// The tests of this folder pass triples of paths.
const swaps = workerData as readonly (readonly [a: string, b: string, spare: string])[];

parentPort?.postMessage("ready");
for (;;) {
  for (const [a, b, spare] of swaps) {
    renameSync(a, spare);
    renameSync(b, a);
    renameSync(spare, b);
  }
}
