// Measures how long a start from the cache of bindles takes, against a start of the same application on disk.
//
//     npm run bench:bindle -- [--rounds 9] [--files 2000] [--module-mb 12]
//
// The application has many files and a large module. It is pushed to a server of our own and started once,
// which fills the cache; then the server is stopped. Each round starts the application in both ways, one
// after the other, so that what else the machine does touches both alike; "more" is the median of how much
// longer the second took. The files of the application are copied at each start, which a slow disk makes the
// most of: TMPDIR names another one.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BindleServer } from "../src/bindle-server/mod.ts";
import { median } from "./table.ts";

interface Start {
  /** From the start of the process to its ready line. */
  readonly readyMs: number;
  /** From the start of the process to the end of its first answer. */
  readonly firstAnswerMs: number;
}

interface Place extends AsyncDisposable {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
}

const ROOT = join(import.meta.dirname, "..");
const ID = "large/1.0.0";
const FILE_BYTES = 3000;
const FILES_IN_FOLDER = 50;
const MANIFEST = `spin_manifest_version = 2
application = { name = "large", version = "1.0.0" }
[[trigger.http]]
route = "/..."
component = "large"
executor = { type = "wagi" }
[component.large]
source = "large.wasm"
files = ["static/**/*"]
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "9" },
      files: { type: "string", default: "2000" },
      "module-mb": { type: "string", default: "12" },
    },
  });
  await using place = await makePlace({ files: Number(values.files), moduleMb: Number(values["module-mb"]) });
  const { ways, stop } = await push(place);
  // The cache is filled, and what is compiled is kept.
  for (const args of Object.values(ways)) await start(args, place);
  await stop();
  const starts: Record<keyof typeof ways, Start[]> = { local: [], bindle: [] };
  for (let round = 1; round <= Number(values.rounds); round++) {
    process.stderr.write(`Round ${round} of ${values.rounds}\n`);
    starts.local.push(await start(ways.local, place));
    starts.bindle.push(await start(ways.bindle, place));
  }
  const more = starts.bindle.map((bindle, round) => subtract(bindle, starts.local[round] ?? bindle));
  for (const [name, samples] of Object.entries({ ...starts, more })) {
    const ready = median(samples.map(({ readyMs }) => readyMs));
    const first = median(samples.map(({ firstAnswerMs }) => firstAnswerMs));
    console.log(`${name.padEnd(6)}  ready ${ready.toFixed(0)} ms, first answer ${first.toFixed(0)} ms`);
  }
}

function subtract(one: Start, other: Start): Start {
  return {
    readyMs: one.readyMs - other.readyMs,
    firstAnswerMs: one.firstAnswerMs - other.firstAnswerMs,
  };
}

async function makePlace(size: { readonly files: number; readonly moduleMb: number }): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "spindle-bench-"));
  const wagi = await readFile(join(ROOT, "guests/c/wagi-hello.wasm"));
  await writeFile(join(folder, "spin.toml"), MANIFEST);
  await writeFile(join(folder, "large.wasm"), Buffer.concat([wagi, customSection(size.moduleMb * 1e6)]));
  for (let file = 0; file < size.files; file++) {
    const parent = join(folder, "static", String(Math.floor(file / FILES_IN_FOLDER)));
    await mkdir(parent, { recursive: true });
    await writeFile(join(parent, `${file}.txt`), `${file}\n`.padEnd(FILE_BYTES, "x"));
  }
  return {
    folder,
    environment: { ...process.env, XDG_CACHE_HOME: join(folder, "cache") },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A section that no engine looks at: it makes a module large. */
function customSection(bytes: number): Uint8Array {
  const name = Buffer.from("\x05bench", "latin1");
  const size = Array.from({ length: 5 }, (_, index) => {
    const part = Math.floor((name.length + bytes) / 128 ** index) % 128;
    return index < 4 ? part | 0x80 : part;
  });
  return Buffer.concat([Buffer.from([0, ...size]), name, Buffer.alloc(bytes, "spindle")]);
}

/** Brings the application to a server, and gives the two ways to start it. */
async function push(place: Place) {
  const server = await BindleServer.start({
    directory: join(place.folder, "store"),
    listen: { host: "127.0.0.1", port: 0 },
    authentication: { kind: "none" },
    keyring: { version: "1.0", key: [] },
    hostKeys: { version: "1.0", key: [] },
    version: "0.0.0",
    report: (message) => console.error(message),
  });
  const pushing = spindle(["bindle", "push", "-f", place.folder, "--server", server.url], place);
  const [code] = await once(pushing, "exit");
  if (code !== 0) throw new Error(`spindle bindle push ended with exit code ${code}`);
  const ways = {
    local: ["--from", place.folder],
    bindle: ["--bindle", ID, "--server", server.url],
  };
  return { ways, stop: () => server.stop() };
}

async function start(args: readonly string[], place: Place): Promise<Start> {
  const startMs = performance.now();
  const flags = ["--listen", "127.0.0.1:0", "--quiet", "--log-dir", ""];
  const child = spindle(["up", ...args, ...flags], place);
  const [line] = await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
  const readyMs = performance.now() - startMs;
  const url = /http:\S+/.exec(String(line))?.[0];
  if (url === undefined) throw new Error(`spindle up ${args.join(" ")} has not started: ${line}`);
  const answer = await fetch(url);
  await answer.arrayBuffer();
  const firstAnswerMs = performance.now() - startMs;
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
  return { readyMs, firstAnswerMs };
}

function spindle(args: readonly string[], { environment: env }: Place) {
  return spawn(process.execPath, [join(ROOT, "bin/spindle.mjs"), ...args], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
}

await main();
