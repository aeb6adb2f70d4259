// Outbound requests as OutboundHttp sends them, against servers that behave and servers that do not.

import assert from "node:assert/strict";
import type http from "node:http";
import { test } from "node:test";
import { AllowedHosts } from "../../src/manifest/mod.ts";
import {
  BlockedNetworks,
  OutboundError,
  type OutboundFault,
  OutboundHttp,
  OutboundNetwork,
  type OutboundNetworkOptions,
  type OutboundRequest,
  type OutboundResponse,
} from "../../src/outbound/mod.ts";
import { CERTIFICATE } from "./certificate.ts";
import { readAll, serve, serveRaw, serveTls } from "./servers.ts";

/** A component that may reach `allowed`, and what its operator is told. */
class Client implements Disposable {
  readonly network: OutboundNetwork;
  readonly reports: string[] = [];
  readonly http: OutboundHttp;

  constructor(allowed: readonly string[], options: Omit<OutboundNetworkOptions, "report"> = {}) {
    this.network = new OutboundNetwork({ ...options, report: (text) => void this.reports.push(text) });
    this.http = new OutboundHttp(this.network, { id: "api", allowedHosts: AllowedHosts.parse(allowed) });
  }

  send(
    request: Partial<OutboundRequest> & { readonly url: string },
    signal?: AbortSignal,
  ): Promise<OutboundResponse> {
    const whole = { method: "GET", headers: [], body: new Uint8Array(), ...request };
    return this.http.send(whole, { call: undefined, signal: signal ?? new AbortController().signal });
  }

  async fails(
    fault: OutboundFault,
    request: Parameters<Client["send"]>[0],
    signal?: AbortSignal,
  ): Promise<OutboundError> {
    const error: unknown = await this.send(request, signal).then(
      ({ status }) => assert.fail(`It was answered with ${status}`),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof OutboundError, String(error));
    assert.equal(error.fault, fault, error.message);
    return error;
  }

  [Symbol.dispose](): void {
    this.network[Symbol.dispose]();
  }
}

const ANY = ["*://*:*"];
const text = ({ body }: OutboundResponse) => Buffer.from(body).toString();

/** Answers with what it was asked. */
const echo: http.RequestListener = async (request, response) => {
  const body = await readAll(request);
  response.end(
    JSON.stringify({ method: request.method, url: request.url, headers: request.rawHeaders, body }),
  );
};

test("OutboundHttp.send() sends method, path, query, headers and body as they are", async () => {
  await using server = await serve(echo);
  using client = new Client(ANY);
  const headers = ["X-A", "1", "x-a", "2", "x-utf8", Buffer.from("é").toString("latin1")];
  const response = await client.send({
    method: "POST",
    url: `${server.origin}/a%20b/é?x=1&y#hash`,
    headers,
    body: Buffer.from("hello 🦀"),
  });
  assert.equal(response.status, 200);
  assert.deepEqual(JSON.parse(text(response)), {
    method: "POST",
    url: "/a%20b/%C3%A9?x=1&y",
    headers: [
      "host",
      `127.0.0.1:${server.port}`,
      ...headers,
      "content-length",
      "10",
      "Connection",
      "keep-alive",
    ],
    body: "hello 🦀",
  });
});

test("OutboundHttp.send() gives headers with names in lower case, repeated ones repeated", async () => {
  await using server = await serve((_request, response) => {
    response.writeHead(207, ["Set-Cookie", "a", "set-cookie", "b", "X-E", "v"]);
    response.end("x");
  });
  using client = new Client(ANY);
  const { status, headers } = await client.send({ url: server.origin });
  assert.equal(status, 207);
  assert.deepEqual(headers.slice(0, 6), ["set-cookie", "a", "set-cookie", "b", "x-e", "v"]);
});

