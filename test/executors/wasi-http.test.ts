// Components that speak wasi:http, served on a socket: what they answer, and when, and what becomes of lies.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { startApplication, type TestApplication } from "../../src/testing/mod.ts";
import { bodyOf, RawClient, request } from "../http/raw-client.ts";
import { eventually } from "../http/serve.ts";
import { serve } from "./servers.ts";

const GUEST = resolve(import.meta.dirname, "../../guests/c/wasi-http.wasm");

const MANIFEST = `spin_manifest_version = 2
[application]
name = "wasi-http"

[[trigger.http]]
route = "/..."
component = "front"

[component.front]
source = ${JSON.stringify(GUEST)}
allowed_outbound_hosts = ["http://127.0.0.1:*", "http://localhost:*", "http://[::ffff:127.0.0.1]:*", "http://*.spin.internal"]

[[trigger.http]]
route = "/wagi/..."
component = "program"
executor = { type = "wagi" }

[component.program]
source = ${JSON.stringify(resolve(import.meta.dirname, "../../guests/wasi/world.wasm"))}

[[trigger.http]]
route = { private = true }
component = "back"

[component.back]
source = ${JSON.stringify(GUEST)}
`;

let folder: string;
let app: TestApplication;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "spindle-wasi-http-"));
  writeFileSync(join(folder, "spin.toml"), MANIFEST);
  app = await startApplication({ from: folder, limits: { afterReplyTimeMs: 200, stallTimeMs: 5000 } });
});

after(async () => {
  await app.stop();
  rmSync(folder, { recursive: true });
});

function address(): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(app.url);
  return { host: hostname, port: Number(port) };
}

/** The whole answer to a request, until the connection is closed or the answer complete. */
async function get(path: string): Promise<string> {
  return await request(address(), `GET ${path} HTTP/1.1\r\nHost: example.com\r\n\r\n`);
}

/** The answer without its date, which is the last header. */
function withoutDate(answer: string): string {
  return answer.replace("date: DATE\r\n", "");
}

/** The contents of a body in chunks. */
function unchunked(body: string): string {
  return body.replace(/[0-9a-f]+\r\n(.*?)\r\n/gs, "$1");
}

async function text(path: string, init: RequestInit = {}): Promise<string> {
  return await (await app.fetch(path, init)).text();
}

function logged(pattern: RegExp): boolean {
  return app.log.some(({ message }) => pattern.test(message));
}

test("A body without a stated length is sent in chunks, with the head as the guest made it", async () => {
  assert.equal(
    withoutDate(await get("/hello")),
    "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n13\r\nHello from Spindle\n\r\n0\r\n\r\n",
  );
});

const HEADS = [
  {
    path: "/empty",
    answer: "content-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    because: "a body that was asked for is a body",
  },
  {
    path: "/bodiless",
    answer: "content-type: text/plain\r\ncontent-length: 0\r\n\r\n",
    because: "there is none if nobody asked for it",
  },
  {
    path: "/length/3/3",
    answer: "content-type: text/plain\r\ncontent-length: 3\r\n\r\nxxx",
    because: "a length that is promised and kept is told",
  },
];
for (const { path, answer, because } of HEADS) {
  test(`${path} is framed as Spin does: ${because}`, async () => {
    assert.equal(withoutDate(await get(path)), `HTTP/1.1 200 OK\r\n${answer}`);
  });
}

test("A HEAD request is answered with the head alone", async () => {
  const response = await app.fetch("/hello", { method: "HEAD" });
  assert.equal(response.status, 200);
  assert.equal(await response.text(), "");
});

