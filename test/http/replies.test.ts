// What becomes of an executor's reply on the wire, and of one that cannot be sent.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SlotsExhaustedError, TrapError } from "../../src/engine/mod.ts";
import type { HttpReply, HttpTriggerOptions } from "../../src/trigger/mod.ts";
import { get, RawClient, request, statusOf, undated } from "./raw-client.ts";
import { eventually, executor, type Served, serveRoutes, settled, text } from "./serve.ts";

const HEAD = "HTTP/1.1\r\nHost: a\r\n";

function replying(reply: HttpReply, options: Partial<HttpTriggerOptions> = {}): Promise<Served> {
  return serveRoutes({ "/": executor(() => reply) }, options);
}

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

function streaming(body: AsyncIterable<Uint8Array>, ...headers: string[]): HttpReply {
  return { status: 200, headers, body };
}

const DATE = "date: DATE\r\n\r\n";
const wire = [
  {
    what: "an empty reply",
    reply: { status: 200, headers: [], body: undefined },
    got: `200 OK\r\ncontent-length: 0\r\n${DATE}`,
  },
  { what: "an empty body", reply: text(""), got: `200 OK\r\ncontent-length: 0\r\n${DATE}` },
  {
    what: "its true length",
    reply: text("hello", "Content-Length", "5", "x", "y"),
    got: `200 OK\r\ncontent-length: 5\r\nx: y\r\n${DATE}hello`,
  },
  {
    what: "a length that lies",
    reply: text("hello", "content-length", "7"),
    got: `200 OK\r\ncontent-length: 5\r\n${DATE}hello`,
  },
  {
    what: "its length twice",
    reply: text("hello", "content-length", "5", "content-length", "5"),
    got: `200 OK\r\ncontent-length: 5\r\n${DATE}hello`,
  },
  {
    what: "chunks that it does not have",
    reply: text("hello", "transfer-encoding", "chunked"),
    got: `200 OK\r\ncontent-length: 5\r\n${DATE}hello`,
  },
  {
    what: "trailers that it does not have",
    reply: text("hello", "trailer", "x"),
    got: `200 OK\r\ncontent-length: 5\r\n${DATE}hello`,
  },
  {
    what: "a date of its own",
    reply: text("", "Date", "then"),
    got: "200 OK\r\ndate: then\r\ncontent-length: 0\r\n\r\n",
  },
  {
    what: "repeated headers",
    reply: text("", "set-cookie", "a=1", "set-cookie", "b=2"),
    got: `200 OK\r\nset-cookie: a=1\r\nset-cookie: b=2\r\ncontent-length: 0\r\n${DATE}`,
  },
  {
    what: "bytes in a header",
    reply: text("", "x", "\xc3\xa9"),
    got: `200 OK\r\nx: \xc3\xa9\r\ncontent-length: 0\r\n${DATE}`,
  },
  {
    what: "bytes in the body",
    reply: { status: 200, headers: [], body: Uint8Array.of(0, 0x80, 0xff) },
    got: `200 OK\r\ncontent-length: 3\r\n${DATE}\x00\x80\xff`,
  },
  {
    what: "a status without a phrase",
    reply: { status: 599, headers: [], body: undefined },
    got: `599 <none>\r\ncontent-length: 0\r\n${DATE}`,
  },
  {
    what: "204 with a body",
    reply: { status: 204, headers: [], body: Buffer.from("x") },
    got: `204 No Content\r\n${DATE}`,
  },
  {
    what: "304 with a length",
    reply: { status: 304, headers: ["content-length", "7"], body: undefined },
    got: `304 Not Modified\r\ncontent-length: 7\r\n${DATE}`,
  },
  {
    what: "pieces that are there at once",
    reply: () => streaming(pieces("one", "", "two")),
    got: `200 OK\r\ntransfer-encoding: chunked\r\n${DATE}6\r\nonetwo\r\n0\r\n\r\n`,
  },
  {
    what: "no pieces",
    reply: () => streaming(pieces()),
    got: `200 OK\r\ntransfer-encoding: chunked\r\n${DATE}0\r\n\r\n`,
  },
  {
    what: "pieces of a promised length",
    reply: () => streaming(pieces("one", "two"), "content-length", "6"),
    got: `200 OK\r\ncontent-length: 6\r\n${DATE}onetwo`,
  },
];

