// `up --bindle` from the cache: what is damaged in it, what cannot be written, and what is shared with it.

import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate as immediate } from "node:timers/promises";

import type { BindleServer } from "../../src/bindle-server/mod.ts";
import { sha256, startServer, temporaryFolder } from "../bindle/bindles.ts";
import { BindleWorkplace, ID } from "./workplace.ts";

const MANIFEST = `spin_manifest_version = 2
application = { name = "example.com/printer", version = "1.2.3" }
[[trigger.http]]
route = "/..."
component = "files"
[component.files]
source = "files.wasm"
files = [{ source = "static", destination = "/" }]
`;

/** An application that answers with the files that it has. */
function placeWithFiles(): BindleWorkplace {
  const place = new BindleWorkplace(MANIFEST);
  place.copyGuest("c/files", "files.wasm");
  return place;
}

/** Pushes the application of a place, and starts it once, which fills the cache. */
async function fillCache(place: BindleWorkplace, { url }: BindleServer): Promise<void> {
  assert.equal((await place.run(["bindle", "push", "--server", url])).code, 0);
  await using spindle = await place.up(["-b", ID, "--server", url]);
  assert.equal(await contentOf(spindle), "hello");
  spindle.kill("SIGTERM");
  await spindle.ended();
}

type Running = Awaited<ReturnType<BindleWorkplace["up"]>>;

async function contentOf(spindle: Running): Promise<string> {
  return await (await spindle.fetch("/hello.txt")).text();
}

const damages = [
  { what: "cut off", damage: (bytes: Buffer) => bytes.subarray(1) },
  { what: "changed", damage: (bytes: Buffer) => bytes.map((byte, index) => (index === 9 ? ~byte : byte)) },
  { what: "made into something else", damage: (bytes: Buffer) => bytes.fill("?") },
];
for (const { what, damage } of damages) {
  test(`up --bindle fetches code again that was ${what} in the cache`, async () => {
    using place = placeWithFiles();
    await using folder = await temporaryFolder();
    await using server = await startServer(folder.path);
    await fillCache(place, server);
    const digest = sha256(readFileSync(join(place.folder, "files.wasm")));
    const file = join(place.cache, "parcels", digest);
    chmodSync(file, 0o600);
    writeFileSync(file, damage(readFileSync(file)));
    await using spindle = await place.up(["-b", ID, "--server", server.url]);
    assert.equal(await contentOf(spindle), "hello");
    assert.equal(sha256(readFileSync(file)), digest);
  });
}

const damagedFiles: readonly { readonly what: string; damage(file: string): void }[] = [
  { what: "changed", damage: (file) => writeFileSync(file, "jello") },
  { what: "cannot be read", damage: (file) => chmodSync(file, 0) },
  {
    what: "is a link to another",
    damage(file) {
      writeFileSync(`${file}.other`, "jello");
      rmSync(file);
      symlinkSync(`${file}.other`, file);
    },
  },
];
for (const { what, damage } of damagedFiles) {
  test(`bindle get and up --verify fetch a file again that ${what} in the cache`, async () => {
    using place = placeWithFiles();
    await using folder = await temporaryFolder();
    await using server = await startServer(folder.path);
    const { stdout } = await place.run(["bindle", "keys", "create", "--label", "Ann"]);
    const key = stdout.trim().split("secret key: ")[1] ?? "";
    const at = ["--server", server.url];
    assert.equal((await place.run(["bindle", "push", "--sign-key", key, ...at])).code, 0);
    const get = ["bindle", "get", ID, "-d", "got", ...at];
    assert.equal((await place.run(get)).code, 0);
    const file = join(place.cache, "parcels", sha256("hello"));
    const damageIt = () => {
      chmodSync(file, 0o600);
      damage(file);
    };

    damageIt();
    const got = await place.run(get);
    assert.equal(got.code, 0, got.stderr);
    assert.equal(readFileSync(file, "utf8"), "hello");

    damageIt();
    await using spindle = await place.up(["-b", ID, "--verify", "CreativeIntegrity", ...at]);
    assert.equal(await contentOf(spindle), "hello");
  });
}

test("up --bindle that is interrupted leaves nothing of what it was fetching", async () => {
  using place = placeWithFiles();
  await using folder = await temporaryFolder();
  await using server = await startServer(folder.path);
  assert.equal((await place.run(["bindle", "push", "--server", server.url])).code, 0);
  const asked = Promise.withResolvers<void>();
  // Passes invoices on; of a parcel it sends the first byte, and no more.
  const halting = createServer(async ({ url = "" }, response) => {
    const answer = await fetch(new URL(url, server.url));
    const body = Buffer.from(await answer.arrayBuffer());
    const headers = {
      "content-type": answer.headers.get("content-type") ?? "",
      "content-length": body.length,
    };
    response.writeHead(answer.status, headers);
    if (!url.includes("@")) response.end(body);
    else response.write(body.subarray(0, 1), () => asked.resolve());
  }).listen(0, "127.0.0.1");
  await once(halting, "listening");
  // A server that listens on a TCP port has an address of this kind.
  const { port } = halting.address() as AddressInfo;
  await using spindle = place.start(["up", "-b", ID, "--server", `http://127.0.0.1:${port}/v1/`]);
  const temporary = join(place.cache, "tmp");
  const unfinished = () => readdirSync(temporary).length;
  await asked.promise;
  while (unfinished() === 0) await immediate();
  spindle.kill("SIGINT");
  assert.equal((await spindle.ended()).code, 130);
  assert.equal(unfinished(), 0);
  halting.close();
  halting.closeAllConnections();
});

test("up --bindle gives components links to the cache, and copies where they may write", async () => {
  using place = placeWithFiles();
  await using folder = await temporaryFolder();
  await using server = await startServer(folder.path);
  await fillCache(place, server);
  const file = join(place.cache, "parcels", sha256("hello"));
  const links = () => statSync(file).nlink;
  assert.equal(links(), 1, "what was linked is gone with the application");
  {
    await using spindle = await place.up(["-b", ID, "--server", server.url]);
    assert.equal(links(), 2);
    assert.equal(await contentOf(spindle), "hello");
  }
  const before = links();
  for (const flags of [["--allow-transient-write"], ["--temp", join(place.folder, "work")]]) {
    await using spindle = await place.up(["-b", ID, "--server", server.url, ...flags]);
    assert.equal(links(), before, flags.join(" "));
    assert.equal(await contentOf(spindle), "hello");
  }
});

test("up --bindle writes nothing to a cache that has all of it, and says if it could not", async () => {
  using place = placeWithFiles();
  await using folder = await temporaryFolder();
  await using server = await startServer(folder.path);
  await fillCache(place, server);
  // What is fetched goes through this directory first.
  rmSync(join(place.cache, "tmp"), { recursive: true });
  writeFileSync(join(place.cache, "tmp"), "");
  {
    await using spindle = await place.up(["-b", ID, "--server", server.url]);
    assert.equal(await contentOf(spindle), "hello");
  }
  rmSync(join(place.cache, "parcels", sha256("hello")));
  const { code, stderr } = await place.run(["up", "-b", ID, "--server", server.url]);
  assert.equal(code, 1);
  assert.match(stderr, /\/bindle to store bindles: .*\[BINDLE_STORE_UNUSABLE\]\n {2}hint: .*`--cache-dir`/);
});
