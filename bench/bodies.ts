// Measures requests that are more than a hello, each against bare `node:http` doing the same in the same run.
//
//     npm run bench:bodies -- [--rounds 12] [--seconds 1] [--connections 64] [--clients-sleep] [--interpreter FILE]
//
// `echo` reads and answers 16 KiB, `file` answers a mounted file of 64 KiB. FILE is an interpreter that answers the
// hello of the benchmark, such as guests/quickjs.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { LoadOrder } from "./load.ts";
import { LoadGenerator } from "./load-generator.ts";
import { type Measured, measureRound } from "./round.ts";
import { Server } from "./server.ts";
import { formatTable, medianOf, type Row } from "./table.ts";

const ROOT = join(import.meta.dirname, "..");
const KIB = 1024;
const ECHO_BYTES = 16 * KIB;
const FILE_BYTES = 64 * KIB;
/** Load before the first measurement, for the compilers of V8. */
const WARM_UP_SECONDS = 3;

type Request = Pick<LoadOrder, "path" | "bodyBytes">;

interface Case {
  readonly name: string;
  readonly request: Request;
  /** A script of bench/ and its arguments behind the port. */
  readonly bare: readonly string[];
  readonly guest: string;
}

interface Pair {
  readonly request: Request;
  readonly bare: Measured;
  readonly ours: Measured;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "12" },
      seconds: { type: "string", default: "1" },
      connections: { type: "string", default: "64" },
      "clients-sleep": { type: "boolean", default: false },
      interpreter: { type: "string" },
    },
  });
  const order = {
    seconds: Number(values.seconds),
    connections: Number(values.connections),
    maySleep: values["clients-sleep"],
    anyBody: true,
  };
  const directory = await mkdtemp(join(tmpdir(), "spindle-bench-bodies-"));
  try {
    await using servers = new AsyncDisposableStack();
    using generator = new LoadGenerator();
    const pairs: Pair[] = [];
    for (const it of await casesIn(directory, values.interpreter))
      pairs.push(await start(it, directory, servers));
    for (const { request, bare, ours } of pairs) {
      for (const { server } of [bare, ours])
        await generator.run({ ...order, ...request, port: server.port, seconds: WARM_UP_SECONDS });
    }
    for (let round = 1; round <= Number(values.rounds); round++) {
      process.stderr.write(`Round ${round} of ${values.rounds}\n`);
      for (const { request, bare, ours } of pairs)
        await measureRound([bare, ours], generator, { ...order, ...request });
    }
    console.log(formatTable(pairs.flatMap(({ bare, ours }) => [rowOf(bare), rowOf(ours)])));
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Makes the files that are mounted, and says what is measured. */
async function casesIn(directory: string, interpreter: string | undefined): Promise<readonly Case[]> {
  const file = join(directory, "assets/file");
  await mkdir(join(directory, "assets"));
  await writeFile(file, Buffer.alloc(FILE_BYTES, "x"));
  const cases: Case[] = [
    {
      name: "echo",
      request: { path: "/echo", bodyBytes: ECHO_BYTES },
      bare: ["bare-bodies.ts", file],
      guest: join(ROOT, "guests/rust/spin.wasm"),
    },
    {
      name: "file",
      request: { path: "/file" },
      bare: ["bare-bodies.ts", file],
      guest: join(ROOT, "guests/rust/files.wasm"),
    },
  ];
  if (interpreter !== undefined)
    cases.push({ name: "interpreter", request: {}, bare: ["bare.ts"], guest: resolve(interpreter) });
  return cases;
}

/** Starts a guest and what it is compared with, which must give the same answer. */
async function start(it: Case, directory: string, servers: AsyncDisposableStack): Promise<Pair> {
  const { name, request } = it;
  const [script = "", ...args] = it.bare;
  const bare = servers.use(
    await Server.start([process.execPath, join(ROOT, "bench", script), "PORT", ...args]),
  );
  const app = join(directory, `${name}.toml`);
  await writeFile(app, manifestOf(it));
  const up = [join(ROOT, "bin/spindle.mjs"), "up", "--from", app, "--listen", "127.0.0.1:PORT", "--quiet"];
  const ours = servers.use(await Server.start([process.execPath, ...up, "--log-dir", ""]));
  assert.equal(await answerOf(ours, request), await answerOf(bare, request), `${name} and bare answer alike`);
  return {
    request,
    bare: { name: `${name}, bare`, server: bare, samples: [] },
    ours: { name, server: ours, samples: [] },
  };
}

function manifestOf({ name, guest }: Case): string {
  return `spin_manifest_version = 2
[application]
name = "bench-${name}"
[[trigger.http]]
route = "/..."
component = "guest"
[component.guest]
source = ${JSON.stringify(guest)}
files = [{ source = "assets", destination = "/" }]
`;
}

async function answerOf({ port }: Server, { path = "/", bodyBytes }: Request): Promise<string> {
  const body = bodyBytes === undefined ? {} : { method: "POST", body: "x".repeat(bodyBytes) };
  const response = await fetch(`http://127.0.0.1:${port}${path}`, body);
  return `${response.status} ${await response.text()}`;
}

function rowOf({ name, server, samples }: Measured): Row {
  return { name, firstAnswerMs: server.firstAnswerMs, ...medianOf(samples) };
}

await main();
