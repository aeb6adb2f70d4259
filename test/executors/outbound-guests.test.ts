// Guests that send requests: `wasi-outbound-http` in both generations, and `wasi_experimental_http`.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { TrapError } from "../../src/engine/mod.ts";
import { assembleText } from "../../src/wasm/mod.ts";
import { type ApplicationOptions, type GuestOptions, TestApplication } from "./application.ts";
import { readAll, serve, serveRaw, type TestServer } from "./servers.ts";

const directory = await mkdtemp(join(tmpdir(), "spindle-outbound-"));
after(() => rm(directory, { recursive: true }));

const ANY = ["*://*:*"];
const GENERATIONS = ["c/outbound", "c/outbound-a"];

/** An application of one guest that sends requests. */
function start(
  source: string,
  options: Partial<GuestOptions> & { readonly application?: ApplicationOptions } = {},
): Promise<TestApplication> {
  const { application, ...guest } = options;
  return TestApplication.start({ guest: { source, allowedHosts: ANY, ...guest } }, application);
}

/** Says what it was asked, and counts. */
async function serveEcho(): Promise<TestServer & { readonly count: () => number }> {
  let requests = 0;
  const server = await serve(async (request, response) => {
    requests++;
    const body = await readAll(request);
    const forwarded = request.headers["x-forwarded"] ?? "";
    response.writeHead(207, { "x-server": "echo", "x-utf8": "\xe9" });
    response.end(`${request.method} ${request.url} ${forwarded} ${body}`);
  });
  return { ...server, count: () => requests };
}

for (const source of GENERATIONS) {
  test(`${source} gets the answer to its first request already`, async () => {
    await using server = await serveEcho();
    using app = await start(source);
    const headers = ["x-target", `${server.origin}/a?b`, "x-forwarded", "é".normalize()];
    const wire = headers.map((text) => Buffer.from(text).toString("latin1"));
    const reply = await app.request("guest", "/", { method: "PUT", headers: wire, body: "hello" });
    assert.equal(reply.status, 207);
    assert.equal(reply.headers["x-server"], "echo");
    assert.equal(reply.headers["x-utf8"], undefined, "What is not ASCII is left out, as Spin does");
    // The server reads header bytes as characters, and writes those as UTF-8.
    assert.equal(reply.body, `PUT /a?b ${Buffer.from("é").toString("latin1")} hello`);
  });

  test(`${source} may send requests one after another, of which each is sent once`, async () => {
    await using server = await serveEcho();
    using app = await start(source);
    const headers = ["x-target", server.origin, "x-times", "5"];
    for (let call = 1; call <= 3; call++) {
      assert.equal((await app.request("guest", "/", { headers })).status, 207);
      assert.equal(server.count(), 5 * call);
    }
  });

  test(`${source} gets an answer with an empty body`, async () => {
    await using server = await serve((_request, response) => void response.writeHead(204).end());
    using app = await start(source);
    const reply = await app.request("guest", "/", { headers: ["x-target", server.origin] });
    assert.deepEqual([reply.status, reply.body], [204, ""]);
  });

  test(`${source} gets an answer of several MB, for which its memory has to grow`, async () => {
    const body = "0123456789abcdef".repeat(1 << 18);
    await using server = await serve((_request, response) => void response.end(body));
    using app = await start(source);
    for (let call = 0; call < 2; call++) {
      const reply = await app.request("guest", "/", { headers: ["x-target", server.origin] });
      assert.ok(reply.body === body);
    }
  });

  const ERRORS: readonly {
    readonly what: string;
    readonly target: string;
    readonly error: number;
    readonly allowedHosts?: readonly string[];
    readonly application?: ApplicationOptions;
  }[] = [
    { what: "a destination that is not allowed", target: "http://127.0.0.1:9/", allowedHosts: [], error: 1 },
    {
      what: "a path, if the app may not ask itself",
      target: "/",
      allowedHosts: ["http://127.0.0.1:9"],
      error: 1,
    },
    { what: "what is no URL", target: "no url", error: 2 },
    { what: "a URL of another scheme", target: "ftp://127.0.0.1/", error: 2 },
    { what: "a server that is not there", target: "http://127.0.0.1:1/", error: 4 },
    {
      what: "one request too many",
      target: "http://127.0.0.1:1/",
      application: { network: { requestsMax: 0 } },
      error: 5,
    },
  ];
  for (const { what, target, error, allowedHosts = ANY, application = {} } of ERRORS) {
    test(`${source} is told error ${error} for ${what}`, async () => {
      using app = await start(source, { allowedHosts, application });
      const reply = await app.request("guest", "/", { headers: ["x-target", target] });
      assert.deepEqual([reply.status, reply.body], [502, `error ${error}\n`]);
    });
  }

  test(`${source} is told error 4 for an answer that is too large`, async () => {
    await using server = await serve((_request, response) => void response.end("x".repeat(1000)));
    using app = await start(source, { application: { network: { responseBytesMax: 999 } } });
    const reply = await app.request("guest", "/", { headers: ["x-target", server.origin] });
    assert.equal(reply.body, "error 4\n");
  });

  test(`${source} answers the same, and its server is asked once, wherever its call is replayed`, async () => {
    await using server = await serveEcho();
    for (let shiftAt = 0; shiftAt < 3; shiftAt++) {
      using app = await start(source, {
        application: { engine: { forcesShift: (hostCall) => hostCall === shiftAt } },
      });
      const reply = await app.request("guest", "/", { headers: ["x-target", server.origin] });
      assert.equal(reply.status, 207);
      assert.equal(server.count(), shiftAt + 1);
    }
  });
}