test("HttpTrigger sends", async (t) => {
  for (const { what, reply, got } of wire) {
    await t.test(what, async () => {
      await using served = await serveRoutes({
        "/": executor(() => (typeof reply === "function" ? reply() : reply)),
      });
      assert.equal(await get(served.address, "/"), `HTTP/1.1 ${got}`);
      await settled(served);
    });
  }
});

test("HttpTrigger sends the head alone to HEAD, and lets the executor's body go", async () => {
  const calls: string[] = [];
  const body: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.reject(new Error("nobody asked for pieces")),
      return: async () => {
        calls.push("return");
        return { done: true, value: undefined };
      },
    }),
  };
  await using served = await replying(streaming(body));
  using client = await RawClient.connect(served.address);
  for (let i = 0; i < 2; i++) {
    const reply = await client.send(`HEAD / ${HEAD}\r\n`).reply("HEAD");
    assert.equal(undated(reply), `HTTP/1.1 200 OK\r\n${DATE}`);
  }
  assert.deepEqual(calls, ["return", "return"]);
});

test("HttpTrigger sends pieces to HTTP/1.0 until it closes", async () => {
  await using served = await serveRoutes({ "/": executor(() => streaming(pieces("one", "two"))) });
  using client = await RawClient.connect(served.address);
  const reply = await client.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n").rest();
  assert.equal(undated(reply), `HTTP/1.1 200 OK\r\n${DATE}onetwo`);
});

const MEBIBYTE = 1024 * 1024;

test("HttpTrigger sends bodies of any size, whole and in order", async () => {
  const sizes = [4095, 4096, 4097, 65_536, 5 * MEBIBYTE];
  const bodyOfSize = (size: number) => Buffer.alloc(size, "0123456789abcdef!");
  await using served = await serveRoutes({
    "/...": executor((_, { pathInfo }) => ({
      status: 200,
      headers: [],
      body: bodyOfSize(Number(pathInfo.slice(1))),
    })),
  });
  using client = await RawClient.connect(served.address);
  for (const size of sizes) client.send(`GET /${size} ${HEAD}\r\n`);
  for (const size of sizes) {
    const reply = await client.reply();
    assert.ok(reply.endsWith(`\r\n\r\n${bodyOfSize(size).toString()}`), String(size));
  }
  await settled(served);
});

test("HttpTrigger takes no more of a body than the client takes of it", async () => {
  let given = 0;
  let isReturned = false;
  async function* endless() {
    try {
      for (;;) {
        given++;
        yield Buffer.alloc(65_536);
      }
    } finally {
      isReturned = true;
    }
  }
  await using served = await replying(streaming(endless()));
  using client = await RawClient.connect(served.address);
  client.socket.pause();
  client.send(`GET / ${HEAD}\r\n`);
  let seen = -1;
  await eventually(() => {
    const grew = given !== seen;
    seen = given;
    assert.ok(!grew && given > 0);
  });
  assert.ok(given < 500, `${given} pieces`);
  client.socket.destroy();
  await eventually(() => assert.ok(isReturned));
  await settled(served);
});

test("HttpTrigger closes the connection of a client that does not take its reply", async (t) => {
  const replies = {
    "a whole body": () => ({ status: 200, headers: [], body: Buffer.alloc(32 * MEBIBYTE) }),
    "a body in pieces": () => streaming(pieces("x".repeat(32 * MEBIBYTE), "x")),
  };
  for (const [what, reply] of Object.entries(replies)) {
    await t.test(what, async () => {
      await using served = await serveRoutes({ "/": executor(reply) }, { limits: { stallTimeMs: 50 } });
      using client = await RawClient.connect(served.address);
      client.socket.pause();
      client.send(`GET / ${HEAD}\r\n`);
      await eventually(() => assert.equal(served.trigger.counts.connections, 1));
      await eventually(() => assert.equal(served.trigger.counts.connections, 0));
      await settled(served);
    });
  }
});

