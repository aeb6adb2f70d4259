// Measures what an answer costs through each executor, against bare `node:http` in the same run.
//
//     npm run bench -- [--rounds 3] [--seconds 4] [--connections 64] [--only spin-rust,wagi-c]
//
// In each round every case runs once, alternately, in a fresh process; each figure is the median of the
// rounds. docs/benchmarks.md says how to read them.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import type { LoadResult } from "./load.ts";
import { Server } from "./server.ts";

interface Case {
  readonly name: string;
  /** Arguments of node; PORT stands for the port to listen on. */
  readonly args: readonly string[];
}

interface Sample {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuUsPerRequest: number;
  /** CPU time of bare `node:http` in the same round, divided by ours. */
  readonly ratioToBare: number;
  readonly residentMiB: number;
  readonly firstAnswerMs: number;
}

interface Options {
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly connections: number;
}

const ROOT = join(import.meta.dirname, "..");
const BARE: Case = { name: "bare", args: [join(ROOT, "bench/bare.ts"), "PORT"] };
const APPS = ["spin-rust", "spin-c", "wagi-c"].map(
  (name): Case => ({
    name,
    args: [
      join(ROOT, "bin/spindle.mjs"),
      ...[
        "up",
        "--from",
        join(ROOT, `bench/apps/${name}.toml`),
        "--listen",
        "127.0.0.1:PORT",
        "--quiet",
        "--log-dir",
        "",
      ],
    ],
  }),
);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "3" },
      seconds: { type: "string", default: "4" },
      "warm-up": { type: "string", default: "2" },
      connections: { type: "string", default: "64" },
      only: { type: "string" },
    },
  });
  const options = {
    seconds: Number(values.seconds),
    warmUpSeconds: Number(values["warm-up"]),
    connections: Number(values.connections),
  };
  const selected = values.only?.split(",");
  const cases = [BARE, ...APPS.filter(({ name }) => selected?.includes(name) ?? true)];

  const samples = new Map<Case, Sample[]>(cases.map((it) => [it, []]));
  for (let round = 1; round <= Number(values.rounds); round++) {
    let bareUs: number | undefined;
    for (const it of cases) {
      process.stderr.write(`Round ${round}: ${it.name}\n`);
      const sample = await measure(it, { ...options, bareUs });
      bareUs ??= sample.cpuUsPerRequest;
      samples.get(it)?.push(sample);
    }
  }
  printTable([...samples].map(([{ name }, rounds]) => [name, medianOf(rounds)]));
}

async function measure(
  it: Case,
  options: Options & { readonly bareUs: number | undefined },
): Promise<Sample> {
  await using server = await Server.start(it.args);
  await load(server.port, { ...options, seconds: options.warmUpSeconds });
  const before = server.usage();
  const result = await load(server.port, options);
  const after = server.usage();
  const cpuUsPerRequest = ((after.cpuMs - before.cpuMs) * 1000) / result.requests;
  return {
    requestsPerSecond: result.requests / result.seconds,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    cpuUsPerRequest,
    ratioToBare: (options.bareUs ?? cpuUsPerRequest) / cpuUsPerRequest,
    residentMiB: after.residentMiB,
    firstAnswerMs: server.firstAnswerMs,
  };
}

async function load(port: number, { seconds, connections }: Options): Promise<LoadResult> {
  const args = Object.entries({ port, seconds, connections }).flatMap(([name, value]) => [
    `--${name}`,
    `${value}`,
  ]);
  const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, "bench/load.ts"), ...args]);
  // What load.ts prints is a LoadResult, by its own main function.
  return JSON.parse(stdout) as LoadResult;
}

function medianOf(rounds: readonly Sample[]): Sample {
  const median = (pick: (sample: Sample) => number) => {
    const sorted = rounds.map(pick).toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  };
  return {
    requestsPerSecond: median((sample) => sample.requestsPerSecond),
    p50Ms: median((sample) => sample.p50Ms),
    p99Ms: median((sample) => sample.p99Ms),
    cpuUsPerRequest: median((sample) => sample.cpuUsPerRequest),
    ratioToBare: median((sample) => sample.ratioToBare),
    residentMiB: median((sample) => sample.residentMiB),
    firstAnswerMs: median((sample) => sample.firstAnswerMs),
  };
}

const COLUMNS: readonly (readonly [heading: string, cell: (sample: Sample) => string])[] = [
  ["requests/s", (sample) => sample.requestsPerSecond.toFixed(0)],
  ["p50 ms", (sample) => sample.p50Ms.toFixed(2)],
  ["p99 ms", (sample) => sample.p99Ms.toFixed(2)],
  ["CPU us/request", (sample) => sample.cpuUsPerRequest.toFixed(1)],
  ["ratio to bare", (sample) => sample.ratioToBare.toFixed(2)],
  ["RSS MiB", (sample) => sample.residentMiB.toFixed(0)],
  ["first answer ms", (sample) => sample.firstAnswerMs.toFixed(0)],
];

function printTable(rows: readonly (readonly [name: string, sample: Sample])[]): void {
  const cells = [
    ["", ...COLUMNS.map(([heading]) => heading)],
    ...rows.map(([name, sample]) => [name, ...COLUMNS.map(([, cell]) => cell(sample))]),
  ];
  const widths =
    cells[0]?.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of cells) {
    const [name = "", ...numbers] = row.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[i] ?? 0),
    );
    console.log([name, ...numbers].join("  "));
  }
}

await main();
