// Measures what an answer costs through each executor, against bare `node:http` in the same run.
//
//     npm run bench -- [--rounds 12] [--seconds 1] [--connections 64] [--only spin-rust,wagi-c] [--workers 2] [--app FILE ...]
//
// `--app` adds an application: a manifest, or a module or component, such as one that an SDK has built.
//
// All servers run all the time, each in a process of its own. In each round every one of them gets the load
// once, so that what else the machine does touches all alike; each figure is the median of the rounds.
// docs/benchmarks.md says how to read them.

import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { LoadGenerator } from "./load-generator.ts";
import { Server } from "./server.ts";
import { formatTable, median, medianOf, type Sample } from "./table.ts";

interface Case {
  readonly name: string;
  /** Arguments of node; PORT stands for the port to listen on. */
  readonly args: readonly string[];
}

interface Measured {
  readonly name: string;
  readonly server: Server;
  readonly firstAnswerMs: number;
  readonly samples: Sample[];
}

const ROOT = join(import.meta.dirname, "..");
const BARE: Case = { name: "bare", args: [join(ROOT, "bench/bare.ts"), "PORT"] };
const APPS = ["spin-rust", "spin-c", "wagi-c"].map((name) => up(name, join(ROOT, `bench/apps/${name}.toml`)));

/** How often each server is started, to tell the time to its first answer. */
const STARTS = 3;
/** Load before the first measurement, for the compilers of V8. */
const WARM_UP_SECONDS = 3;

function up(name: string, from: string): Case {
  const flags = ["--listen", "127.0.0.1:PORT", "--quiet", "--log-dir", ""];
  return { name, args: [join(ROOT, "bin/spindle.mjs"), "up", "--from", from, ...flags] };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "12" },
      seconds: { type: "string", default: "1" },
      connections: { type: "string", default: "64" },
      only: { type: "string" },
      workers: { type: "string" },
      app: { type: "string", multiple: true, default: [] },
    },
  });
  const order = {
    seconds: Number(values.seconds),
    connections: Number(values.connections),
    anyBody: values.app.length > 0,
  };
  const selected = values.only?.split(",");
  const own = APPS.filter(({ name }) => selected?.includes(name) ?? true);
  const apps = [...own, ...values.app.map((file) => up(basename(file), resolve(file)))];
  const cases = [BARE, ...apps, ...apps.flatMap((app) => withWorkers(app, values.workers))];

  await using servers = new AsyncDisposableStack();
  using generator = new LoadGenerator();
  const all: Measured[] = [];
  for (const it of cases) all.push(await start(it, servers));
  for (const { server } of all) {
    await generator.run({ ...order, port: server.port, seconds: WARM_UP_SECONDS });
  }
  for (let round = 1; round <= Number(values.rounds); round++) {
    process.stderr.write(`Round ${round} of ${values.rounds}\n`);
    await measureAll(all, generator, order);
  }
  const rows = all.map(({ name, firstAnswerMs, samples }) => ({ name, firstAnswerMs, ...medianOf(samples) }));
  console.log(formatTable(rows));
}

/** The same with several threads. Two do twice as much on two cores if each takes as much CPU time for a request as one. */
function withWorkers({ name, args }: Case, workers: string | undefined): readonly Case[] {
  if (workers === undefined) return [];
  return [{ name: `${name}, ${workers} workers`, args: [...args, "--workers", workers] }];
}

/** Starts a server several times; the last stays. */
async function start({ name, args }: Case, servers: AsyncDisposableStack): Promise<Measured> {
  const firstAnswersMs: number[] = [];
  for (;;) {
    const server = await Server.start(args);
    firstAnswersMs.push(server.firstAnswerMs);
    if (firstAnswersMs.length < STARTS) await server[Symbol.asyncDispose]();
    else return { name, server: servers.use(server), firstAnswerMs: median(firstAnswersMs), samples: [] };
  }
}

/** One round: the first of all is the bare server, which the others are compared with. */
async function measureAll(
  all: readonly Measured[],
  generator: LoadGenerator,
  order: { readonly seconds: number; readonly connections: number },
): Promise<void> {
  let bareUs: number | undefined;
  for (const { server, samples } of all) {
    const before = server.usage();
    const result = await generator.run({ ...order, port: server.port });
    const after = server.usage();
    const cpuUsPerRequest = ((after.cpuMs - before.cpuMs) * 1000) / result.requests;
    bareUs ??= cpuUsPerRequest;
    samples.push({
      requestsPerSecond: result.requests / result.seconds,
      p50Ms: result.p50Ms,
      p99Ms: result.p99Ms,
      cpuUsPerRequest,
      ratioToBare: bareUs / cpuUsPerRequest,
      residentMiB: after.residentMiB,
    });
  }
}

await main();