const CONNECTION_HEADERS = [
  "Host",
  "Connection",
  "Content-Length",
  "transfer-encoding",
  "upgrade",
  "expect",
  "te",
];
for (const name of CONNECTION_HEADERS) {
  test(`OutboundHttp.send() does not let a guest set ${name}`, async () => {
    await using server = await serve(echo);
    using client = new Client(ANY);
    const response = await client.send({
      method: "POST",
      url: server.origin,
      headers: [name, "evil"],
      body: Buffer.from("x"),
    });
    assert.doesNotMatch(text(response), /evil/);
    assert.match(text(response), /"body":"x"/);
  });
}

for (const header of [
  ["x y", "v"],
  ["x", "a\r\nb: c"],
  ["", "v"],
  ["x", "€"],
]) {
  test(`OutboundHttp.send() refuses the header ${JSON.stringify(header)}`, async () => {
    using client = new Client(ANY);
    await client.fails("invalid-request", { url: "http://127.0.0.1:9/", headers: header });
  });
}

for (const url of [
  "",
  "example.com",
  "http://",
  "http://a b/",
  "ftp://example.com/",
  "file:///etc/passwd",
  "http://[::1",
]) {
  test(`OutboundHttp.send() refuses "${url}", which is no URL of HTTP`, async () => {
    using client = new Client(ANY);
    await client.fails("invalid-url", { url });
  });
}

test("OutboundHttp.send() tells the operator what would allow a request that is not allowed", async () => {
  using client = new Client(["https://example.com"]);
  await client.fails("destination-not-allowed", { url: "http://other.example:8080/path" });
  assert.deepEqual(client.reports, [
    'Component "api" may not connect to http://other.example:8080: its manifest does not allow it.\n' +
      `To allow this request, add 'allowed_outbound_hosts = ["http://other.example:8080"]' to the manifest component section.`,
  ]);
});

test('OutboundHttp.send() tells how to call the application itself where a guest takes "self" for a host', async () => {
  using client = new Client(["http://self"]);
  await client.fails("destination-not-allowed", { url: "http://self/path" });
  assert.deepEqual(client.reports, [
    'Component "api" may not connect to http://self: "self" is a word of manifests, and no host.\n' +
      "To call the application itself, ask for the path alone, or for http://self.alt and the path, " +
      `and add 'allowed_outbound_hosts = ["http://self"]' to the manifest component section.`,
  ]);
});

const ALLOWED = [
  { allowed: "http://127.0.0.1:PORT", ok: true },
  { allowed: "*://127.0.0.0/8:PORT", ok: true },
  { allowed: "http://127.0.0.1", ok: false },
  { allowed: "https://127.0.0.1:PORT", ok: false },
  { allowed: "http://localhost:PORT", ok: false },
];
for (const { allowed, ok } of ALLOWED) {
  test(`OutboundHttp.send() ${ok ? "reaches" : "does not reach"} 127.0.0.1:PORT by ${allowed}`, async () => {
    await using server = await serve(echo);
    using client = new Client([allowed.replace("PORT", String(server.port))]);
    if (ok) assert.equal((await client.send({ url: server.origin })).status, 200);
    else await client.fails("destination-not-allowed", { url: server.origin });
  });
}

test("OutboundHttp.byHost allows every scheme and port of an allowed host, and no other host", async () => {
  await using server = await serve(echo);
  using client = new Client(["https://127.0.0.1"]);
  const request = { method: "GET", headers: [], body: new Uint8Array() };
  const options = { call: undefined, signal: new AbortController().signal };
  assert.equal((await client.http.byHost.send({ ...request, url: server.origin }, options)).status, 200);
  await assert.rejects(
    client.http.byHost.send({ ...request, url: "http://127.0.0.2/" }, options),
    OutboundError,
  );
});

test("OutboundHttp.send() sends user and password of a URL as a header, and not in the URL", async () => {
  await using server = await serve(echo);
  using client = new Client(ANY);
  const url = `http://m%C3%A9:p%40ss@127.0.0.1:${server.port}/`;
  const sent = JSON.parse(text(await client.send({ url })));
  const at = sent.headers.indexOf("authorization");
  assert.equal(sent.headers[at + 1], `Basic ${Buffer.from("mé:p@ss").toString("base64")}`);
});

