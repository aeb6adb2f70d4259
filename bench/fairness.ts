// Measures how long a quick route takes alone, and beside requests that compute without end.
//
//     npm run bench:fairness -- [--rounds 5] [--seconds 20] [--connections 8] [--computing 4]
//
// One server, one thread. Each round puts the load on the quick route twice: alone, then while as many
// connections as `--computing` says ask for a route that never answers before it is ended. The figures are
// the medians of the rounds.

import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { LoadGenerator } from "./load-generator.ts";
import { Server } from "./server.ts";
import { median } from "./table.ts";

const ROOT = join(import.meta.dirname, "..");
const FLAGS = ["--listen", "127.0.0.1:PORT", "--quiet", "--log-dir", ""];
const SERVER = [
  process.execPath,
  join(ROOT, "bin/spindle.mjs"),
  "up",
  "--from",
  join(ROOT, "bench/apps/fairness.toml"),
  ...FLAGS,
];
const WARM_UP_SECONDS = 3;
/** Until all computing requests have come to their guests. */
const SETTLE_MS = 200;
/** What the goal is: with company a request may take so much longer. */
const FACTOR_MAX = 3;

/** Connections that each ask for the computing route again as soon as it was answered. */
class Computing implements Disposable {
  readonly #sockets: readonly Socket[];

  constructor(port: number, connections: number) {
    this.#sockets = Array.from({ length: connections }, () => connect(port, "127.0.0.1", ask));
    function ask(this: Socket): void {
      this.write("GET /spin HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    }
    for (const socket of this.#sockets) socket.on("data", () => ask.call(socket));
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "20" },
      connections: { type: "string", default: "8" },
      computing: { type: "string", default: "4" },
    },
  });
  await using server = await Server.start(SERVER);
  using generator = new LoadGenerator();
  const order = { port: server.port, connections: Number(values.connections), maySleep: true };
  await generator.run({ ...order, seconds: WARM_UP_SECONDS });
  const measure = () => generator.run({ ...order, seconds: Number(values.seconds) });
  const rounds = [];
  for (let round = 1; round <= Number(values.rounds); round++) {
    process.stderr.write(`Round ${round} of ${values.rounds}\n`);
    const alone = await measure();
    using _ = new Computing(server.port, Number(values.computing));
    await sleep(SETTLE_MS);
    rounds.push({ alone, beside: await measure() });
  }
  for (const which of ["alone", "beside"] as const) {
    const results = rounds.map((round) => round[which]);
    const p50Ms = median(results.map((result) => result.p50Ms));
    const p99Ms = median(results.map((result) => result.p99Ms));
    const perSecond = median(results.map(({ requests, seconds }) => requests / seconds));
    console.log(
      `${which.padEnd(6)}  ${perSecond.toFixed(0)} requests/s, p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`,
    );
  }
  const factor = median(rounds.map(({ alone, beside }) => beside.p99Ms / alone.p99Ms));
  console.log(`p99 beside is ${factor.toFixed(1)} times p99 alone; the goal is ${FACTOR_MAX} at most`);
}

await main();
