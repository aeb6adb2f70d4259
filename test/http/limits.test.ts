// Each limit at, under and over: what is over gets an answer, and nothing of it stays.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { HttpReply } from "../../src/trigger/mod.ts";
import { bodyOf, get, RawClient, request, statusOf } from "./raw-client.ts";
import { constant, eventually, executor, serveRoutes, settled, text } from "./serve.ts";

const HEAD = "HTTP/1.1\r\nHost: a\r\n";
const echo = executor((_, __, body) => text(`got ${body.length}`));

/** An executor that answers when it is told to. */
function gate() {
  const waiting: (() => void)[] = [];
  return {
    executor: executor(
      ({ path }) => new Promise<HttpReply>((resolve) => waiting.push(() => resolve(text(path)))),
    ),
    get size() {
      return waiting.length;
    },
    open: () => waiting.shift()?.(),
  };
}

function chunked(sizes: readonly number[]): string {
  const chunks = sizes.map((size) => `${size.toString(16)}\r\n${"x".repeat(size)}\r\n`);
  return `${chunks.join("")}0\r\n\r\n`;
}

const bodies = [
  { what: "a body at the limit", head: "Content-Length: 1000\r\n", body: "x".repeat(1000), status: 200 },
  { what: "a declared body over the limit", head: "Content-Length: 1001\r\n", body: "", status: 413 },
  {
    what: "a length beyond all numbers",
    head: "Content-Length: 99999999999999999999\r\n",
    body: "",
    status: 400,
  },
  {
    what: "chunks at the limit",
    head: "Transfer-Encoding: chunked\r\n",
    body: chunked([1, 998, 1]),
    status: 200,
  },
  {
    what: "chunks over the limit",
    head: "Transfer-Encoding: chunked\r\n",
    body: chunked([500, 501]),
    status: 413,
  },
  {
    what: "two lengths",
    head: "Content-Length: 5\r\nContent-Length: 6\r\n",
    body: "12345",
    status: 400,
  },
  {
    what: "a length and chunks",
    head: "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    body: chunked([5]),
    status: 400,
  },
  {
    what: "a chunk without a size",
    head: "Transfer-Encoding: chunked\r\n",
    body: "hello\r\n\r\n",
    status: 400,
  },
];

test("HttpTrigger limits bodies that it buffers", async (t) => {
  await using served = await serveRoutes({ "/": echo }, { limits: { bodyBytesMax: 1000 } });
  for (const { what, head, body, status } of bodies) {
    await t.test(`${what}: ${status}`, async () => {
      const reply = await request(served.address, `POST / ${HEAD}${head}\r\n${body}`);
      assert.equal(statusOf(reply), status);
      if (status === 200) assert.equal(bodyOf(reply), "got 1000");
      await settled(served);
    });
  }
});

test("HttpTrigger refuses bodies that would fill the memory with others, and frees what it held", async () => {
  const limits = { bodyBytesMax: 1000, heldBodyBytesMax: 1500 };
  await using served = await serveRoutes({ "/": echo }, { limits });
  using first = await RawClient.connect(served.address);
  first.send(`POST / ${HEAD}Content-Length: 1000\r\n\r\n${"x".repeat(900)}`);
  await eventually(() => assert.equal(served.trigger.counts.heldBodyBytes, 900));
  const second = await request(
    served.address,
    `POST / ${HEAD}Content-Length: 1000\r\n\r\n${"x".repeat(1000)}`,
  );
  assert.equal(statusOf(second), 503);
  assert.equal(bodyOf(await first.send("x".repeat(100)).reply()), "got 1000");
  await settled(served);
});

