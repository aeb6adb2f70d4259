// The way of an application: pushed to a server, run from there, run again without it.

import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { BindleWorkplace, ID } from "./workplace.ts";

test("an application is pushed to `bindle serve`, and runs from there, then without it", async () => {
  using place = new BindleWorkplace();
  let server: string;
  {
    await using serving = place.start(["bindle", "serve", "--listen", "127.0.0.1:0"]);
    await serving.until(() => serving.stdout.endsWith("/v1/\n"));
    server = /http:\S+/.exec(serving.stdout)?.[0] ?? "";

    const first = await place.run(["bindle", "push", "--server", server]);
    assert.equal(first.stdout, `pushed: ${ID}\n`);
    assert.match(first.stderr, /^Sent 6 parcels, \d+\.\d kB$/m);
    const second = await place.run(["bindle", "push"], { BINDLE_URL: server });
    assert.equal(second.stdout, `pushed: ${ID}\n`);
    assert.match(second.stderr, /^The server had all of it already$/m);

    await using spindle = await place.up(["--bindle", ID, "--server", server]);
    assert.equal((await spindle.fetch("/spin/x")).status, 200);
    assert.equal((await spindle.fetch("/files/x")).status, 200);
    spindle.kill("SIGTERM");
    assert.equal((await spindle.ended()).code, 0);
    serving.kill("SIGTERM");
    assert.equal((await serving.ended()).code, 0);
  }
  await using again = await place.up(["--bindle", ID, "--server", server]);
  assert.equal((await again.fetch("/spin/x")).status, 200);
  again.kill("SIGTERM");
  await again.ended();
  assert.deepEqual(place.leftovers, []);
  assert.ok(!existsSync(join(place.folder, ".spin")), "an application from a bindle writes nothing here");
});

test("a component that is chosen is all that is fetched", async () => {
  using place = new BindleWorkplace();
  await using serving = place.start(["bindle", "serve", "--listen", "127.0.0.1:0"]);
  await serving.until(() => serving.stdout.endsWith("/v1/\n"));
  const server = /http:\S+/.exec(serving.stdout)?.[0] ?? "";
  await place.run(["bindle", "push", "--server", server]);
  await using _ = await place.up(["-b", ID, "--server", server, "-c", "spin"]);
  // The manifest, and one module.
  assert.equal(place.parcels.length, 2);
});

test("what `bindle prepare` makes can be pushed and run from its directory", async () => {
  using place = new BindleWorkplace();
  const prepared = await place.run(["bindle", "prepare", "-d", "staging", "--buildinfo", "r123"]);
  const id = `${ID}+r123`;
  assert.equal(
    prepared.stdout,
    `id:      ${id}\ncommand: spindle bindle push -p ${join(place.folder, "staging")} ${id}\n`,
  );
  await using serving = place.start(["bindle", "serve", "--listen", "127.0.0.1:0"]);
  await serving.until(() => serving.stdout.endsWith("/v1/\n"));
  const server = /http:\S+/.exec(serving.stdout)?.[0] ?? "";
  const [, ...command] = prepared.stdout.trim().split("command: ")[1]?.split(" ") ?? [];
  assert.equal((await place.run([...command, "--server", server])).stdout, `pushed: ${id}\n`);
  await using spindle = await place.up(["--bindle", id, "--bindle-dir", "staging"]);
  assert.equal((await spindle.fetch("/spin/")).status, 200);
  const got = await place.run(["bindle", "get", id, "-d", "got", "--server", server]);
  assert.equal(readdirSync(join(place.folder, got.stdout.trim(), "parcels")).length, 6);
});
