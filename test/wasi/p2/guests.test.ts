// A real component, made by Rust, in the real engine: what it does must not depend on gears and shifts.

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";

import type { EngineOptions } from "../../../src/engine/mod.ts";
import { AllowedHosts } from "../../../src/manifest/mod.ts";
import { BlockedNetworks, OutboundSockets } from "../../../src/outbound/mod.ts";
import type { GuestNetwork } from "../../../src/wasi/mod.ts";
import { type CommandOptions, type CommandResult, runCommand } from "../run-command.ts";
import { TemporaryFolder } from "../temporary.ts";

const WORLD = readFileSync(join(import.meta.dirname, "../../../guests/wasi/world.wasm"));

const tcp = createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket));
const udp = createSocket("udp4", (data, { port, address }) => udp.send(data, port, address));

before(async () => {
  tcp.listen(0, "127.0.0.1");
  udp.bind(0, "127.0.0.1");
  await Promise.all([once(tcp, "listening"), once(udp, "listening")]);
});

after(() => {
  tcp.close();
  udp.close();
});

const OPEN: GuestNetwork = {
  allows: () => true,
  admit: () => ({ [Symbol.dispose]() {} }),
  lookUp: async () => ["192.0.2.1", "2001:db8::1"],
};

async function run(args: readonly string[], options: CommandOptions): Promise<CommandResult> {
  const result = await runCommand(WORLD, { ...options, args: ["world", ...args] });
  assert.equal(result.trap, undefined);
  return result;
}

const GEARS: readonly EngineOptions[] = [{ gearing: "adaptive" }, { gearing: "second" }];

interface Case {
  readonly args: readonly (string | (() => string))[];
  readonly options?: CommandOptions;
  readonly prints: string;
}

const LONG = "é🦀\n".repeat(30_000);

const cases: readonly Case[] = [
  { args: ["echo"], options: { stdin: Buffer.from("hello é") }, prints: "hello é" },
  { args: ["echo"], options: { stdin: Buffer.from(LONG) }, prints: LONG },
  {
    args: ["environment", "é"],
    options: { environment: { NAME: "🦀" } },
    prints: '["world", "environment", "é"] [("NAME", "🦀")]\n',
  },
  // The server has its port only when the test runs.
  // biome-ignore format: one line each
  { args: ["tcp", () => `127.0.0.1:${(tcp.address() as AddressInfo).port}`], prints: "hello from the guest\n" },
  { args: ["udp", () => `127.0.0.1:${udp.address().port}`], prints: "datagram\n" },
  { args: ["resolve", "example.com"], prints: "192.0.2.1:80\n[2001:db8::1]:80\n" },
  { args: ["sleep", "5"], prints: "true true\n" },
];

for (const engine of GEARS) {
  for (const { args, options, prints } of cases) {
    const name = args.filter((arg) => typeof arg === "string").join(" ");
    test(`world ${name} of ${prints.length} characters, gears ${engine.gearing}`, async () => {
      const given = args.map((arg) => (typeof arg === "string" ? arg : arg()));
      const result = await run(given, { network: OPEN, ...options, engine });
      assert.deepEqual([result.exitCode, result.stderr, result.stdout], [0, "", prints]);
    });
  }

  test(`world files works on a mount, and not beyond it, gears ${engine.gearing}`, async () => {
    using folder = new TemporaryFolder();
    const mounts = [{ guestPath: "/data", hostPath: folder.path, kind: "live", access: "write" } as const];
    const result = await run(["files", "/data"], { mounts, engine });
    assert.equal(result.stderr, "");
    assert.equal(
      result.stdout,
      '["a", "linked", "moved"] 30 true\nline 0 é\nline 1 é\nline 2 é\nPermissionDenied\n',
    );
    assert.equal(readFileSync(folder.join("linked"), "utf8"), "line 0 é\nline 1 é\nline 2 é\n");
  });
}

const refusals = [
  { args: ["tcp", "127.0.0.1:9"], stderr: /^tcp: PermissionDenied/ },
  { args: ["udp", "127.0.0.1:9"], stderr: /^udp: PermissionDenied/ },
  { args: ["resolve", "example.com"], stderr: /^resolve: / },
  { args: ["listen"], stderr: /^listen: PermissionDenied/ },
  { args: ["files", "/data"], stderr: /^files: / },
  { args: ["nothing"], stderr: /^nothing: InvalidInput/ },
];
for (const { args, stderr } of refusals) {
  test(`world ${args.join(" ")} is refused by default`, async () => {
    const result = await run(args, {});
    assert.equal(result.exitCode, 1);
    assert.match(result.stderr, stderr);
  });
}

test("the allow-list of a manifest opens what it names", async () => {
  const reported: string[] = [];
  const allowing = (...items: string[]) =>
    new OutboundSockets(
      { blocked: new BlockedNetworks(), report: (note) => void reported.push(note) },
      { id: "guest", allowedHosts: AllowedHosts.parse(items) },
    );
  // The server listens on a port.
  const address = `127.0.0.1:${(tcp.address() as AddressInfo).port}`;
  const allowed = await run(["tcp", address], { network: allowing(`tcp://${address}`) });
  assert.equal(allowed.stdout, "hello from the guest\n");
  assert.deepEqual(reported, []);
  const denied = await run(["tcp", address], { network: allowing(`udp://${address}`) });
  assert.match(denied.stderr, /^tcp: PermissionDenied/);
  assert.match(reported.join(), new RegExp(`tcp://${address}`));
  const datagram = `127.0.0.1:${udp.address().port}`;
  const network = allowing(`udp://${datagram}`, "udp://127.0.0.1:0");
  assert.equal((await run(["udp", datagram], { network })).stdout, "datagram\n");
});

test("a guest that sleeps ends with its call", async () => {
  const abort = new AbortController();
  setImmediate(() => abort.abort());
  const result = await runCommand(WORLD, { args: ["world", "sleep", "3600000"], signal: abort.signal });
  assert.equal(result.trap?.reason, "cancelled");
});
