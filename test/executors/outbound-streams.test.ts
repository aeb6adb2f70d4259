// Outbound requests whose bodies are on their way, as OutboundHttp opens them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { BytePipe } from "../../src/bytes/mod.ts";
import { AllowedHosts } from "../../src/manifest/mod.ts";
import {
  OutboundError,
  OutboundHttp,
  OutboundNetwork,
  type StreamedRequest,
  type StreamedResponse,
} from "../../src/outbound/mod.ts";
import { readAll, serve, serveRaw } from "./servers.ts";

class Client implements Disposable {
  readonly network = new OutboundNetwork({ report() {} });
  readonly abort = new AbortController();
  readonly http = new OutboundHttp(this.network, {
    id: "api",
    allowedHosts: AllowedHosts.parse(["*://*:*"]),
  });

  open(request: Partial<StreamedRequest> & { readonly url: string }): Promise<StreamedResponse> {
    const whole = { method: "GET", headers: [], body: BytePipe.of(new Uint8Array()), ...request };
    return this.http.open(whole, { call: undefined, signal: this.abort.signal });
  }

  [Symbol.dispose](): void {
    this.network[Symbol.dispose]();
  }
}

async function textOf(body: BytePipe): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

/** Waits until the pipe has something to read, or has ended. */
async function readable(pipe: BytePipe): Promise<void> {
  if (pipe.held > 0 || pipe.state !== "flowing") return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const leave = pipe.onReadable(resolve);
  await promise;
  leave();
}

test("OutboundHttp.open() sends what is written as it is written, and gives what comes as it comes", async () => {
  await using server = await serve((request, response) => {
    request.on("data", (piece) => response.write(piece));
    request.on("end", () => response.end());
  });
  using client = new Client();
  const body = new BytePipe();
  body.write(Buffer.from("first"));
  const response = await client.open({ method: "POST", url: server.origin, body });
  await readable(response.body);
  assert.equal(Buffer.from(response.body.read() ?? []).toString(), "first");
  body.write(Buffer.from("second 🦀"));
  body.end();
  assert.equal(await textOf(response.body), "second 🦀");
});

const BODIES = [
  {
    because: "a body that is all there has its length",
    body: () => BytePipe.of(Buffer.from("hello")),
    headers: [],
    sent: { length: "5", encoding: undefined },
  },
  {
    because: "an empty body of a GET is none",
    method: "GET",
    body: () => BytePipe.of(new Uint8Array()),
    headers: [],
    sent: { length: undefined, encoding: undefined },
  },
  {
    because: "a body that is not all there goes in chunks",
    body: later,
    headers: [],
    sent: { length: undefined, encoding: "chunked" },
  },
  {
    because: "a length that the guest has promised is kept",
    body: later,
    headers: ["Content-Length", "5"],
    sent: { length: "5", encoding: undefined },
  },
  {
    because: "methods that mostly have no body may have one",
    method: "DELETE",
    body: later,
    headers: [],
    sent: { length: undefined, encoding: "chunked" },
  },
];

function later(): BytePipe {
  const pipe = new BytePipe();
  setImmediate(() => {
    pipe.write(Buffer.from("hello"));
    pipe.end();
  });
  return pipe;
}

for (const { because, method = "POST", body, headers, sent } of BODIES) {
  test(`OutboundHttp.open() frames a body as it must: ${because}`, async () => {
    await using server = await serve(async (request, response) => {
      const { "content-length": length, "transfer-encoding": encoding } = request.headers;
      response.end(JSON.stringify({ length, encoding, body: await readAll(request) }));
    });
    using client = new Client();
    const response = await client.open({ method, url: server.origin, headers, body: body() });
    const { body: received, ...framing } = JSON.parse(await textOf(response.body));
    assert.deepEqual(framing, JSON.parse(JSON.stringify(sent)));
    assert.equal(received, method === "GET" ? "" : "hello");
  });
}

test("OutboundHttp.open() passes trailers both ways", async () => {
  await using server = await serve(async (request, response) => {
    await readAll(request);
    response.writeHead(200, { trailer: "x-end" });
    response.write("body");
    response.addTrailers({ "X-End": request.trailers["x-start"] ?? "none" });
    response.end();
  });
  using client = new Client();
  const body = new BytePipe();
  const opened = client.open({ method: "POST", url: server.origin, body });
  body.write(Buffer.from("x"));
  body.end(["x-start", "1"]);
  const response = await opened;
  assert.equal(await textOf(response.body), "body");
  assert.deepEqual(response.body.trailers, ["x-end", "1"]);
});

