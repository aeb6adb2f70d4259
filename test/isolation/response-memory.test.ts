// The memory of an answer that is sent is used for later ones: never before the last byte of it has left.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { startApplication } from "../../src/testing/mod.ts";

const MIB = 1024 * 1024;
/** More than the system takes for a client that does not read. */
const UNREAD = 24;

const GUESTS = join(import.meta.dirname, "../../guests/rust");
const FILES = ["a", "b", "c", "d"];
const FILE_BYTES = 20 * 1024;

const directory = await mkdtemp(join(tmpdir(), "spindle-response-memory-"));
after(() => rm(directory, { recursive: true }));
await writeFile(
  join(directory, "spin.toml"),
  `spin_manifest_version = 2
[application]
name = "echo"
[[trigger.http]]
route = "/echo"
component = "echo"
[component.echo]
source = ${JSON.stringify(join(GUESTS, "spin.wasm"))}
[[trigger.http]]
route = "/..."
component = "files"
[component.files]
source = ${JSON.stringify(join(GUESTS, "files.wasm"))}
files = [${FILES.map((name) => JSON.stringify(name))}]
`,
);
for (const name of FILES) await writeFile(join(directory, name), name.repeat(FILE_BYTES));
const app = await startApplication({ from: directory });
after(() => app[Symbol.asyncDispose]());

test("Answers that a client is slow to read are not written over by those of others", async () => {
  const slow = await Promise.all([connect(), connect()]);
  for (const [index, socket] of slow.entries()) socket.write(requestsFor(`slow${index}`));
  for (let turn = 0; turn < UNREAD; turn++) assert.equal(await echo(`other${turn}`), bodyOf(`other${turn}`));
  for (const [index, socket] of slow.entries())
    assert.equal(await readAll(socket), answersFor(`slow${index}`));
});

test("Answers to requests that are sent ahead are each their own", async () => {
  const socket = await connect();
  socket.write(requestsFor("ahead"));
  assert.equal(await readAll(socket), answersFor("ahead"));
});

test("Answers to requests that come in one piece, which wait for each other, are each their own", async () => {
  const socket = await connect();
  const last = "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  socket.write(FILES.map((name) => `GET /${name} HTTP/1.1\r\nHost: a\r\n\r\n`).join("") + last);
  assert.equal(await readAll(socket), [...FILES, "a"].map((name) => name.repeat(FILE_BYTES)).join(""));
});

/** Connects without reading. */
async function connect(): Promise<net.Socket> {
  const { hostname, port } = new URL(app.url);
  const socket = net.connect({ host: hostname, port: Number(port) });
  await once(socket, "connect");
  return socket.pause();
}

/** A body that says in each line whose it is. */
function bodyOf(name: string): string {
  return `${name}\n`.repeat(MIB / 8).slice(0, MIB);
}

function names(name: string): string[] {
  return Array.from({ length: UNREAD }, (_, index) => `${name}-${index}`);
}

function requestsFor(name: string): string {
  const last = names(name).length - 1;
  return names(name)
    .map((each, index) => {
      const connection = index === last ? "Connection: close\r\n" : "";
      return `POST /echo HTTP/1.1\r\nHost: a\r\n${connection}Content-Length: ${MIB}\r\n\r\n${bodyOf(each)}`;
    })
    .join("");
}

function answersFor(name: string): string {
  return names(name).map(bodyOf).join("");
}

async function readAll(socket: net.Socket): Promise<string> {
  const pieces = await Array.fromAsync(socket);
  return Buffer.concat(pieces)
    .toString("latin1")
    .split(/HTTP\/1\.1 200 OK\r\n(?:[^\r]+\r\n)*\r\n/)
    .join("");
}

async function echo(name: string): Promise<string> {
  const response = await fetch(new URL("/echo", app.url), { method: "POST", body: bodyOf(name) });
  return response.text();
}
