// How `spindle up` ends: in order, at once if it must, and with nothing left behind.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findOlderNode } from "./older-node.ts";
import { type SpindleProcess, Workplace } from "./spindle-process.ts";

const MANIFEST = `
spin_manifest_version = 2
[application]
name = "waiting"
[[trigger.http]]
route = "/..."
component = "outbound"
[component.outbound]
source = "outbound.wasm"
allowed_outbound_hosts = ["http://127.0.0.1:*"]
`;

/** A server that answers when the test says so: whoever asks it waits. */
class SlowServer implements AsyncDisposable {
  readonly #server: Server;
  #waiting: ServerResponse | undefined;
  readonly #asked = Promise.withResolvers<void>();

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (_, response) => {
      this.#waiting = response;
      this.#asked.resolve();
    });
  }

  static async start(): Promise<SlowServer> {
    const server = createServer();
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", resolve);
    await promise;
    return new SlowServer(server);
  }

  get url(): string {
    // A server that listens on TCP has an address of this kind.
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Resolves when somebody waits for an answer. */
  asked(): Promise<void> {
    return this.#asked.promise;
  }

  answer(): void {
    this.#waiting?.end("at last");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await this.#server[Symbol.asyncDispose]();
  }
}

interface Waiting {
  /** The text of the answer, or why there is none. */
  readonly text: Promise<string>;
}

/** Sends a request, and returns when its guest waits for `slow`. */
async function requestThatWaits(spindle: SpindleProcess, slow: SlowServer): Promise<Waiting> {
  const text = spindle
    .fetch("/", { headers: { "x-target": slow.url } })
    .then((response) => response.text())
    .catch(() => "cut off");
  await slow.asked();
  return { text };
}

const older = findOlderNode();
const launchers = [
  { by: "", options: { detached: true } },
  ...(older === undefined ? [] : [{ by: " behind an older Node", options: { detached: true, node: older } }]),
];

for (const { by, options } of launchers) {
  test(`SIGTERM ends an idle up${by} with 0, and no files are left`, async () => {
    using place = new Workplace(MANIFEST, ["c/outbound"]);
    await using spindle = await place.up([], options);
    assert.equal(place.leftovers.length, 1);
    spindle.kill("SIGTERM");
    const { code, signal } = await spindle.ended();
    assert.deepEqual({ code, signal }, { code: 0, signal: null });
    assert.deepEqual(place.leftovers, []);
  });

  test(`SIGINT, alone or to the whole process group, ends an idle up${by} with 130`, async () => {
    using place = new Workplace(MANIFEST, ["c/outbound"]);
    await using alone = await place.up([], options);
    alone.kill("SIGINT");
    assert.equal((await alone.ended()).code, 130);
    await using spindle = await place.up([], options);
    process.kill(-(spindle.child.pid ?? assert.fail()), "SIGINT");
    const { code, signal } = await spindle.ended();
    assert.deepEqual({ code, signal }, { code: 130, signal: null });
    assert.deepEqual(place.leftovers, []);
  });

  test(`Ctrl-C, which goes to the whole process group, lets a request in flight finish${by}`, async () => {
    using place = new Workplace(MANIFEST, ["c/outbound"]);
    await using slow = await SlowServer.start();
    await using spindle = await place.up([], options);
    const { text } = await requestThatWaits(spindle, slow);
    process.kill(-(spindle.child.pid ?? assert.fail()), "SIGINT");
    await untilRefused(await spindle.serving());
    slow.answer();
    assert.equal(await text, "at last");
    assert.equal((await spindle.ended()).code, 130);
  });

  test(`a second Ctrl-C ends up${by} at once`, async () => {
    using place = new Workplace(MANIFEST, ["c/outbound"]);
    await using slow = await SlowServer.start();
    await using spindle = await place.up([], options);
    const { text } = await requestThatWaits(spindle, slow);
    const group = -(spindle.child.pid ?? assert.fail());
    process.kill(group, "SIGINT");
    await sleep(SECOND_SIGNAL_MS);
    process.kill(group, "SIGINT");
    assert.equal(await text, "cut off");
    assert.equal((await spindle.ended()).code, 130);
    assert.deepEqual(place.leftovers, []);
  });
}

/** What comes sooner is taken for the same Ctrl-C. */
const SECOND_SIGNAL_MS = 500;

/** Waits until nothing listens any more. */
async function untilRefused(url: string): Promise<void> {
  for (;;) {
    const isOpen = await fetch(url).then(
      () => true,
      () => false,
    );
    if (!isOpen) return;
    await sleep(10);
  }
}

test("up ends when the launcher in front of it is killed", { skip: older === undefined }, async () => {
  using place = new Workplace(MANIFEST, ["c/outbound"]);
  await using spindle = await place.up([], { ...(older !== undefined && { node: older }) });
  const url = await spindle.serving();
  spindle.kill("SIGKILL");
  await untilRefused(url);
  // It holds the other end of our pipes until it has removed its files.
  await spindle.ended();
  assert.deepEqual(place.leftovers, []);
});

test("a second SIGTERM ends up at once, with its own exit code", async () => {
  using place = new Workplace(MANIFEST, ["c/outbound"]);
  await using slow = await SlowServer.start();
  await using spindle = await place.up();
  await requestThatWaits(spindle, slow);
  spindle.kill("SIGTERM");
  await sleep(SECOND_SIGNAL_MS);
  spindle.kill("SIGTERM");
  assert.equal((await spindle.ended()).code, 143);
  assert.deepEqual(place.leftovers, []);
});

test("Ctrl-C while a download hangs ends up at once, and no files are left", async () => {
  await using slow = await SlowServer.start();
  const source = `{ url = "${slow.url}", digest = "sha256:${"0".repeat(64)}" }`;
  using place = new Workplace(MANIFEST.replace('"outbound.wasm"', source));
  await using spindle = place.spindle(["up", "--cache-dir", "cache"]);
  await slow.asked();
  spindle.kill("SIGINT");
  const { code, stdout } = await spindle.ended();
  assert.deepEqual({ code, stdout }, { code: 130, stdout: "" });
  assert.deepEqual(place.leftovers, []);
});

test("SIGTERM while a build command runs ends up with 143, and the command too", async () => {
  using place = new Workplace(
    `${MANIFEST}[component.outbound.build]\ncommand = "echo $$ > pid; sleep 60"\n`,
    ["c/outbound"],
  );
  await using spindle = place.spindle(["up", "--build"]);
  const pid = join(place.folder, "pid");
  while (!existsSync(pid) || readFileSync(pid, "utf8") === "") await sleep(10);
  spindle.kill("SIGTERM");
  assert.equal((await spindle.ended()).code, 143);
  // It holds the other end of our pipes: whoever got here has seen it end.
  assert.deepEqual(place.leftovers, []);
});

test("--temp names a directory that stays", async () => {
  using place = new Workplace(MANIFEST, ["c/outbound"]);
  await using spindle = await place.up(["--temp", "kept"]);
  spindle.kill("SIGTERM");
  await spindle.ended();
  assert.deepEqual(place.leftovers, []);
  assert.ok(existsSync(join(place.folder, "kept")));
});