const REDIRECTS = [
  { status: 301, method: "POST", expected: { method: "GET", body: "" } },
  { status: 302, method: "PUT", expected: { method: "GET", body: "" } },
  { status: 303, method: "POST", expected: { method: "GET", body: "" } },
  { status: 302, method: "HEAD", expected: { method: "HEAD", body: undefined } },
  { status: 307, method: "POST", expected: { method: "POST", body: "x" } },
  { status: 308, method: "PUT", expected: { method: "PUT", body: "x" } },
];
for (const { status, method, expected } of REDIRECTS) {
  test(`OutboundHttp.send() follows a ${status} of a ${method} with a ${expected.method}`, async () => {
    const methods: (string | undefined)[] = [];
    await using server = await serve((request, response) => {
      methods.push(request.method);
      if (request.url === "/end") return echo(request, response);
      response.writeHead(status, { location: "end" }).end();
    });
    using client = new Client(ANY);
    const headers = ["content-type", "text/x", "authorization", "secret"];
    const response = await client.send({
      method,
      url: `${server.origin}/start`,
      headers,
      body: Buffer.from("x"),
    });
    assert.equal(response.status, 200);
    assert.deepEqual(methods, [method, expected.method]);
    if (expected.body === undefined) return;
    const sent = JSON.parse(text(response));
    assert.equal(sent.body, expected.body);
    assert.equal(sent.headers.includes("text/x"), expected.method !== "GET");
    assert.ok(sent.headers.includes("secret"), "The same origin may know");
  });
}

test("OutboundHttp.send() does not carry secrets along to another origin", async () => {
  await using other = await serve(echo);
  await using server = await serve((_request, response) => {
    response.writeHead(307, { location: `${other.origin}/` }).end();
  });
  using client = new Client(ANY);
  const headers = ["Authorization", "secret", "cookie", "secret", "x-open", "open"];
  const sent = text(await client.send({ url: server.origin, headers }));
  assert.doesNotMatch(sent, /secret/);
  assert.match(sent, /open/);
});

test("OutboundHttp.send() checks the destination of a redirect against the allow-list", async () => {
  await using server = await serve((_request, response) => {
    response.writeHead(302, { location: "http://169.254.169.254/latest" }).end();
  });
  using client = new Client([server.origin]);
  await client.fails("destination-not-allowed", { url: server.origin });
  assert.match(client.reports[0] ?? "", /http:\/\/169\.254\.169\.254/);
});

test("OutboundHttp.send() does not wait for the body of a redirect", async () => {
  const { promise: hungUp, resolve } = Promise.withResolvers<void>();
  await using server = await serve((request, response) => {
    if (request.url === "/end") return void response.end("here");
    response.on("close", resolve);
    response.writeHead(302, { location: "/end" }).write("for ever");
  });
  using client = new Client(ANY);
  assert.equal(text(await client.send({ url: server.origin })), "here");
  await hungUp;
});

for (const location of ["", "ftp://example.com/", "http://a b/"]) {
  test(`OutboundHttp.send() does not follow a redirect to "${location}" out of HTTP`, async () => {
    let requests = 0;
    await using server = await serve((_request, response) => {
      requests++;
      response.writeHead(302, location === "" ? {} : { location }).end("as it is");
    });
    using client = new Client(ANY);
    const outcome = await client.send({ url: server.origin }).catch((error: unknown) => error);
    assert.ok(outcome instanceof OutboundError ? outcome.fault === "invalid-url" : requests === 1);
  });
}

for (const { redirects, ok } of [
  { redirects: 10, ok: true },
  { redirects: 11, ok: false },
]) {
  test(`OutboundHttp.send() ${ok ? "follows" : "does not follow"} ${redirects} redirects`, async () => {
    await using server = await serve((request, response) => {
      const left = Number(request.url?.slice(1));
      if (left === 0) response.end("here");
      else response.writeHead(302, { location: `/${left - 1}` }).end();
    });
    using client = new Client(ANY);
    const request = { url: `${server.origin}/${redirects}` };
    if (ok) assert.equal(text(await client.send(request)), "here");
    else await client.fails("too-many-redirects", request);
  });
}