test("The operator is told what would allow a request that was denied", async () => {
  using app = await start("c/outbound", { allowedHosts: [] });
  await app.request("guest", "/", { headers: ["x-target", "https://example.com/path"] });
  assert.match(app.reports.join(), /Component "guest" may not connect to https:\/\/example\.com/);
  assert.match(app.reports.join(), /allowed_outbound_hosts = \["https:\/\/example\.com"\]/);
});

test("A guest that waits for a server keeps no other from running", async () => {
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using server = await serve(async (_request, response) => {
    arrive();
    await released;
    response.end("late");
  });
  using app = await TestApplication.start({
    waiting: { source: "c/outbound", allowedHosts: ANY },
    other: { source: "c/spin-b" },
  });
  const late = app.request("waiting", "/", { headers: ["x-target", server.origin] });
  await arrived;
  assert.equal((await app.request("other", "/bare")).body, "bare\n");
  release();
  assert.equal((await late).body, "late");
});

test("A guest whose client leaves while it waits is ended, its server hung up on, its slot not leaked", async () => {
  const { promise: hungUp, resolve } = Promise.withResolvers<void>();
  const abort = new AbortController();
  await using server = await serveRaw((socket) => {
    socket.on("close", () => resolve());
    socket.once("data", () => abort.abort());
  });
  using app = await start("c/outbound");
  const headers = ["x-target", server.origin];
  await assert.rejects(
    app.request("guest", "/", { headers, signal: abort.signal }),
    (error) => error instanceof TrapError && error.reason === "cancelled",
  );
  await hungUp;
  assert.equal((await app.request("guest", "/", { headers: ["x-target", "no url"] })).body, "error 2\n");
  const { live, free } = app.context.slots("guest");
  assert.equal(live, free);
});

test("A guest that waits longer than a call may take is ended, and its server hung up on", async () => {
  const { promise: hungUp, resolve } = Promise.withResolvers<void>();
  await using server = await serveRaw((socket) => {
    socket.on("data", () => undefined);
    socket.on("close", () => resolve());
  });
  using app = await start("c/outbound", { application: { limits: { wallTimeMs: 50 } } });
  await assert.rejects(
    app.request("guest", "/", { headers: ["x-target", server.origin] }),
    (error) => error instanceof TrapError && error.reason === "deadline",
  );
  await hungUp;
});

