// Requests with bytes changed, cut and doubled at random, sent in pieces, by clients that leave at random.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { StreamedHttpExecutor } from "../../src/trigger/mod.ts";
import { bodyOf, get, RawClient } from "./raw-client.ts";
import { constant, eventually, executor, type Served, serveRoutes, settled, text } from "./serve.ts";

const SEED = Number(process.env.FUZZ_SEED ?? 1);
const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? 150);
const AT_ONCE = 10;

const SEEDS = [
  "GET /now HTTP/1.1\r\nHost: a\r\n\r\n",
  "GET /later/x?y=z HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
  "POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789",
  "POST /mirror HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\nabc\r\n0\r\n\r\n",
  "POST /later HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
  "HEAD /later HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
  "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
];

const mirror: StreamedHttpExecutor = {
  bodyMode: "streamed",
  execute: (_, __, body) => ({ status: 200, headers: [], body }),
};

async function serveAll(): Promise<Served> {
  const later = executor(async ({ path }, _, body) => {
    await sleep(2);
    return text(`${path} ${body.length}`);
  });
  const limits = {
    activeMax: 4,
    waitingMax: 4,
    bodyBytesMax: 50,
    headTimeMs: 200,
    bodyTimeMs: 200,
    stallTimeMs: 200,
  };
  return serveRoutes({ "/now": constant("now"), "/later/...": later, "/mirror": mirror }, { limits });
}

/** A small generator with a fixed seed, so that a failure can be seen again. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}

type Random = ReturnType<typeof randomNumbers>;

function mutate(random: Random, message: string): string {
  const at = random(message.length + 1);
  const [before, after] = [message.slice(0, at), message.slice(at)];
  switch (random(5)) {
    case 0:
      return before + String.fromCharCode(random(256)) + after.slice(1);
    case 1:
      return before + after.slice(random(4));
    case 2:
      return before + before.slice(-random(30)) + after;
    case 3:
      return `${before}${random(1_000_000_000)}${after}`;
    default:
      return message;
  }
}

async function attack(random: Random, { address }: Served): Promise<void> {
  using client = await RawClient.connect(address);
  let message = "";
  for (let i = random(4); i >= 0; i--) message += mutate(random, SEEDS[random(SEEDS.length)] ?? "");
  while (message !== "") {
    const piece = message.slice(0, 1 + random(200));
    message = message.slice(piece.length);
    client.send(piece);
    if (random(4) === 0) await sleep(1);
  }
  if (random(3) === 0) client.socket.end();
  await sleep(random(20));
}

test(`HttpTrigger survives broken requests and keeps nothing of them (seed ${SEED})`, async () => {
  const random = randomNumbers(SEED);
  await using served = await serveAll();
  for (let round = 0; round < ROUNDS; round += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => attack(random, served)));
  }
  await settled(served);
  await eventually(() => assert.equal(served.trigger.counts.connections, 0));
  assert.equal(bodyOf(await get(served.address, "/now")), "now");
  const faults = served.log.filter(({ message }) => !/content-length|malformed/.test(message));
  assert.deepEqual(faults, []);
});
