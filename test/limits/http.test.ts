// How the listener shares its places among components, and what it says of those it refuses.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { BufferedHttpExecutor } from "../../src/trigger/mod.ts";
import { constant, eventually, executor, serveRoutes, text } from "../http/serve.ts";

/** Answers when it is told to. */
function held(): { readonly executor: BufferedHttpExecutor; release(): void } {
  const released = Promise.withResolvers<void>();
  return {
    executor: executor(async () => {
      await released.promise;
      return text("late");
    }),
    release: () => released.resolve(),
  };
}

async function statusOf(url: string): Promise<number> {
  const response = await fetch(url);
  await response.arrayBuffer();
  return response.status;
}

test("A flood of requests for one component leaves places for another: all 100 of its answers come", async () => {
  const slow = held();
  await using served = await serveRoutes(
    { "/slow": slow.executor, "/quick": constant("quick") },
    { limits: { activeMax: 30, waitingMax: 100 } },
  );
  const { url } = served.trigger;
  const flood = Array.from({ length: 60 }, () => statusOf(`${url}/slow`));
  await eventually(() =>
    assert.deepEqual([served.trigger.counts.active, served.trigger.counts.waiting], [20, 40]),
  );
  for (let i = 0; i < 100; i++) assert.equal(await statusOf(`${url}/quick`), 200);
  slow.release();
  assert.deepEqual(new Set(await Promise.all(flood)), new Set([200]));
});

test("A request that waited too long for its place gets 503 with Retry-After, and the log counts it", async () => {
  const slow = held();
  await using served = await serveRoutes(
    { "/": slow.executor },
    { limits: { activeMax: 1, waitingMax: 10, waitTimeMs: 20 } },
  );
  const first = statusOf(served.trigger.url);
  await eventually(() => assert.equal(served.trigger.counts.active, 1));
  const refused = await Promise.all([1, 2].map(() => fetch(served.trigger.url)));
  for (const response of refused) {
    assert.equal(response.status, 503);
    assert.equal(response.headers.get("retry-after"), "1");
    assert.equal(await response.text(), "");
  }
  await eventually(() =>
    assert.deepEqual(served.log, [
      { severity: "warning", message: "Refused 2 requests with 503: they waited for 20 ms" },
    ]),
  );
  slow.release();
  assert.equal(await first, 200);
});

test("A component's own time counts for its requests, and the trigger's for the others", async () => {
  const never = executor(() => new Promise(() => {}));
  await using served = await serveRoutes(
    { "/own": { ...never, limits: { wallTimeMs: 30, weight: 1 } }, "/other": never },
    { limits: { requestTimeMs: 60 } },
  );
  const { url } = served.trigger;
  assert.deepEqual([await statusOf(`${url}/own`), await statusOf(`${url}/other`)], [504, 504]);
  const messages = served.log.map(({ message }) => message);
  assert.deepEqual(messages, [
    "Request GET /own failed: it took longer than 30 ms",
    "Request GET /other failed: it took longer than 60 ms",
  ]);
});

for (const debug of [false, true]) {
  test(`A client ${debug ? "is" : "is not"} told why its request failed ${debug ? "if somebody debugs" : "otherwise"}`, async () => {
    const failing = executor(() => {
      throw new Error("no luck today");
    });
    await using served = await serveRoutes({ "/": failing }, { debug });
    const response = await fetch(served.trigger.url);
    assert.equal(response.status, 500);
    assert.equal(/no luck today/.test(await response.text()), debug);
  });
}
