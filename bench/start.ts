// Measures the time from the start of the process to the end of its first answer, against an empty script.
//
//     npm run bench:start -- [--rounds 15] [--app FILE ...]
//
// Each round starts the empty script once, and every case once, so that what else the machine does touches all alike;
// each figure is the median of the rounds. `--app` names what answers `GET /`: a manifest, a module or a component, large ones
// above all. It is started with what earlier starts have kept, and with empty caches. Node 26 runs `bin/spindle.mjs` itself:
// of the package as it is installed, and, for a small module, of the sources.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { median } from "./table.ts";

interface Case {
  readonly name: string;
  /** The folder of the package that runs. */
  readonly root: string;
  readonly application: string;
  readonly caches: "kept" | "emptied";
}

const ROOT = join(import.meta.dirname, "..");
const READY = /http:\/\/127\.0\.0\.1:(\d+)/;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { rounds: { type: "string", default: "15" }, app: { type: "string", multiple: true } },
  });
  const folder = mkdtempSync(join(tmpdir(), "spindle-bench-"));
  try {
    const measured = await measure(casesOf(folder, values.app ?? []), {
      folder,
      rounds: Number(values.rounds),
    });
    for (const [name, { ms, ratio }] of measured) {
      console.log(`${name.padEnd(36)} ${ms.toFixed(0).padStart(6)} ms ${ratio.toFixed(1).padStart(6)} x`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function casesOf(folder: string, applications: readonly string[]): readonly Case[] {
  const installed = join(folder, "package");
  execFileSync(process.execPath, [join(ROOT, "scripts/pack.mjs"), "install", installed]);
  const hello = { application: join(ROOT, "bench/apps/wagi-c.toml"), caches: "kept" } as const;
  const large = applications.flatMap((file): Case[] => {
    const parts = { root: installed, application: resolve(file) };
    return [
      { ...parts, name: `${basename(file)}, further starts`, caches: "kept" },
      { ...parts, name: `${basename(file)}, first start`, caches: "emptied" },
    ];
  });
  return [
    { ...hello, name: "Wagi hello", root: installed },
    { ...hello, name: "Wagi hello, of the sources", root: ROOT },
    ...large,
  ];
}

/** By name: the median, and how many empty scripts it is. */
async function measure(
  cases: readonly Case[],
  { folder, rounds }: { readonly folder: string; readonly rounds: number },
): Promise<ReadonlyMap<string, { readonly ms: number; readonly ratio: number }>> {
  const script = join(folder, "empty.mjs");
  writeFileSync(script, "");
  const emptyMs: number[] = [];
  const casesMs = cases.map((): number[] => []);
  // The first round fills the caches.
  for (let round = 0; round <= rounds; round++) {
    process.stderr.write(`Round ${round} of ${rounds}\n`);
    const empty = timeOf(script);
    if (round > 0) emptyMs.push(empty);
    for (const [index, it] of cases.entries()) {
      const ms = await timeToFirstAnswer(it, join(folder, "cache"));
      if (round > 0) casesMs[index]?.push(ms);
    }
  }
  const base = median(emptyMs);
  const rows = cases.map(({ name }, index) => {
    const ms = median(casesMs[index] ?? []);
    return [name, { ms, ratio: ms / base }] as const;
  });
  return new Map([["empty script", { ms: base, ratio: 1 }], ...rows]);
}

function timeOf(script: string): number {
  const startMs = performance.now();
  spawnSync(process.execPath, [script], { stdio: "ignore" });
  return performance.now() - startMs;
}

/** Starts `spindle up`, asks once, and ends it with a SIGTERM, upon which it keeps what it has made. */
async function timeToFirstAnswer({ root, application, caches }: Case, cache: string): Promise<number> {
  const own = caches === "kept" ? cache : mkdtempSync(`${cache}-`);
  const args = ["up", "-f", application, "--listen", "127.0.0.1:0", "--quiet", "--log-dir", ""];
  const startMs = performance.now();
  const child = spawn(process.execPath, [join(root, "bin/spindle.mjs"), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, XDG_CACHE_HOME: own },
  });
  const exited = once(child, "exit");
  const port = await Promise.race([portOf(child.stdout), exited.then(() => undefined)]);
  if (port === undefined) throw new Error(`spindle up -f ${application} ended before it served`);
  await firstAnswer(port);
  const ms = performance.now() - startMs;
  child.kill("SIGTERM");
  await exited;
  if (caches === "emptied") rmSync(own, { recursive: true });
  return ms;
}

async function portOf(output: AsyncIterable<Buffer>): Promise<number> {
  let text = "";
  for await (const piece of output) {
    text += piece;
    const port = READY.exec(text)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`No address in ${text}`);
}

async function firstAnswer(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.write("GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
  const [head] = await once(socket, "data");
  socket.destroy();
  if (!String(head).startsWith("HTTP/1.1 200")) throw new Error(`The first answer was ${head}`);
}

await main();
