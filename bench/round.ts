// One round of load on servers that do the same, the first of which the others are compared with.

import type { LoadOrder } from "./load.ts";
import type { LoadGenerator } from "./load-generator.ts";
import type { Server } from "./server.ts";
import type { Sample } from "./table.ts";

export interface Measured {
  readonly name: string;
  readonly server: Server;
  readonly samples: Sample[];
}

/** Puts the load on one server after the other, and adds a sample to each. */
export async function measureRound(
  all: readonly Measured[],
  generator: LoadGenerator,
  order: Omit<LoadOrder, "port">,
): Promise<void> {
  let firstUs: number | undefined;
  for (const { server, samples } of all) {
    const before = server.usage();
    const result = await generator.run({ ...order, port: server.port });
    const after = server.usage();
    const cpuUsPerRequest = ((after.cpuMs - before.cpuMs) * 1000) / result.requests;
    firstUs ??= cpuUsPerRequest;
    samples.push({
      requestsPerSecond: result.requests / result.seconds,
      p50Ms: result.p50Ms,
      p99Ms: result.p99Ms,
      cpuUsPerRequest,
      ratioToBare: firstUs / cpuUsPerRequest,
      residentMiB: after.residentMiB,
    });
  }
}