test("A guest sees path, query, authority and headers, but not those of the connection, and then Spin's", async () => {
  const sent = [
    "GET /headers?q=1&q=2 HTTP/1.1",
    "Host: example.com:8080",
    "X-Custom: v1",
    "x-custom: v2",
    "Connection: keep-alive",
    "TE: trailers",
    "Accept-Encoding: br",
  ];
  const answer = unchunked(bodyOf(await request(address(), `${sent.join("\r\n")}\r\n\r\n`)));
  const [target, authority, ...headers] = answer.split("\n").slice(0, -1);
  assert.equal(target, "/headers?q=1&q=2");
  assert.equal(authority, "example.com:8080");
  assert.deepEqual(
    headers.map((line) => line.replace(/^(spin-client-addr: 127\.0\.0\.1:)\d+$/, "$1PORT")),
    [
      "x-custom: v1",
      "x-custom: v2",
      "te: trailers",
      "accept-encoding: br",
      "spin-path-info: /headers",
      "spin-full-url: http://example.com:8080/headers?q=1&q=2",
      "spin-matched-route: /...",
      "spin-base-path: /",
      "spin-raw-component-route: /...",
      "spin-component-route: ",
      "spin-client-addr: 127.0.0.1:PORT",
    ],
  );
});

for (const path of ["/echo", "/late-echo"]) {
  test(`${path} copies small and large bodies, from memory and as they come`, async () => {
    for (const bytes of [0, 1, 5, 65_536, 1_000_000]) {
      const body = Buffer.alloc(bytes, "é🦀");
      const response = await app.fetch(path, { method: "POST", body });
      assert.deepEqual(Buffer.from(await response.arrayBuffer()), body, String(bytes));
    }
  });
}

