// wasi:clocks, wasi:random, and waiting for times.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Clock, systemClock } from "../../../src/wasi/mod.ts";
import { Shifted } from "../abi-guest.ts";
import { InterfaceGuest, OCTOBER } from "./interface-guest.ts";

const MONOTONIC = "clocks/monotonic-clock#";
const MS = 1_000_000n;

/** Stands still but for those who sleep, who are woken at once. */
class StillClock implements Clock {
  nowNs = 5000n;
  realtimeNs = () => 1_640_995_200_123_456_789n;
  monotonicNs = () => this.nowNs;
  async sleep(ns: bigint): Promise<void> {
    this.nowNs += ns;
  }
}

test("the wall clock tells seconds and nanoseconds", () => {
  using guest = new InterfaceGuest({ gear: "first", call: { clock: new StillClock() } });
  assert.deepEqual(guest.call("clocks/wall-clock#now"), {
    seconds: 1_640_995_200n,
    nanoseconds: 123_456_789,
  });
  assert.deepEqual(guest.call("clocks/wall-clock#resolution"), { seconds: 0n, nanoseconds: 1_000_000 });
  assert.equal(guest.call(`${MONOTONIC}now`), 5000n);
  assert.equal(guest.call(`${MONOTONIC}resolution`), 1n);
});

const subscriptions = [
  { fn: "subscribe-instant", args: [5000n], isReady: true },
  { fn: "subscribe-instant", args: [0n], isReady: true },
  { fn: "subscribe-instant", args: [5001n], isReady: false },
  { fn: "subscribe-instant", args: [2n ** 64n - 1n], isReady: false },
  { fn: "subscribe-duration", args: [0n], isReady: true },
  { fn: "subscribe-duration", args: [1n], isReady: false },
  { fn: "subscribe-duration", args: [2n ** 64n - 1n], isReady: false },
  { fn: "subscribe", args: [5000n, true], isReady: true, version: OCTOBER },
  { fn: "subscribe", args: [5000n, false], isReady: false, version: OCTOBER },
];
for (const { fn, args, isReady, version } of subscriptions) {
  test(`${fn}(${args.join(", ")}) at 5000 is ${isReady ? "ready" : "not ready"}`, () => {
    const call = { clock: new StillClock() };
    using guest = new InterfaceGuest({ gear: "first", call, ...(version !== undefined && { version }) });
    const alarm = guest.call(`${MONOTONIC}${fn}`, ...args);
    const poll = version ? "poll-list" : "poll";
    if (isReady) assert.deepEqual(guest.call(`io/poll#${poll}`, [alarm]), [0]);
    else assert.throws(() => guest.call(`io/poll#${poll}`, [alarm]), Shifted);
  });
}

test("a poll returns all that are ready by then, in the order of the list", async () => {
  using guest = new InterfaceGuest({ call: { clock: new StillClock() } });
  const [near, far] = [10n, 20n].map((ns) => guest.call(`${MONOTONIC}subscribe-duration`, ns));
  assert.deepEqual(await guest.wait(far, near, near), [1, 2]);
  assert.deepEqual(await guest.wait(near, far), [0]);
  await guest.call("io/poll#[method]pollable.block", far);
  assert.deepEqual(await guest.wait(near, far), [0, 1]);
});

test("the real clock wakes whoever waits, not before the time", async () => {
  using guest = new InterfaceGuest();
  const start = systemClock.monotonicNs();
  await guest.call("io/poll#[method]pollable.block", guest.call(`${MONOTONIC}subscribe-duration`, 5n * MS));
  assert.ok(systemClock.monotonicNs() - start >= 5n * MS);
});

test("waiting ends with the call", async () => {
  using guest = new InterfaceGuest();
  const waiting = guest.wait(guest.call(`${MONOTONIC}subscribe-duration`, 3_600_000n * MS));
  guest.abort.abort(new Error("over"));
  await assert.rejects(waiting, /over/);
  await assert.rejects(guest.wait(guest.call(`${MONOTONIC}subscribe-duration`, MS)), /over/);
});

test("an empty list is a trap", () => {
  using guest = new InterfaceGuest();
  assert.throws(() => guest.call("io/poll#poll", []), /polls an empty list/);
});

test("2,048 things can be polled, and one more is a trap", () => {
  using guest = new InterfaceGuest();
  const ready = guest.call(`${MONOTONIC}subscribe-instant`, 0n);
  assert.equal(guest.call<number[]>("io/poll#poll", Array(2048).fill(ready)).length, 2048);
  assert.throws(() => guest.call("io/poll#poll", Array(2049).fill(ready)), /more than 2048/);
});

test("random bytes are many, different, and given again to a replay", () => {
  using guest = new InterfaceGuest({ gear: "first" });
  const bytes = guest.call<Uint8Array>("random/random#get-random-bytes", 16n);
  const number = guest.call("random/random#get-random-u64");
  const seed = guest.call<bigint[]>("random/insecure-seed#insecure-seed");
  assert.equal(bytes.length, 16);
  assert.notEqual(seed[0], seed[1]);
  guest.wasi.rewind();
  guest.gear = "second";
  assert.deepEqual(guest.call("random/insecure#get-insecure-random-bytes", 16n), bytes);
  assert.equal(guest.call("random/insecure#get-insecure-random-u64"), number);
  assert.deepEqual(guest.call("random/insecure-seed#insecure-seed"), seed);
  assert.notEqual(guest.call("random/random#get-random-u64"), number);
});

test("16 MiB of random bytes can be had at once, more is a trap", () => {
  using guest = new InterfaceGuest();
  const most = 16n * 1024n * 1024n;
  assert.equal(guest.call<Uint8Array>("random/random#get-random-bytes", most).length, Number(most));
  for (const length of [most + 1n, 2n ** 64n - 1n]) {
    assert.throws(() => guest.call("random/random#get-random-bytes", length), /random bytes at once/);
  }
});
