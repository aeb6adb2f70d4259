// Measures what an answer costs through each executor, against bare `node:http` in the same run.
//
//     npm run bench -- [--rounds 12] [--seconds 1] [--connections 64] [--clients-sleep] [--only spin-rust,wagi-c]
//                      [--workers 2] [--app FILE ...] [--peer NAME=COMMAND ...]
//
// `--app` adds an application: a manifest, or a module or component, such as one that an SDK has built. `--peer` adds
// a server of somebody else: a command of the shell, in which PORT stands for the port it must listen on.
//
// All servers run all the time, each in a process of its own. In each round every one of them gets the load
// once, so that what else the machine does touches all alike; each figure is the median of the rounds.
// docs/benchmarks.md says how to read them.

import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { LoadGenerator } from "./load-generator.ts";
import { type Measured, measureRound } from "./round.ts";
import { Server } from "./server.ts";
import { formatTable, median, medianOf } from "./table.ts";

interface Case {
  readonly name: string;
  /** A program and its arguments; PORT stands for the port to listen on. */
  readonly command: readonly string[];
}

interface Started extends Measured {
  readonly firstAnswerMs: number;
}

const ROOT = join(import.meta.dirname, "..");
const BARE: Case = { name: "bare", command: [process.execPath, join(ROOT, "bench/bare.ts"), "PORT"] };
const APPS = ["spin-rust", "spin-c", "wagi-c"].map((name) => up(name, join(ROOT, `bench/apps/${name}.toml`)));

/** How often each server is started, to tell the time to its first answer. */
const STARTS = 3;
/** Load before the first measurement, for the compilers of V8. */
const WARM_UP_SECONDS = 3;

function up(name: string, from: string): Case {
  const flags = ["--listen", "127.0.0.1:PORT", "--quiet", "--log-dir", ""];
  const program = join(ROOT, "bin/spindle.mjs");
  return { name, command: [process.execPath, program, "up", "--from", from, ...flags] };
}

/** The shell gives way to the command, so that signals and figures are of the server itself. */
function peer(option: string): Case {
  const [name = "", ...command] = option.split("=");
  if (command.length === 0) throw new Error(`--peer wants NAME=COMMAND, not ${option}`);
  return { name, command: ["/bin/sh", "-c", `exec ${command.join("=")}`] };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "12" },
      seconds: { type: "string", default: "1" },
      connections: { type: "string", default: "64" },
      "clients-sleep": { type: "boolean", default: false },
      only: { type: "string" },
      workers: { type: "string" },
      app: { type: "string", multiple: true, default: [] },
      peer: { type: "string", multiple: true, default: [] },
    },
  });
  const order = {
    seconds: Number(values.seconds),
    connections: Number(values.connections),
    maySleep: values["clients-sleep"],
    anyBody: values.app.length + values.peer.length > 0,
  };
  const selected = values.only?.split(",");
  const own = APPS.filter(({ name }) => selected?.includes(name) ?? true);
  const apps = [...own, ...values.app.map((file) => up(basename(file), resolve(file)))];
  const threaded = values.workers === undefined ? [] : withWorkers(apps, values.workers);
  const cases = [BARE, ...apps, ...threaded, ...values.peer.map(peer)];

  await using servers = new AsyncDisposableStack();
  using generator = new LoadGenerator();
  const all: Started[] = [];
  for (const it of cases) all.push(await start(it, servers));
  for (const { server } of all) {
    await generator.run({ ...order, port: server.port, seconds: WARM_UP_SECONDS });
  }
  for (let round = 1; round <= Number(values.rounds); round++) {
    process.stderr.write(`Round ${round} of ${values.rounds}\n`);
    await measureRound(all, generator, order);
  }
  const rows = all.map(({ name, firstAnswerMs, samples }) => ({ name, firstAnswerMs, ...medianOf(samples) }));
  console.log(formatTable(rows));
}

/** All once more with several threads. Two do twice as much on two cores if each takes as much CPU time for a request as one. */
function withWorkers(apps: readonly Case[], workers: string): readonly Case[] {
  const bare = { name: BARE.name, command: [...BARE.command, workers] };
  const threaded = apps.map(({ name, command }) => ({ name, command: [...command, "--workers", workers] }));
  return [bare, ...threaded].map(({ name, command }) => ({ name: `${name}, ${workers} workers`, command }));
}

/** Starts a server several times; the last stays. */
async function start({ name, command }: Case, servers: AsyncDisposableStack): Promise<Started> {
  const firstAnswersMs: number[] = [];
  for (;;) {
    const server = await Server.start(command);
    firstAnswersMs.push(server.firstAnswerMs);
    if (firstAnswersMs.length < STARTS) await server[Symbol.asyncDispose]();
    else return { name, server: servers.use(server), firstAnswerMs: median(firstAnswersMs), samples: [] };
  }
}

await main();
