// `spindle up --workers N`: several threads that look like one server.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ServingThreads } from "../../src/cli/workers/serving-threads.ts";
import { createWorkingDirectory, loadApplication } from "../../src/loader/mod.ts";
import type { HttpLogEntry } from "../../src/trigger/mod.ts";
import { eventually } from "../http/serve.ts";
import { type SpindleProcess, Workplace } from "./spindle-process.ts";

const MANIFEST = `
spin_manifest_version = 2
[application]
name = "threads"
[[trigger.http]]
route = "/..."
component = "spin-b"
[[trigger.http]]
route = "/wagi"
component = "wagi"
executor = { type = "wagi" }
[component.spin-b]
source = "spin-b.wasm"
[component.wagi]
source = "wagi.wasm"
`;
const GUESTS = ["c/spin-b", "c/wagi"];
const skip = process.platform !== "linux";

/**
 * Waits until so many sockets listen on the port of a URL. Linux tells in pieces, between which sockets of others
 * come and go: a line may be left out, or be there twice.
 */
async function haveListeners(url: string, count: number): Promise<void> {
  await eventually(() => assert.equal(listenersOn(url), count));
}

/** Sockets of all processes that listen on the port of a URL, as Linux tells. */
function listenersOn(url: string): number {
  const port = Number(new URL(url).port).toString(16).toUpperCase().padStart(4, "0");
  const listening = new RegExp(`^ *\\d+: [0-9A-F]{8}:${port} [0-9A-F:]+ 0A `);
  return readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .filter((line) => listening.test(line)).length;
}

async function answersAll(spindle: SpindleProcess, count: number): Promise<void> {
  // Without keep-alive each has a connection of its own, which the system gives to any of the threads.
  const fetched = Array.from({ length: count }, () =>
    spindle.fetch("/", { headers: { connection: "close" } }),
  );
  const statuses = (await Promise.all(fetched)).map(({ status }) => status);
  assert.deepEqual([...new Set(statuses)], [200]);
}

test("up --workers listens with as many threads, and tells of it once", { skip }, async () => {
  using place = new Workplace(MANIFEST, GUESTS);
  await using spindle = await place.up(["--workers", "3"]);
  assert.equal(spindle.stdout.match(/^Serving/gm)?.length, 1);
  assert.equal(spindle.stderr.match(/^Logging component stdio/gm)?.length, 1);
  await haveListeners(await spindle.serving(), 3);
  await answersAll(spindle, 50);
});

for (const { signal, code } of [
  { signal: "SIGTERM", code: 0 },
  { signal: "SIGINT", code: 130 },
] as const) {
  test(`${signal} ends all threads of up --workers with ${code}, and no files are left`, {
    skip,
  }, async () => {
    using place = new Workplace(MANIFEST, GUESTS);
    await using spindle = await place.up(["--workers", "2"]);
    const url = await spindle.serving();
    await answersAll(spindle, 10);
    spindle.kill(signal);
    const ended = await spindle.ended();
    assert.equal(ended.code, code);
    await haveListeners(url, 0);
    assert.deepEqual(place.leftovers, []);
  });
}

test("up --workers says that a port is in use", { skip }, async () => {
  await using server = createServer().listen(0, "127.0.0.1");
  const { promise, resolve } = Promise.withResolvers<void>();
  server.once("listening", resolve);
  await promise;
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  using place = new Workplace(MANIFEST, GUESTS);
  await using spindle = place.spindle(["up", "--workers", "2", "--listen", `127.0.0.1:${address.port}`]);
  const { code, stderr } = await spindle.ended();
  assert.equal(code, 1);
  assert.match(stderr, /\[PORT_IN_USE\]/);
});

test("up --workers shows mistakes of the application once, with their places", { skip }, async () => {
  using place = new Workplace(MANIFEST, GUESTS);
  place.write("wagi.wasm", "\0asm\x01\0\0\0\xff");
  await using spindle = place.spindle(["up", "--workers", "2", "--listen", "127.0.0.1:0"]);
  const { code, stderr } = await spindle.ended();
  assert.equal(code, 1);
  assert.equal(stderr.match(/\[MODULE_INVALID\]/g)?.length, 1);
});

test("up --workers keeps the lines of a log whole, whichever thread printed them", { skip }, async () => {
  using place = new Workplace(MANIFEST, GUESTS);
  await using spindle = await place.up(["--workers", "2", "--quiet"]);
  await Promise.all(
    Array.from({ length: 40 }, () => spindle.fetch("/wagi", { headers: { connection: "close" } })),
  );
  spindle.kill("SIGTERM");
  await spindle.ended();
  const log = readFileSync(join(place.folder, ".spin/logs/wagi_stderr.txt"), "utf8");
  const lines = log.split("\n").filter((line) => line !== "");
  assert.deepEqual(lines, Array(40).fill("wagi guest done"));
});

test("a thread that ends is told of and replaced, while the others go on", { skip }, async () => {
  using place = new Workplace(MANIFEST, GUESTS);
  await using working = createWorkingDirectory();
  const { application } = await loadApplication({
    from: place.folder,
    directMounts: false,
    allowTransientWrite: false,
    workingDirectory: working.path,
    cacheDirectory: place.temporary,
    signal: new AbortController().signal,
    progress() {},
  });
  const entries: HttpLogEntry[] = [];
  const ignore = { write() {} };
  const threads = await ServingThreads.start(application, {
    threads: 2,
    listen: { host: "127.0.0.1", port: 0 },
    output: () => ({ stdout: ignore, stderr: ignore }),
    log: (entry) => entries.push(entry),
  });
  try {
    const { url } = threads.serving;
    const [first, second] = threads.threads;
    await first?.terminate();
    while (threads.threads.length < 2 || threads.threads.includes(first ?? assert.fail())) await sleep(10);
    assert.ok(threads.threads.includes(second ?? assert.fail()));
    assert.deepEqual(
      entries.map(({ severity }) => severity),
      ["error"],
    );
    assert.match(entries[0]?.message ?? "", /^A thread of Spindle has ended, another takes its place: /);
    await haveListeners(url, 2);
    assert.equal((await fetch(url)).status, 200);
  } finally {
    await threads.stop();
  }
});
