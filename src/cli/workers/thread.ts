// Runs in a thread of its own: serves the application that the supervisor has loaded, until it says stop.
//
// What is our fault throws, and ends the thread; the supervisor tells, and starts another.

import { parentPort, workerData } from "node:worker_threads";
import { SpindleError } from "../../errors/mod.ts";
import { ServedApplication } from "../../host/mod.ts";
import type { FromThread, ThreadOrder, ToThread } from "./messages.ts";
import { OutputGauge, ThreadOutput } from "./thread-output.ts";

const port = parentPort;
if (port === null) throw new Error("This is not a program of its own");
const send = (message: FromThread) => port.postMessage(message);
// The supervisor gives it to every thread that it starts.
const { application, options, outputUnderWay } = workerData as ThreadOrder;
const output = new ThreadOutput(new OutputGauge(outputUnderWay), send);

try {
  const served = await ServedApplication.start(application, {
    ...options,
    output: (componentId) => output.sinksOf(componentId),
    log: (entry) => send({ kind: "log", entry }),
  });
  const { url, address, routes } = served.trigger;
  const compiledModules = await served.context.engine.compiledModules();
  send({ kind: "serving", serving: { url, address, routes }, compiledModules });
  port.once("message", async ({ kind }: ToThread) => {
    if (kind !== "stop") return;
    await served.stop();
    output.flush();
    send({ kind: "stopped" });
  });
} catch (error) {
  if (!(error instanceof SpindleError)) throw error;
  output.flush();
  send({ kind: "refused", diagnostics: error.diagnostics });
}