test("OutboundHttp.open() does not read on while nobody takes the answer", async () => {
  const PIECE = Buffer.alloc(64 * 1024);
  let written = 0;
  const { promise: full, resolve } = Promise.withResolvers<void>();
  await using server = await serve((_, response) => {
    for (let i = 0; i < 200; i++) {
      written++;
      if (!response.write(PIECE)) break;
    }
    // The kernel takes some more; then no drain comes before the client reads on.
    const goOn = () => {
      while (written < 400 && response.write(PIECE)) written++;
      if (written < 400) response.once("drain", goOn);
      else response.end();
    };
    response.once("drain", goOn);
    setTimeout(resolve, 100);
  });
  using client = new Client();
  const response = await client.open({ url: server.origin });
  await full;
  assert.ok(response.body.held <= 2 * response.body.capacity, String(response.body.held));
  assert.ok(written < 400, "the server was held back");
  response.body.cancel();
});

test("OutboundHttp.open() hangs up when the answer is not wanted to its end", async () => {
  const { promise: hungUp, resolve } = Promise.withResolvers<void>();
  await using server = await serveRaw((socket) => {
    socket.on("close", () => resolve());
    socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"));
  });
  using client = new Client();
  const response = await client.open({ url: server.origin });
  response.body.cancel();
  await hungUp;
});

test("OutboundHttp.open() tells the writer of a body when nobody takes it any more", async () => {
  await using server = await serveRaw((socket) => socket.once("data", () => socket.resetAndDestroy()));
  using client = new Client();
  const body = new BytePipe();
  await assert.rejects(client.open({ method: "POST", url: server.origin, body }), OutboundError);
  assert.equal(body.isCancelled, true);
});

test("OutboundHttp.open() breaks the request off when its body is broken off", async () => {
  const { promise: hungUp, resolve } = Promise.withResolvers<void>();
  const body = new BytePipe();
  await using server = await serveRaw((socket) => {
    socket.on("close", () => resolve());
    socket.on("data", () => body.fail(new Error("trapped")));
  });
  using client = new Client();
  const opened = client.open({ method: "POST", url: server.origin, body });
  body.write(Buffer.from("half"));
  await assert.rejects(opened, /broken off/);
  await hungUp;
});

test("OutboundHttp.open() fails the body of an answer that ends early, or comes too slowly", async () => {
  await using early = await serveRaw((socket) => {
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"));
  });
  await using slow = await serveRaw((socket) => {
    socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"));
  });
  using client = new Client();
  const short = await client.open({ url: early.origin });
  await assert.rejects(textOf(short.body), { name: "OutboundError", fault: "connection" });
  const waiting = await client.open({ url: slow.origin, timeouts: { betweenBytesMs: 20 } });
  await assert.rejects(textOf(waiting.body), { name: "OutboundError", fault: "read-timeout" });
});

test("OutboundHttp.open() gives a redirect as the answer that it is", async () => {
  await using server = await serve((_, response) => response.writeHead(302, { location: "/x" }).end());
  using client = new Client();
  assert.equal((await client.open({ url: server.origin })).status, 302);
});

test("OutboundHttp.open() gives bodies to and from another component without a socket", async () => {
  using client = new Client();
  client.network.attach({
    origin: "http://127.0.0.1:9",
    chain: async (_, { body }) => ({ status: 200, headers: [], body }),
  });
  const body = new BytePipe();
  const response = await client.open({ method: "POST", url: "http://back.spin.internal/", body });
  body.write(Buffer.from("as it comes"));
  await readable(response.body);
  assert.equal(Buffer.from(response.body.read() ?? []).toString(), "as it comes");
  body.end();
  assert.equal(response.body.state, "ended");
});

test("OutboundHttp.open() uses a connection again, and counts a request until its answer is over", async () => {
  const ports = new Set<number | undefined>();
  await using server = await serve((request, response) => {
    ports.add(request.socket.remotePort);
    response.end("x");
  });
  const network = new OutboundNetwork({ report() {}, requestsMax: 1 });
  using _ = network;
  const client = new OutboundHttp(network, { id: "api", allowedHosts: AllowedHosts.parse(["*://*:*"]) });
  const options = { call: undefined, signal: new AbortController().signal };
  for (let i = 0; i < 3; i++) {
    const request = { method: "GET", url: server.origin, headers: [], body: BytePipe.of(new Uint8Array()) };
    const { body } = await client.open(request, options);
    assert.equal(await textOf(body), "x");
    await new Promise(setImmediate);
  }
  assert.equal(ports.size, 1);
});