test("HttpTrigger throws away an endless body that nobody reads, then the connection", async () => {
  await using served = await serveRoutes({ "/": echo }, { limits: { bodyBytesMax: 1000 } });
  using client = await RawClient.connect(served.address);
  client.send(`POST / ${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
  const piece = `${(4096).toString(16)}\r\n${"x".repeat(4096)}\r\n`;
  const sending = setInterval(() => client.send(piece), 1);
  try {
    assert.equal(statusOf(await client.rest()), 413);
  } finally {
    clearInterval(sending);
  }
  await settled(served);
});

test("HttpTrigger keeps a connection on which a small body was not read", async () => {
  await using served = await serveRoutes({ "/": echo });
  using client = await RawClient.connect(served.address);
  assert.equal(statusOf(await client.send(`POST /none ${HEAD}Content-Length: 5\r\n\r\nhello`).reply()), 404);
  assert.equal(statusOf(await client.send(`GET / ${HEAD}\r\n`).reply()), 200);
});

test("HttpTrigger limits heads", async (t) => {
  const limits = { headBytesMax: 4096, headersMax: 20 };
  await using served = await serveRoutes({ "/...": constant("ok") }, { limits });
  const heads = [
    { what: "well below the limit", sent: `GET /${"a".repeat(3900)} ${HEAD}\r\n`, status: 200 },
    { what: "a target over the limit", sent: `GET /${"a".repeat(4200)} ${HEAD}\r\n`, status: 431 },
    { what: "headers over the limit", sent: `GET / ${HEAD}X: ${"a".repeat(4200)}\r\n\r\n`, status: 431 },
    { what: "as many headers as may be", sent: `GET / ${HEAD}${"X: a\r\n".repeat(19)}\r\n`, status: 200 },
    { what: "one header too many", sent: `GET / ${HEAD}${"X: a\r\n".repeat(20)}\r\n`, status: 431 },
  ];
  for (const { what, sent, status } of heads) {
    await t.test(`${what}: ${status}`, async () => {
      assert.equal(statusOf(await request(served.address, sent)), status);
    });
  }
});

test("HttpTrigger answers 408 to a head that does not come to its end", async () => {
  await using served = await serveRoutes({ "/": constant("ok") }, { limits: { headTimeMs: 40 } });
  using client = await RawClient.connect(served.address);
  client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ");
  assert.match(await client.rest(), /^HTTP\/1\.1 408 Request Timeout\r\nconnection: close\r\n/);
  await eventually(() => assert.equal(served.trigger.counts.connections, 0));
});

test("HttpTrigger answers 408 to a body that does not come to its end", async () => {
  await using served = await serveRoutes({ "/": echo }, { limits: { bodyTimeMs: 40 } });
  using client = await RawClient.connect(served.address);
  client.send(`POST / ${HEAD}Content-Length: 10\r\n\r\nabc`);
  assert.match(await client.rest(), /^HTTP\/1\.1 408 Request Timeout\r\nconnection: close\r\n/);
  await settled(served);
});

test("HttpTrigger closes connections on which nothing happens", async () => {
  await using served = await serveRoutes({ "/": constant("ok") }, { limits: { idleTimeMs: 40 } });
  using client = await RawClient.connect(served.address);
  await client.send(`GET / ${HEAD}\r\n`).reply();
  assert.equal(await client.rest(), "");
  await eventually(() => assert.equal(served.trigger.counts.connections, 0));
});

test("HttpTrigger answers 504 to what takes too long, and tells the executor", async () => {
  let reason: unknown;
  const never = executor(
    ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          reason = signal.reason;
          reject(signal.reason);
        });
      }),
  );
  await using served = await serveRoutes({ "/": never }, { limits: { requestTimeMs: 40 } });
  using client = await RawClient.connect(served.address);
  const reply = await client.send(`GET / ${HEAD}\r\n`).reply();
  assert.match(reply, /^HTTP\/1\.1 504 Gateway Timeout\r\ncontent-length: 0\r\n/);
  assert.match(String(reason), /took longer than 40 ms/);
  assert.match(served.log[0]?.message ?? "", /^Request GET \/ failed: it took longer than 40 ms$/);
  assert.equal(served.log.length, 1);
  await settled(served);
});

test("HttpTrigger holds the place of a request that is answered 504 until its executor has ended", async () => {
  const slow = gate();
  const limits = { requestTimeMs: 40, activeMax: 1, waitingMax: 0 };
  await using served = await serveRoutes({ "/": slow.executor }, { limits });
  assert.equal(statusOf(await get(served.address, "/")), 504);
  assert.equal(statusOf(await get(served.address, "/")), 503);
  slow.open();
  await settled(served);
});

test("HttpTrigger runs activeMax at once, lets waitingMax wait, and answers 503 beyond", async () => {
  const slow = gate();
  await using served = await serveRoutes(
    { "/...": slow.executor },
    { limits: { activeMax: 2, waitingMax: 2 } },
  );
  const replies = ["/1", "/2", "/3", "/4"].map(async (path, i) => {
    await eventually(() => {
      const { active, waiting } = served.trigger.counts;
      assert.equal(active + waiting, i);
    });
    return get(served.address, path);
  });
  await eventually(() => assert.equal(served.trigger.counts.waiting, 2));
  const over = await get(served.address, "/5");
  assert.match(over, /^HTTP\/1\.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\n/);
  for (let i = 0; i < 4; i++) {
    await eventually(() => assert.ok(slow.size > 0));
    slow.open();
  }
  assert.deepEqual((await Promise.all(replies)).map(bodyOf), ["/1", "/2", "/3", "/4"]);
  await settled(served);
});

test("HttpTrigger answers 503 to what waits too long", async () => {
  const slow = gate();
  const limits = { activeMax: 1, waitTimeMs: 40 };
  await using served = await serveRoutes({ "/": slow.executor }, { limits });
  const first = get(served.address, "/");
  await eventually(() => assert.equal(served.trigger.counts.active, 1));
  assert.equal(statusOf(await get(served.address, "/")), 503);
  slow.open();
  assert.equal(statusOf(await first), 200);
  await settled(served);
});

test("HttpTrigger serves a component with few requests while another has many waiting", async () => {
  const busy = gate();
  const quiet = gate();
  const limits = { activeMax: 2, waitingMax: 4 };
  await using served = await serveRoutes({ "/busy": busy.executor, "/quiet": quiet.executor }, { limits });
  const many = Array.from({ length: 6 }, () => get(served.address, "/busy"));
  await eventually(() => assert.equal(served.trigger.counts.waiting, 4));
  // The waiting room is full; it makes room for the one that has least.
  const one = get(served.address, "/quiet");
  assert.equal(await Promise.race(many.map(async (reply) => statusOf(await reply))), 503);
  busy.open();
  await eventually(() => assert.equal(quiet.size, 1));
  quiet.open();
  assert.equal(statusOf(await one), 200);
  for (let i = 0; i < 4; i++) {
    await eventually(() => assert.ok(busy.size > 0));
    busy.open();
  }
  const statuses = (await Promise.all(many)).map(statusOf);
  assert.deepEqual(statuses.toSorted(), [200, 200, 200, 200, 200, 503]);
  await settled(served);
});

test("HttpTrigger closes connections beyond connectionsMax", async () => {
  await using served = await serveRoutes({ "/": constant("ok") }, { limits: { connectionsMax: 1 } });
  using first = await RawClient.connect(served.address);
  await first.send(`GET / ${HEAD}\r\n`).reply();
  using second = await RawClient.connect(served.address);
  assert.equal(await second.send(`GET / ${HEAD}\r\n`).rest(), "");
  assert.equal(statusOf(await first.send(`GET / ${HEAD}\r\n`).reply()), 200);
});

test("HttpTrigger closes a connection that sends more ahead than pipelinedMax", async () => {
  const slow = gate();
  await using served = await serveRoutes({ "/": slow.executor }, { limits: { pipelinedMax: 3 } });
  using client = await RawClient.connect(served.address);
  assert.equal(await client.send(`GET / ${HEAD}\r\n`.repeat(5)).rest(), "");
  slow.open();
  await settled(served);
});

test("HttpTrigger closes an idle connection without a reset for a request that comes too late", async () => {
  await using served = await serveRoutes({ "/": constant("ok") }, { limits: { idleTimeMs: 40 } });
  const socket = connect({ host: served.address.host, port: served.address.port, allowHalfOpen: true });
  const closed = once(socket, "close");
  await once(socket.resume(), "end");
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await sleep(100);
  // Fails with EPIPE if the server answered the bytes above with a reset.
  socket.end("GET");
  await closed;
});