test("HttpTrigger cuts off a body in pieces that fails or is not as long as promised, and logs it", async (t) => {
  async function* failing() {
    yield Buffer.from("one");
    throw new Error("out of pieces");
  }
  const replies = [
    { what: "fails", reply: () => streaming(failing()), log: /out of pieces/ },
    {
      what: "is too short",
      reply: () => streaming(pieces("one"), "content-length", "4"),
      log: /ended after 3 bytes of 4/,
    },
    {
      what: "is too long",
      reply: () => streaming(pieces("one", "two"), "content-length", "4"),
      log: /longer than its content-length of 4/,
    },
  ];
  for (const { what, reply, log } of replies) {
    await t.test(what, async () => {
      await using served = await serveRoutes({ "/": executor(reply) });
      using client = await RawClient.connect(served.address);
      const sent = await client.send(`GET / ${HEAD}\r\n`).rest();
      assert.equal(statusOf(sent), 200);
      assert.ok(!sent.endsWith("0\r\n\r\n"));
      assert.match(served.log[0]?.message ?? "", log);
      await settled(served);
    });
  }
});

const trap = new TrapError("unreachable", {
  reason: "trap",
  componentId: "api",
  exportName: "handle-http-request",
  backtrace: ["panic (wasm-function[12]:0x1a2)", "handle (wasm-function[3]:0x7)"],
});

const failures = [
  {
    what: "throws",
    act: () => {
      throw new Error("oh no");
    },
    log: /^Request GET \/ failed: Error: oh no\n +at /,
  },
  {
    what: "rejects",
    act: () => Promise.reject(new Error("oh no")),
    log: /^Request GET \/ failed: Error: oh no\n/,
  },
  {
    what: "traps",
    act: () => Promise.reject(trap),
    log: /^Request GET \/ failed: Component "api" trapped in `handle-http-request`: unreachable\n {4}at panic \(wasm-function\[12\]:0x1a2\)\n {4}at handle \(wasm-function\[3\]:0x7\)$/,
  },
  {
    what: "answers with 99",
    act: () => ({ ...text(""), status: 99 }),
    log: /the status 99 is not between 200 and 999$/,
  },
  { what: "answers with 101", act: () => ({ ...text(""), status: 101 }), log: /the status 101/ },
  { what: "answers with 200.5", act: () => ({ ...text(""), status: 200.5 }), log: /the status 200.5/ },
  {
    what: "answers with a header name that is none",
    act: () => text("", "a b", "x"),
    log: /a header cannot be sent: .*a b/,
  },
  {
    what: "answers with a line break in a header",
    act: () => text("", "a", "x\r\ny: z"),
    log: /a header cannot be sent/,
  },
  {
    what: "answers with a header beyond bytes",
    act: () => text("", "a", "🦀"),
    log: /a header cannot be sent/,
  },
];

test("HttpTrigger answers an empty 500, logs why, and goes on, when an executor", async (t) => {
  for (const { what, act, log } of failures) {
    await t.test(what, async () => {
      await using served = await serveRoutes({ "/": executor(act) });
      using client = await RawClient.connect(served.address);
      for (let i = 1; i <= 2; i++) {
        const reply = undated(await client.send(`GET / ${HEAD}\r\n`).reply());
        assert.equal(reply, `HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n${DATE}`);
        assert.equal(served.log.length, i);
      }
      assert.match(served.log[0]?.message ?? "", log);
      await settled(served);
    });
  }
});

test("HttpTrigger answers 503 when there is no slot, and does not log it", async () => {
  const exhausted = executor(() => {
    throw new SlotsExhaustedError("no slot is free");
  });
  await using served = await serveRoutes({ "/": exhausted });
  const reply = await request(served.address, `GET / ${HEAD}\r\n`);
  assert.equal(reply, `HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\n${DATE}`);
  assert.deepEqual(served.log, []);
});