/** A handler that calls the import with given arguments. */
async function lyingGuest(name: string, args: string, realloc = "(i32.const 2048)"): Promise<string> {
  const params = "i32 ".repeat(11);
  const text = `(module
    (import "wasi-outbound-http" "request" (func $request (param ${params})))
    (memory (export "memory") 1)
    (data (i32.const 16) "http://127.0.0.1:1/")
    (func (export "canonical_abi_realloc") (param i32 i32 i32 i32) (result i32) ${realloc})
    (func (export "handle-http-request") (param ${"i32 ".repeat(10)}) (result i32)
      (call $request ${args}) (i32.store16 (i32.const 64) (i32.const 200)) (i32.const 64)))`;
  const file = join(directory, `${name}.wasm`);
  await writeFile(file, await assembleText(text));
  return file;
}

const FAR = "(i32.const -16)";
const ZERO = "(i32.const 0)";
const url = "(i32.const 16) (i32.const 19)";
const nothing = `${ZERO} ${ZERO}`;
const LIES = [
  {
    lie: "a method that does not exist",
    args: `(i32.const 7) ${url} ${nothing} ${nothing} ${ZERO} ${nothing} ${ZERO}`,
  },
  {
    lie: "a URL outside of memory",
    args: `${ZERO} ${FAR} (i32.const 100) ${nothing} ${nothing} ${ZERO} ${nothing} ${ZERO}`,
  },
  {
    lie: "headers outside of memory",
    args: `${ZERO} ${url} ${FAR} (i32.const 2) ${nothing} ${ZERO} ${nothing} ${ZERO}`,
  },
  {
    lie: "2^32 - 1 headers",
    args: `${ZERO} ${url} ${ZERO} (i32.const -1) ${nothing} ${ZERO} ${nothing} ${ZERO}`,
  },
  {
    lie: "a body outside of memory",
    args: `${ZERO} ${url} ${nothing} ${nothing} (i32.const 1) ${FAR} (i32.const 17) ${ZERO}`,
  },
  {
    lie: "a result outside of memory",
    args: `${ZERO} ${url} ${nothing} ${nothing} ${ZERO} ${nothing} (i32.const -1)`,
  },
];
for (const { lie, args } of LIES) {
  test(`A guest that gives its import ${lie} is ended`, async () => {
    using app = await start(await lyingGuest(lie.replaceAll(" ", "-"), args));
    await assert.rejects(app.request("guest", "/"), TrapError);
  });
}

test("A guest whose allocator fails once an answer has come is ended", async () => {
  await using server = await serveEcho();
  const args = `${ZERO} (i32.const 16) (i32.const 40) ${nothing} ${nothing} ${ZERO} ${nothing} ${ZERO}`;
  const file = join(directory, "failing-allocator.wasm");
  const target = server.origin.padEnd(40, "/");
  const text = `(module
    (import "wasi-outbound-http" "request" (func $request (param ${"i32 ".repeat(11)})))
    (memory (export "memory") 1)
    (global $asked (mut i32) (i32.const 0))
    (data (i32.const 16) "${target}")
    (func (export "canonical_abi_realloc") (param i32 i32 i32 i32) (result i32)
      (if (global.get $asked) (then unreachable)) (i32.const 2048))
    (func (export "handle-http-request") (param ${"i32 ".repeat(10)}) (result i32)
      (global.set $asked (i32.const 1)) (call $request ${args}) (i32.const 64)))`;
  await writeFile(file, await assembleText(text));
  using app = await start(file);
  await assert.rejects(
    app.request("guest", "/"),
    (error) => error instanceof TrapError && /unreachable/.test(error.message),
  );
  assert.equal(server.count(), 1);
});

// --- Service chaining.