for (const { bytes, ok } of [
  { bytes: 1000, ok: true },
  { bytes: 1001, ok: false },
]) {
  test(`OutboundHttp.send() ${ok ? "takes" : "refuses"} a response of ${bytes} bytes at a limit of 1000`, async () => {
    // No header says how long the body is: it ends where the connection does.
    const answer = `HTTP/1.1 200 OK\r\n\r\n${"x".repeat(bytes)}`;
    await using server = await serveRaw((socket) => {
      socket.once("data", () => socket.end(answer));
    });
    using client = new Client(ANY, { responseBytesMax: 1000 });
    if (ok) assert.equal((await client.send({ url: server.origin })).body.length, bytes);
    else await client.fails("response-too-large", { url: server.origin });
  });
}

test("OutboundHttp.send() counts headers as part of the response", async () => {
  await using server = await serveRaw((socket) => {
    socket.once("data", () => socket.end(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(1000)}\r\n\r\n`));
  });
  using client = new Client(ANY, { responseBytesMax: 1000 });
  await client.fails("response-too-large", { url: server.origin });
});

test("OutboundHttp.send() stops at an endless response, and hangs up", async () => {
  const { promise: hungUp, resolve } = Promise.withResolvers<void>();
  await using server = await serve((_request, response) => {
    response.on("close", resolve);
    const more = () => {
      while (response.write("x".repeat(65536)));
    };
    response.on("drain", more);
    more();
  });
  using client = new Client(ANY, { responseBytesMax: 1_000_000 });
  await client.fails("response-too-large", { url: server.origin });
  await hungUp;
});

const BROKEN = [
  { answer: "", because: "it says nothing and hangs up" },
  { answer: "SSH-2.0-OpenSSH\r\n", because: "it is not HTTP" },
  { answer: "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", because: "its body ends early" },
  { answer: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", because: "its chunks are broken" },
  { answer: `HTTP/1.1 200 OK\r\nx: ${"y".repeat(70_000)}\r\n\r\n`, because: "its head is too large" },
  {
    answer: "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    because: "it upgrades",
  },
];
for (const { answer, because } of BROKEN) {
  test(`OutboundHttp.send() tells a failed connection to a server if ${because}`, async () => {
    await using server = await serveRaw((socket) => {
      socket.once("data", () => socket.end(answer, "latin1"));
    });
    using client = new Client(ANY);
    await client.fails("connection", { url: server.origin });
  });
}

test("OutboundHttp.send() tells a failed connection if the server resets it", async () => {
  await using server = await serveRaw((socket) => socket.once("data", () => socket.resetAndDestroy()));
  using client = new Client(ANY);
  await client.fails("connection", { url: server.origin });
});

test("OutboundHttp.send() tells that nobody listens, and that no such host is known", async () => {
  const server = await serve(echo);
  await server[Symbol.asyncDispose]();
  using client = new Client(ANY);
  await client.fails("connection-refused", { url: server.origin });
  await client.fails("name-unknown", { url: "http://host.invalid/" });
});

const TIMEOUTS = [
  { timeouts: { firstByteMs: 30 }, answer: "", what: "for the head" },
  {
    timeouts: { betweenBytesMs: 30 },
    answer: "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
    what: "for the rest of a body",
  },
];
for (const { timeouts, answer, what } of TIMEOUTS) {
  test(`OutboundHttp.send() does not wait for ever ${what}`, async () => {
    const { promise: hungUp, resolve } = Promise.withResolvers<void>();
    await using server = await serveRaw((socket) => {
      socket.on("close", () => resolve());
      socket.once("data", () => socket.write(answer));
    });
    using client = new Client(ANY, { timeouts });
    await client.fails("read-timeout", { url: server.origin });
    await hungUp;
  });
}

test("OutboundHttp.send() speaks TLS with a server that it trusts, under the name that it trusts", async () => {
  await using server = await serveTls(echo);
  using trusting = new Client(ANY, { certificates: [CERTIFICATE] });
  for (let i = 0; i < 2; i++) {
    assert.equal((await trusting.send({ url: `https://localhost:${server.port}/` })).status, 200);
  }
  await trusting.fails("tls", { url: `https://127.0.0.1:${server.port}/` });
  using careful = new Client(ANY);
  await careful.fails("tls", { url: `https://localhost:${server.port}/` });
});

test("OutboundHttp.send() does not wait for ever for a connection", async () => {
  // TLS is part of connecting, and this server never says a word of it.
  await using server = await serveRaw(() => undefined);
  using client = new Client(ANY, { timeouts: { connectMs: 30 } });
  await client.fails("connect-timeout", { url: `https://127.0.0.1:${server.port}/` });
});

for (const answer of ["", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"]) {
  test(`OutboundHttp.send() hangs up when its call is over, ${answer ? "in the middle of a body" : "before a head"}`, async () => {
    const { promise: hungUp, resolve } = Promise.withResolvers<void>();
    const abort = new AbortController();
    await using server = await serveRaw((socket) => {
      socket.on("close", () => resolve());
      socket.once("data", () => {
        socket.write(answer);
        setTimeout(() => abort.abort(), 10);
      });
    });
    using client = new Client(ANY);
    await client.fails("connection", { url: server.origin }, abort.signal);
    await hungUp;
  });
}

test("OutboundHttp.send() sends nothing for a call that is over", async () => {
  using client = new Client(ANY);
  await client.fails("connection", { url: "http://127.0.0.1:9/" }, AbortSignal.abort());
});

test("OutboundHttp.send() refuses more requests than may be under way, and forgets those that are over", async () => {
  const waiting: http.ServerResponse[] = [];
  const { promise: bothArrived, resolve } = Promise.withResolvers<void>();
  await using server = await serve((request, response) => {
    if (request.url !== "/wait") return void response.end();
    if (waiting.push(response) === 2) resolve();
  });
  using client = new Client(ANY, { requestsMax: 2 });
  const url = `${server.origin}/wait`;
  const both = [client.send({ url }), client.send({ url })];
  await bothArrived;
  await client.fails("too-many-requests", { url: server.origin });
  for (const response of waiting) response.end();
  await Promise.all(both);
  assert.equal((await client.send({ url: server.origin })).status, 200);
});

test("OutboundHttp.send() hangs up on a server that answers without reading what it is sent", async () => {
  const { promise: hungUp, resolve } = Promise.withResolvers<void>();
  await using server = await serveRaw((socket) => {
    socket.on("close", () => resolve());
    socket.once("data", () => {
      socket.pause();
      socket.write("HTTP/1.1 413 Content Too Large\r\ncontent-length: 1\r\n\r\nx", () => socket.resume());
    });
  });
  using client = new Client(ANY);
  const body = new Uint8Array(64 * 1024 * 1024);
  assert.equal((await client.send({ method: "POST", url: server.origin, body })).status, 413);
  await hungUp;
});

test("OutboundHttp.send() uses a connection again", async () => {
  const ports = new Set<number | undefined>();
  await using server = await serve((request, response) => {
    ports.add(request.socket.remotePort);
    response.end("x");
  });
  using client = new Client(ANY);
  for (let i = 0; i < 3; i++) await client.send({ url: server.origin });
  assert.equal(ports.size, 1);
});

/** Answers the first request of each connection, and hangs up at the second. */
function serveOnce() {
  return serveRaw((socket) => {
    socket.once("data", () => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx");
      socket.once("data", () => socket.resetAndDestroy());
    });
  });
}

test("OutboundHttp.send() sends a GET again if a kept connection turns out to be closed", async () => {
  await using server = await serveOnce();
  using client = new Client(ANY);
  for (let i = 0; i < 3; i++) assert.equal(text(await client.send({ url: server.origin })), "x");
});

test("OutboundHttp.send() does not send a POST twice", async () => {
  await using server = await serveOnce();
  using client = new Client(ANY);
  await client.send({ url: server.origin });
  await client.fails("connection", { method: "POST", url: server.origin });
});

test("OutboundHttp.send() does not connect to a blocked address, however it is written", async () => {
  await using server = await serve(echo);
  using client = new Client(ANY, { blocked: new BlockedNetworks({ private: true }) });
  for (const host of ["127.0.0.1", "127.1", "0x7f000001", "[::ffff:127.0.0.1]", "[::1]", "localhost"]) {
    await client.fails("destination-blocked", { url: `http://${host}:${server.port}/` });
  }
});

test("OutboundHttp.send() does not follow a redirect to a blocked address", async () => {
  await using server = await serve((_request, response) => {
    response.writeHead(302, { location: "http://127.0.0.2/" }).end();
  });
  using client = new Client(ANY, { blocked: new BlockedNetworks({ networks: ["127.0.0.2"] }) });
  await client.fails("destination-blocked", { url: server.origin });
});

test("OutboundHttp.send() sends a path to the app itself if the manifest allows that", async () => {
  await using server = await serve(echo);
  using client = new Client(["http://self"], { blocked: new BlockedNetworks({ private: true }) });
  client.network.attach({ origin: server.origin, chain: () => assert.fail("Nothing is chained") });
  for (const url of ["/a?b", "http://self.alt/a?b"]) {
    assert.equal(JSON.parse(text(await client.send({ url }))).url, "/a?b");
  }
  assert.equal(JSON.parse(text(await client.send({ url: "//example.com/" }))).url, "//example.com/");
});

test("OutboundHttp.send() follows a redirect within the app itself", async () => {
  await using server = await serve((request, response) => {
    if (request.url === "/new") response.end("here");
    else response.writeHead(301, { location: "/new" }).end();
  });
  using client = new Client(["http://self"]);
  client.network.attach({ origin: server.origin, chain: () => assert.fail("Nothing is chained") });
  assert.equal(text(await client.send({ url: "/old" })), "here");
});

test("OutboundHttp.send() does not send to the app itself unless the manifest says so", async () => {
  using client = new Client(["http://127.0.0.1:3000"]);
  client.network.attach({ origin: "http://127.0.0.1:3000", chain: () => assert.fail("Nothing is chained") });
  for (const url of ["/", "http://self.alt/"]) await client.fails("destination-not-allowed", { url });
  assert.match(client.reports[0] ?? "", /allowed_outbound_hosts = \["http:\/\/self"\]/);
});

test("OutboundHttp.send() has nowhere to send to the app itself before it listens", async () => {
  using client = new Client(["http://self"]);
  await client.fails("invalid-url", { url: "/" });
});

test("OutboundHttp.send() gives a request to another component to the listener, redirects included", async () => {
  using client = new Client(["https://back.spin.internal"]);
  const asked: unknown[] = [];
  client.network.attach({
    origin: "http://127.0.0.1:9",
    chain: async (componentId, { method, target, headers, body }, { call }) => {
      assert.ok(body instanceof Uint8Array);
      asked.push({ componentId, method, target, headers, body: Buffer.from(body).toString(), call });
      return { status: 302, headers: ["location", "/x"], body: Buffer.from("as it is") };
    },
  });
  const request = {
    method: "PUT",
    url: "https://back.spin.internal/a?b",
    headers: ["x-a", "1", "Host", "evil", "Content-Length", "99"],
    body: Buffer.from("x"),
  };
  const response = await client.send(request);
  assert.deepEqual([response.status, text(response)], [302, "as it is"]);
  const headers = ["x-a", "1"];
  assert.deepEqual(asked, [
    { componentId: "back", method: "PUT", target: "/a?b", headers, body: "x", call: undefined },
  ]);
  await client.fails("destination-not-allowed", { url: "http://front.spin.internal/" });
});

test("OutboundNetwork, when disposed, leaves no connection open", async () => {
  const server = await serveRaw((socket) => {
    socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx"));
    socket.once("close", () => closed.resolve());
  });
  const closed = Promise.withResolvers<void>();
  await using _ = server;
  const client = new Client(ANY);
  await client.send({ url: server.origin });
  client[Symbol.dispose]();
  await closed.promise;
});
