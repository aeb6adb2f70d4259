// One connection after the other: what HTTP/1 allows, what it does not, and clients that leave.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { HttpReply, HttpRequest, StreamedHttpExecutor } from "../../src/trigger/mod.ts";
import { bodyOf, RawClient, request, statusOf, undated } from "./raw-client.ts";
import { constant, eventually, executor, serveRoutes, settled, text } from "./serve.ts";

const HEAD = "HTTP/1.1\r\nHost: a\r\n";
const echo = executor((request, _, body) => text(`${request.method} ${request.target} ${body.length}`));

const requests = [
  { what: "lower case in header names", sent: "GET / HTTP/1.1\r\nhost: a\r\n\r\n", got: "GET / 0" },
  { what: "an absolute target", sent: "GET http://a/x?y HTTP/1.1\r\nHost: A\r\n\r\n", got: "GET /x?y 0" },
  { what: "an absolute target without Host", sent: "GET http://a HTTP/1.1\r\n\r\n", got: "GET / 0" },
  { what: "the target *", sent: `OPTIONS * ${HEAD}\r\n`, got: "OPTIONS * 0" },
  { what: "a fragment", sent: `GET /x#y ${HEAD}\r\n`, got: "GET /x 0" },
  {
    what: "a wish to upgrade",
    sent: `GET / ${HEAD}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    got: "GET / 0",
  },
  { what: "HTTP/1.0 with a Host", sent: "GET / HTTP/1.0\r\nHost: a\r\n\r\n", got: "GET / 0" },
  { what: "an unknown expectation", sent: `GET / ${HEAD}Expect: wonders\r\n\r\n`, got: "GET / 0" },
  { what: "a rare method", sent: `PROPFIND / ${HEAD}\r\n`, got: "PROPFIND / 0" },
  {
    what: "a body in chunks",
    sent: `POST / ${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: x\r\n\r\n`,
    got: "POST / 5",
  },
  { what: "a GET with a body", sent: `GET / ${HEAD}Content-Length: 3\r\n\r\nabc`, got: "GET / 3" },
  { what: "an empty body", sent: `POST / ${HEAD}Content-Length: 0\r\n\r\n`, got: "POST / 0" },
];

test("HttpTrigger understands", async (t) => {
  await using served = await serveRoutes({ "/...": echo });
  for (const { what, sent, got } of requests) {
    await t.test(what, async () => {
      const reply = await request(served.address, sent);
      assert.equal(statusOf(reply), 200);
      assert.equal(bodyOf(reply), got);
    });
  }
});

const malformed = [
  { what: "garbage", sent: "\x16\x03\x01\r\n\r\n", got: 400 },
  { what: "a version that does not exist", sent: "GET / HTTP/3.7\r\nHost: a\r\n\r\n", got: 400 },
  { what: "a space in a header name", sent: `GET / ${HEAD}X Y: z\r\n\r\n`, got: 400 },
  { what: "lines that end with a bare line feed", sent: "GET / HTTP/1.1\nHost: a\n\n", got: 400 },
  { what: "a relative target", sent: `GET x ${HEAD}\r\n`, got: 400 },
  { what: "a target that is not ASCII", sent: `GET /\xc3\xa9 ${HEAD}\r\n`, got: 400 },
  { what: "a sign that a target must escape", sent: `GET /<x> ${HEAD}\r\n`, got: 400 },
  { what: "a method that nobody knows", sent: `FOO / ${HEAD}\r\n`, got: 405 },
  { what: "a tunnel", sent: `CONNECT a:1 ${HEAD}\r\n`, got: 405 },
  { what: "a Host that is none", sent: "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", got: 400 },
  { what: "two Hosts", sent: "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", got: 400 },
  { what: "a target and two Hosts", sent: "GET http://a/ HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", got: 400 },
  { what: "an empty Host", sent: "GET / HTTP/1.1\r\nHost:\r\n\r\n", got: 400 },
  {
    what: "the name of a component as Host",
    sent: "GET / HTTP/1.1\r\nHost: c0.spin.internal\r\n\r\n",
    got: 400,
  },
];

test("HttpTrigger refuses", async (t) => {
  await using served = await serveRoutes({ "/...": echo });
  for (const { what, sent, got } of malformed) {
    await t.test(what, async () => {
      const reply = await request(served.address, sent);
      assert.equal(statusOf(reply), got);
    });
  }
  await eventually(() => assert.equal(served.trigger.counts.connections, 0));
});

test("HttpTrigger keeps connections open, and closes those that a client wants closed", async () => {
  await using served = await serveRoutes({ "/...": echo });
  using client = await RawClient.connect(served.address);
  for (const path of ["/1", "/2", "/3"]) {
    assert.equal(bodyOf(await client.send(`GET ${path} ${HEAD}\r\n`).reply()), `GET ${path} 0`);
  }
  assert.equal(statusOf(await client.send(`GET / ${HEAD}Connection: close\r\n\r\n`).rest()), 200);
  using old = await RawClient.connect(served.address);
  for (let i = 0; i < 2; i++) {
    const reply = await old.send("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n").reply();
    assert.match(reply, /^HTTP\/1\.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: 7\r\n/);
  }
  assert.equal(statusOf(await old.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n").rest()), 200);
});

test("HttpTrigger answers requests that were sent ahead in their order, one after the other", async () => {
  const active: string[] = [];
  const slowFirst = executor(async ({ path }) => {
    active.push(path);
    assert.equal(active.length, 1);
    await sleep(path === "/1" ? 30 : 1);
    active.pop();
    return text(path);
  });
  await using served = await serveRoutes({ "/...": slowFirst, "/now": constant("/now") });
  using client = await RawClient.connect(served.address);
  const paths = ["/now", "/1", "/2", "/now", "/3", "/now", "/now"];
  client.send(paths.map((path) => `GET ${path} ${HEAD}\r\n`).join(""));
  for (const path of paths) assert.equal(bodyOf(await client.reply()), path);
});

test("HttpTrigger answers what was sent before something malformed", async () => {
  await using served = await serveRoutes({ "/": executor(async () => text("fine")) });
  using client = await RawClient.connect(served.address);
  client.send(`GET / ${HEAD}\r\nGET / ${HEAD}\r\n\x00\r\n\r\n`);
  assert.equal(bodyOf(await client.reply()), "fine");
  assert.equal(bodyOf(await client.reply()), "fine");
  assert.equal(statusOf(await client.rest()), 400);
  await settled(served);
});

test("HttpTrigger answers what was sent before a request without Host", async () => {
  await using served = await serveRoutes({ "/": constant("fine") });
  using client = await RawClient.connect(served.address);
  client.send(`GET / ${HEAD}\r\nGET / ${HEAD}\r\nGET / HTTP/1.1\r\n\r\nGET / ${HEAD}\r\n`);
  const replies = await client.rest();
  assert.equal(replies.split("fine").length, 3);
});

test("HttpTrigger tells a client whose request has no Host what it lacks, and closes", async () => {
  await using served = await serveRoutes({ "/": constant("fine") });
  using client = await RawClient.connect(served.address);
  const reply = undated(await client.send("GET / HTTP/1.1\r\n\r\n").rest());
  assert.match(
    reply,
    /^HTTP\/1\.1 400 Bad Request\r\ncontent-type: text\/plain; charset=utf-8\r\nconnection: close\r\n/,
  );
  assert.match(bodyOf(reply), /needs one `Host` header\n$/);
});

test("HttpTrigger lets a client that asks first send its body, or not", async () => {
  await using served = await serveRoutes({ "/": echo }, { limits: { bodyBytesMax: 10 } });
  const ask = (length: number) => `POST / ${HEAD}Expect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;
  using invited = await RawClient.connect(served.address);
  assert.equal(await invited.send(ask(5)).reply(), "HTTP/1.1 100 Continue\r\n\r\n");
  assert.equal(bodyOf(await invited.send("hello").reply()), "POST / 5");
  using refused = await RawClient.connect(served.address);
  assert.equal(statusOf(await refused.send(ask(11)).rest()), 413);
});

test("HttpTrigger asks for a body that streams when its executor reads it", async () => {
  const reader: StreamedHttpExecutor = {
    bodyMode: "streamed",
    async execute(_, __, body) {
      let bytes = 0;
      for await (const piece of body) bytes += piece.length;
      return text(`got ${bytes}`);
    },
  };
  await using served = await serveRoutes({ "/": reader });
  using client = await RawClient.connect(served.address);
  client.send(`POST / ${HEAD}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n`);
  assert.equal(await client.reply(), "HTTP/1.1 100 Continue\r\n\r\n");
  assert.equal(bodyOf(await client.send("abc").reply()), "got 3");
});

/** An executor that never answers, and notes what it is told. */
function patient() {
  const started: HttpRequest[] = [];
  const told: string[] = [];
  const execute = (request: HttpRequest) => {
    started.push(request);
    return new Promise<HttpReply>((_, reject) => {
      const { signal } = request;
      signal.addEventListener("abort", () => {
        told.push(signal.reason.message);
        reject(signal.reason);
      });
    });
  };
  return { started, told, executor: executor(execute) };
}

test("HttpTrigger tells the executor when the client has left, and logs nothing", async () => {
  const guest = patient();
  await using served = await serveRoutes({ "/": guest.executor });
  for (const leave of ["destroy", "resetAndDestroy", "end"] as const) {
    using client = await RawClient.connect(served.address);
    client.send(`GET / ${HEAD}\r\n`);
    await eventually(() => assert.equal(guest.started.length, 1));
    client.socket[leave]();
    await eventually(() => assert.deepEqual(guest.told, ["the client has left"]));
    await settled(served);
    guest.started.length = 0;
    guest.told.length = 0;
  }
  assert.deepEqual(served.log, []);
  await eventually(() => assert.equal(served.trigger.counts.connections, 0));
});

test("HttpTrigger tells an executor that asks late that the client has left", async () => {
  let request: HttpRequest | undefined;
  let release = () => {};
  const late = executor((received) => {
    request = received;
    return new Promise((resolve) => {
      release = () => resolve(text("for nobody"));
    });
  });
  await using served = await serveRoutes({ "/": late });
  using client = await RawClient.connect(served.address);
  client.send(`GET / ${HEAD}\r\n`);
  await eventually(() => assert.ok(request));
  client.socket.destroy();
  await eventually(() => assert.equal(served.trigger.counts.connections, 0));
  assert.equal(request?.signal.aborted, true);
  assert.equal(served.trigger.counts.active, 1);
  release();
  await settled(served);
});

test("HttpTrigger frees what a client has sent of a body, or waited for, when it leaves", async () => {
  const guest = patient();
  const limits = { activeMax: 1 };
  await using served = await serveRoutes({ "/": guest.executor }, { limits });
  using active = await RawClient.connect(served.address);
  active.send(`GET / ${HEAD}\r\n`);
  await eventually(() => assert.equal(served.trigger.counts.active, 1));
  using waiting = await RawClient.connect(served.address);
  waiting.send(`POST / ${HEAD}Content-Length: 4\r\n\r\nbody`);
  using sending = await RawClient.connect(served.address);
  sending.send(`POST / ${HEAD}Content-Length: 4\r\n\r\nbo`);
  await eventually(() => {
    const { waiting, heldBodyBytes, timed } = served.trigger.counts;
    assert.deepEqual({ waiting, heldBodyBytes, timed }, { waiting: 1, heldBodyBytes: 6, timed: 3 });
  });
  for (const client of [active, waiting, sending]) client.socket.destroy();
  await settled(served);
  assert.equal(guest.started.length, 1);
});

test("HttpTrigger drops a body that ends before its length, and does not call the executor", async () => {
  let calls = 0;
  const counting = executor(() => {
    calls++;
    return text("ok");
  });
  await using served = await serveRoutes({ "/": counting });
  using client = await RawClient.connect(served.address);
  client.send(`POST / ${HEAD}Content-Length: 10\r\n\r\nabc`);
  await eventually(() => assert.equal(served.trigger.counts.heldBodyBytes, 3));
  client.socket.end();
  assert.equal(await client.rest(), "");
  await settled(served);
  assert.equal(calls, 0);
});

/** Answers with what it reads, as it reads it. */
const mirror: StreamedHttpExecutor = {
  bodyMode: "streamed",
  execute: (_, __, body) => ({ status: 200, headers: [], body }),
};

test("HttpTrigger streams a body to the executor and its reply to the client, at once both ways", async () => {
  await using served = await serveRoutes({ "/": mirror });
  using client = await RawClient.connect(served.address);
  client.send(`POST / ${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
  const head = await client.bytes(
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ndate: Mon, 23 Nov 2026 17:00:00 GMT\r\n\r\n".length,
  );
  assert.match(head, /^HTTP\/1\.1 200 OK\r\ntransfer-encoding: chunked\r\ndate: [^\r]+\r\n\r\n$/);
  for (const piece of ["one", "two"]) {
    client.send(`3\r\n${piece}\r\n`);
    assert.equal(await client.bytes(8), `3\r\n${piece}\r\n`);
  }
  assert.equal(await client.send("0\r\n\r\n").bytes(5), "0\r\n\r\n");
  assert.equal(statusOf(await client.send(`GET / ${HEAD}\r\n`).reply()), 200);
  await settled(served);
});

test("HttpTrigger tells a streaming executor of a body that breaks off or is malformed", async (t) => {
  const ends = {
    "the client leaves": (client: RawClient) => client.socket.destroy(),
    "a chunk without a size": (client: RawClient) => client.send("nonsense\r\n"),
  };
  for (const [what, end] of Object.entries(ends)) {
    await t.test(what, async () => {
      let failed: unknown;
      const reader: StreamedHttpExecutor = {
        bodyMode: "streamed",
        async execute(request, _, body) {
          try {
            for await (const _ of body);
          } catch (error) {
            failed = error;
            assert.ok(request.signal.aborted);
            throw error;
          }
          return text("ok");
        },
      };
      await using served = await serveRoutes({ "/": reader });
      using client = await RawClient.connect(served.address);
      client.send(`POST / ${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`);
      await eventually(() => assert.equal(served.trigger.counts.active, 1));
      end(client);
      await eventually(() => assert.ok(failed));
      await settled(served);
      assert.deepEqual(served.log, []);
    });
  }
});

test("HttpTrigger lets an executor answer without reading the body", async () => {
  const deaf: StreamedHttpExecutor = { bodyMode: "streamed", execute: () => text("no, thanks") };
  await using served = await serveRoutes({ "/": deaf });
  const sent = `POST / ${HEAD}Content-Length: 1000000\r\n\r\n${"x".repeat(1000)}`;
  assert.equal(bodyOf(await request(served.address, sent)), "no, thanks");
  await settled(served);
});

test("HttpTrigger closes the connection of a client that stalls while its body is read", async () => {
  let failed: unknown;
  const reader: StreamedHttpExecutor = {
    bodyMode: "streamed",
    async execute(_, __, body) {
      try {
        for await (const _ of body);
      } catch (error) {
        failed = error;
      }
      return text("for nobody");
    },
  };
  await using served = await serveRoutes({ "/": reader }, { limits: { stallTimeMs: 50 } });
  using client = await RawClient.connect(served.address);
  client.send(`POST / ${HEAD}Content-Length: 10\r\n\r\nabc`);
  assert.equal(await client.rest(), "");
  await eventually(() => assert.ok(failed));
  await settled(served);
});