test("A guest calls another component of its application without a network", async () => {
  using app = await TestApplication.start({
    front: { source: "c/outbound", allowedHosts: ["http://back.spin.internal"] },
    back: { source: "c/spin-b" },
  });
  const headers = ["x-target", "http://back.spin.internal/a/b?c=d", "x-forwarded", "yes"];
  const reply = await app.request("front", "/", { method: "POST", headers, body: "hello" });
  assert.equal(reply.status, 200);
  assert.deepEqual(reply.body.split("\n"), [
    "POST /a/b?c=d",
    "header x-forwarded: yes",
    "header spin-path-info: /a/b",
    "header spin-full-url: http://localhost/a/b?c=d",
    "header spin-matched-route: /...",
    "header spin-base-path: /",
    "header spin-raw-component-route: /...",
    "header spin-component-route: ",
    "header spin-client-addr: 0.0.0.0:0",
    "body 5",
    "",
  ]);
});

test("A guest calls a CGI program of its application", async () => {
  using app = await TestApplication.start({
    front: { source: "c/outbound", allowedHosts: ["https://*.spin.internal"] },
    back: { source: "c/wagi", executor: { type: "wagi" } },
  });
  const headers = ["x-target", "https://back.spin.internal/a?mode=status"];
  const reply = await app.request("front", "/", { headers });
  assert.deepEqual([reply.status, reply.body], [418, "short and stout\n"]);
});

test("A guest may not call a component that its manifest does not name", async () => {
  using app = await TestApplication.start({
    front: { source: "c/outbound", allowedHosts: ["http://other.spin.internal"] },
    back: { source: "c/spin-b" },
  });
  const reply = await app.request("front", "/", { headers: ["x-target", "http://back.spin.internal/"] });
  assert.equal(reply.body, "error 1\n");
});

test("A guest that calls a component which does not exist is ended", async () => {
  using app = await start("c/outbound", { allowedHosts: ["http://nobody.spin.internal"] });
  await assert.rejects(
    app.request("guest", "/", { headers: ["x-target", "http://nobody.spin.internal/"] }),
    (error) => error instanceof TrapError && /No component "nobody"/.test(error.message),
  );
});

test("A component that fails when it is called gives its caller a 500, and the operator the reason", async () => {
  using app = await TestApplication.start({
    front: { source: "c/outbound", allowedHosts: ["http://back.spin.internal"] },
    back: { source: "c/hostile" },
  });
  const headers = ["x-target", "http://back.spin.internal/unreachable"];
  const reply = await app.request("front", "/", { headers });
  assert.deepEqual([reply.status, reply.body], [500, ""]);
  assert.ok(app.failures[0] instanceof TrapError);
});

test("A component that calls itself for ever is stopped at a depth", async () => {
  // Every call sends one more request to the same component, with the headers that make it do so.
  const text = `(module
    (import "wasi-outbound-http" "request" (func $request (param ${"i32 ".repeat(11)})))
    (memory (export "memory") 2)
    (data (i32.const 16) "http://loop.spin.internal/")
    (global $next (mut i32) (i32.const 65536))
    (func (export "canonical_abi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
      (global.get $next)
      (global.set $next (i32.add (global.get $next) (i32.and (i32.add (local.get $size) (i32.const 7)) (i32.const -8)))))
    (func (export "handle-http-request") (param ${"i32 ".repeat(10)}) (result i32)
      (call $request ${ZERO} (i32.const 16) (i32.const 26) ${nothing} ${nothing} ${ZERO} ${nothing} (i32.const 128))
      (i32.store16 (i32.const 64) (i32.load16_u (i32.const 132))) (i32.const 64)))`;
  const file = join(directory, "loop.wasm");
  await writeFile(file, await assembleText(text));
  using app = await TestApplication.start({
    loop: { source: file, allowedHosts: ["http://loop.spin.internal"] },
  });
  const reply = await app.request("loop", "/");
  assert.equal(reply.status, 500);
  assert.equal(app.failures.length, 1, "The deepest fails, and the others pass its 500 on");
  assert.match(String(app.failures[0]), /More than 16 components wait for each other/);
});

// --- wasi_experimental_http.

const EXPERIMENTAL = "c/experimental-http";