test("A guest that reads its request as it comes answers as it reads", async () => {
  using client = await RawClient.connect(address());
  client.send("POST /late-echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  assert.match(await client.until("abc\r\n"), /^HTTP\/1\.1 200 OK/);
  client.send("3\r\ndef\r\n");
  assert.equal(await client.until("def\r\n"), "3\r\ndef\r\n");
  client.send("0\r\n\r\n");
  assert.equal(await client.until("0\r\n\r\n"), "0\r\n\r\n");
});

test("The first piece leaves when the guest has written it", async () => {
  using client = await RawClient.connect(address());
  client.send("GET /pieces HTTP/1.1\r\nHost: a\r\n\r\n");
  const first = await client.until("piece\n\r\n");
  assert.equal(first.split("piece").length, 2, first);
  assert.equal((await client.until("0\r\n\r\n")).split("piece").length, 3);
});

test("A client that takes nothing holds the guest back, and ends it by leaving", async () => {
  using client = await RawClient.connect(address());
  client.socket.pause();
  client.send("GET /flood HTTP/1.1\r\nHost: a\r\n\r\n");
  await eventually(() => assert.equal(app.served.trigger.counts.active, 1));
  client.socket.destroy();
  await eventually(() => assert.equal(app.served.trigger.counts.active, 0));
});

test("A guest works on after its answer, for as long as it may", async () => {
  assert.equal(await text("/after"), "Hello from Spindle\n");
  await eventually(() => assert.match(app.output("front").stderr, /done/));
  assert.equal(await text("/after-long"), "Hello from Spindle\n");
  await eventually(() => assert.ok(logged(/GET \/after-long failed: it went on for more than 200 ms/)));
  await eventually(() => assert.equal(app.served.trigger.counts.active, 0));
});

test("A client that leaves ends a guest that has not answered", async () => {
  using client = await RawClient.connect(address());
  client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  await eventually(() => assert.equal(app.served.trigger.counts.active, 1));
  client.socket.destroy();
  await eventually(() => assert.equal(app.served.trigger.counts.active, 0));
});

const FAILURES = [
  { path: "/none", log: /returned without an answer/ },
  { path: "/error", log: /answered with ErrorCode::LoopDetected/ },
  { path: "/trap-before", log: /trapped in `wasi:http\/incoming-handler@0\.2\.12#handle`/ },
  { path: "/forbidden", log: /trapped/ },
  { path: "/status/99", log: /trapped/ },
  { path: "/status/100", log: /the status 100/ },
];
for (const { path, log } of FAILURES) {
  test(`${path} is answered with an empty 500, and the next request is served`, async () => {
    assert.equal(
      withoutDate(await get(path)),
      "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n",
    );
    await eventually(() => assert.ok(logged(new RegExp(`GET ${path} failed: .*${log.source}`))));
    assert.equal(await text("/hello"), "Hello from Spindle\n");
  });
}

const CUT = [
  { path: "/trap-in", begins: "Hello from Spindle\n" },
  { path: "/unfinished", begins: "Hello from Spindle\n" },
  { path: "/twice", begins: "Hello from Spindle\n" },
  { path: "/finish-open", begins: "Hello from Spindle\n" },
  { path: "/overfull", begins: "" },
  { path: "/length/5/3", begins: "xxx" },
  { path: "/length/3/5", begins: "xxx" },
];
for (const { path, begins } of CUT) {
  test(`${path} sends what there was of the answer, and cuts the connection`, async () => {
    using client = await RawClient.connect(address());
    client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const answer = await client.rest();
    assert.match(answer, /^HTTP\/1\.1 200 OK/);
    assert.ok(answer.includes(begins), answer);
    assert.ok(!answer.endsWith("\r\n0\r\n\r\n"), "it does not look complete");
    assert.equal(await text("/hello"), "Hello from Spindle\n");
  });
}

test("A guest that traps after its answer has answered", async () => {
  assert.equal(await text("/trap-after"), "Hello from Spindle\n");
  await eventually(() => assert.ok(logged(/GET \/trap-after failed: .*trapped/)));
});

test("A guest asks a server, and passes on its answer as it comes", async () => {
  await using server = await serve((incoming, response) => {
    response.writeHead(203);
    response.write(`${incoming.method} ${incoming.url} ${incoming.headers["x-from"]}: `);
    incoming.pipe(response);
  });
  const body = "é🦀".repeat(50_000);
  const response = await app.fetch(`/proxy/127.0.0.1:${server.port}/a?b`, { method: "PUT", body });
  assert.equal(response.status, 203);
  assert.ok((await response.text()) === `PUT /a?b proxy: ${body}`);
});

const OUTBOUND_ERRORS = [
  { path: "/proxy/10.0.0.1/", code: 15, because: "it is not allowed" },
  { path: "/proxy/127.0.0.1:1/", code: 6, because: "nobody listens" },
];
for (const { path, code, because } of OUTBOUND_ERRORS) {
  test(`A guest whose request fails gets error code ${code}: ${because}`, async () => {
    assert.equal(await text(path), `error ${String(code).padStart(2, "0")}\n`);
  });
}

test("A guest reaches no private address where those are blocked, though it may ask any host, but other components", async () => {
  await using server = await serve((_incoming, response) => response.end("private"));
  await using blocked = await startApplication({ from: folder, outbound: { blockNetworks: ["private"] } });
  const reached = async (host: string) => await (await blocked.fetch(`/proxy/${host}/hello`)).text();
  for (const host of ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"]) {
    assert.equal(await reached(`${host}:${server.port}`), "error 04\n", host);
  }
  assert.equal(await reached("back.spin.internal"), "Hello from Spindle\n");
});

test("A component calls another one, which has no route, in pieces both ways", async () => {
  assert.equal((await app.fetch("/back")).status, 200, "the front answers every path");
  const body = "x".repeat(50_000);
  assert.ok((await text("/proxy/back.spin.internal/late-echo", { method: "POST", body })) === body);
  assert.match(
    await text("/proxy/back.spin.internal/headers?q"),
    /^\/headers\?q\n.*spin-client-addr: 0\.0\.0\.0:0/s,
  );
  const failed = await app.fetch("/proxy/back.spin.internal/trap-before");
  assert.equal(failed.status, 500);
  assert.equal(await text("/proxy/back.spin.internal/trap-after"), "Hello from Spindle\n");
  await eventually(() => assert.ok(logged(/GET \/trap-after failed: Component "back" trapped/)));
});

test("A component that is a command is run as a CGI program", async () => {
  const response = await app.fetch("/wagi?echo", { method: "POST", body: "Content-Type: text/x\n\nhello é" });
  assert.equal(response.headers.get("content-type"), "text/x");
  assert.equal(await response.text(), "hello é");
  assert.equal((await app.fetch("/wagi?unknown")).status, 500);
});

test("Nothing is left open or in progress when all is answered", async () => {
  await eventually(() => {
    const { connections: _, ...counts } = app.served.trigger.counts;
    assert.deepEqual(counts, { active: 0, waiting: 0, heldBodyBytes: 0, timed: 0 });
  });
});
