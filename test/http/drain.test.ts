// Stopping: what is in flight finishes, nothing else does, and a second wish is heard.

import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import type { HttpReply } from "../../src/trigger/mod.ts";
import { bodyOf, RawClient } from "./raw-client.ts";
import { constant, eventually, executor, type Served, serveRoutes, text } from "./serve.ts";

const HEAD = "HTTP/1.1\r\nHost: a\r\n";

/** Serves an executor that answers when told, and one that answers at once. */
async function serveSlow() {
  let release = (_: HttpReply) => {};
  let reason: unknown;
  const slow = executor(
    ({ signal }) =>
      new Promise<HttpReply>((resolve, reject) => {
        release = resolve;
        signal.addEventListener("abort", () => {
          reason = signal.reason;
          reject(signal.reason);
        });
      }),
  );
  const served = await serveRoutes({ "/slow": slow, "/": constant("ok") });
  return { served, finish: () => release(text("done")), reason: () => reason };
}

async function begin(served: Served): Promise<RawClient> {
  const client = await RawClient.connect(served.address);
  client.send(`GET /slow ${HEAD}\r\n`);
  await eventually(() => assert.equal(served.trigger.counts.active, 1));
  return client;
}

function refuses({ address }: Served): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(address);
    socket.on("connect", () => resolve(false));
    socket.on("error", () => resolve(true));
  });
}

test("HttpTrigger.stop() ends at once when nothing is in flight, idle and half-said connections with it", async () => {
  const { served } = await serveSlow();
  using idle = await RawClient.connect(served.address);
  await idle.send(`GET / ${HEAD}\r\n`).reply();
  using halfway = await RawClient.connect(served.address);
  halfway.send("GET / HT");
  await eventually(() => assert.equal(served.trigger.counts.connections, 2));
  await served.trigger.stop();
  assert.equal(await idle.rest(), "");
  assert.equal(await halfway.rest(), "");
  assert.ok(await refuses(served));
});

test("HttpTrigger.stop() lets requests in flight finish, says that it closes, and refuses new ones", async () => {
  const { served, finish } = await serveSlow();
  using client = await begin(served);
  using idle = await RawClient.connect(served.address);
  await idle.send(`GET / ${HEAD}\r\n`).reply();
  const stopped = served.trigger.stop();
  assert.equal(await idle.rest(), "");
  assert.ok(await refuses(served));
  finish();
  const reply = await client.rest();
  assert.match(reply, /^HTTP\/1\.1 200 OK\r\n(.*\r\n)*connection: close\r\n/);
  assert.equal(bodyOf(reply), "done");
  await stopped;
});

test("HttpTrigger.stop() answers a request that was on its way, says that it closes, and resets nobody", async () => {
  const { served } = await serveSlow();
  using client = await RawClient.connect(served.address);
  await client.send(`GET / ${HEAD}\r\n`).reply();
  let isReset = false;
  client.socket.on("error", () => {
    isReset = true;
  });
  const stopped = served.trigger.stop();
  client.send(`GET / ${HEAD}\r\n`);
  const reply = await client.reply();
  assert.match(reply, /\r\nconnection: close\r\n/);
  client.send(`GET / ${HEAD}\r\n`);
  assert.equal(await client.rest(), "");
  await stopped;
  assert.equal(isReset, false);
});

test("HttpTrigger.stop() does not cut off a reply that the client is still taking", async () => {
  const size = 8 * 1024 * 1024;
  await using served = await serveRoutes({ "/": executor(() => text("x".repeat(size))) });
  using client = await RawClient.connect(served.address);
  client.socket.pause();
  client.send(`GET / ${HEAD}\r\n`);
  await eventually(() => assert.equal(served.trigger.counts.connections, 1));
  await eventually(() => assert.ok(client.socket.readableLength > 0));
  const stopped = served.trigger.stop();
  client.socket.resume();
  assert.equal(bodyOf(await client.rest()).length, size);
  await stopped;
});

test("HttpTrigger.stop() does not begin what was sent ahead", async () => {
  const { served, finish } = await serveSlow();
  using client = await begin(served);
  client.send(`GET / ${HEAD}\r\n`);
  // The second request has arrived when a later one on another connection is answered.
  using other = await RawClient.connect(served.address);
  await other.send(`GET / ${HEAD}\r\n`).reply();
  const stopped = served.trigger.stop();
  finish();
  const replies = await client.rest();
  assert.equal(replies.split("HTTP/1.1").length, 2);
  await stopped;
});

const endings = [
  { what: "the grace is over", stop: ({ trigger }: Served) => trigger.stop({ graceMs: 30 }) },
  {
    what: "it is called again",
    stop: ({ trigger }: Served) => {
      void trigger.stop();
      return trigger.stop();
    },
  },
  {
    what: "the signal aborts",
    stop: ({ trigger }: Served) => trigger.stop({ signal: AbortSignal.timeout(30) }),
  },
  {
    what: "the signal is aborted already",
    stop: ({ trigger }: Served) => trigger.stop({ signal: AbortSignal.abort() }),
  },
];

for (const { what, stop } of endings) {
  test(`HttpTrigger.stop() ends everything and tells the executor when ${what}`, async () => {
    const { served, reason } = await serveSlow();
    using client = await begin(served);
    await stop(served);
    assert.equal(await client.rest(), "");
    assert.match(String(reason()), /the server is stopping/);
    assert.equal(served.trigger.counts.active, 0);
    assert.deepEqual(served.log, []);
  });
}

test("HttpTrigger.stop() does not wait for ever for an executor that does not heed its signal", async () => {
  const served = await serveRoutes({ "/": executor(() => new Promise(() => {})) });
  using client = await RawClient.connect(served.address);
  client.send(`GET / ${HEAD}\r\n`);
  await eventually(() => assert.equal(served.trigger.counts.active, 1));
  await served.trigger.stop({ graceMs: 0 });
  assert.equal(served.trigger.counts.active, 1);
});

test("HttpTrigger.stop() resolves each time it is called", async () => {
  const { served } = await serveSlow();
  await Promise.all([served.trigger.stop(), served.trigger.stop()]);
  await served.trigger.stop();
});