test(`${EXPERIMENTAL} reads status, headers and body piece by piece`, async () => {
  await using server = await serve((request, response) => {
    assert.deepEqual([request.headers["x-one"], request.headers["x-two"]], ["1", "2"]);
    response.sendDate = false;
    response.writeHead(203, ["Set-Cookie", "a", "Set-Cookie", "b", "x-utf8", "\xe9", "connection", "close"]);
    response.end("é🦀".repeat(400));
  });
  // Only the host counts: neither scheme nor port do.
  using app = await start(EXPERIMENTAL, { allowedHosts: ["https://127.0.0.1"] });
  const reply = await app.request("guest", "/", {
    method: "POST",
    headers: ["x-target", server.origin],
    body: "hi",
  });
  assert.equal(
    reply.body,
    `203\nset-cookie:a\nset-cookie:b\nconnection:close\ntransfer-encoding:chunked\n\n${"é🦀".repeat(400)}`,
  );
});

test(`${EXPERIMENTAL} reads one header, whatever the case of its name`, async () => {
  await using server = await serve(
    (_request, response) => void response.writeHead(200, { "X-Name": "value" }).end(),
  );
  using app = await start(EXPERIMENTAL);
  const headers = ["x-target", server.origin, "x-name", "x-NAME"];
  assert.equal((await app.request("guest", "/header", { headers })).body, "value");
});

test(`${EXPERIMENTAL} opens and closes responses as often as it wants`, async () => {
  await using server = await serve((_request, response) => void response.end("x"));
  using app = await start(EXPERIMENTAL);
  const headers = ["x-target", server.origin, "x-times", "100"];
  assert.equal((await app.request("guest", "/", { headers })).status, 200);
});

const EXPERIMENTAL_ERRORS = [
  { path: "/closed", error: 1, because: "the response was closed" },
  { path: "/handle", error: 1, because: "there never was such a response" },
  { path: "/lies", error: 3, because: "the pointers are outside of memory" },
  { path: "/small", error: 4, because: "the buffer is too small" },
  { path: "/header", error: 5, because: "there is no such header" },
  { path: "/method", error: 8, because: "there is no such method" },
  { path: "/leak", error: 13, because: "too many responses are open" },
];
for (const { path, error, because } of EXPERIMENTAL_ERRORS) {
  test(`${EXPERIMENTAL} is told error ${error} for ${path}: ${because}`, async () => {
    await using server = await serve((_request, response) => void response.end("x"));
    using app = await start(EXPERIMENTAL);
    const headers = [
      "x-target",
      server.origin,
      "x-name",
      "x-absent",
      "x-times",
      path === "/leak" ? "65" : "1",
    ];
    assert.equal((await app.request("guest", path, { headers })).body, `error ${error}\n`);
  });
}

const EXPERIMENTAL_TARGETS = [
  { target: "http://127.0.0.2:9/", error: 7, because: "the host is not allowed" },
  { target: "no url", error: 10, because: "it is no URL" },
  { target: "/path", error: 10, because: "this interface has no requests to the app itself" },
  { target: "http://127.0.0.1:1/", error: 11, because: "nobody listens there" },
];
for (const { target, error, because } of EXPERIMENTAL_TARGETS) {
  test(`${EXPERIMENTAL} is told error ${error} for ${target}: ${because}`, async () => {
    using app = await start(EXPERIMENTAL, { allowedHosts: ["http://127.0.0.1", "http://self"] });
    assert.equal(
      (await app.request("guest", "/", { headers: ["x-target", target] })).body,
      `error ${error}\n`,
    );
  });
}

test(`${EXPERIMENTAL} is told error 12 for an answer that is too large`, async () => {
  await using server = await serve((_request, response) => void response.end("x".repeat(1000)));
  using app = await start(EXPERIMENTAL, { application: { network: { responseBytesMax: 999 } } });
  assert.equal(
    (await app.request("guest", "/", { headers: ["x-target", server.origin] })).body,
    "error 12\n",
  );
});
