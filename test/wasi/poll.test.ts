// poll_oneoff, in both generations.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Clock, systemClock } from "../../src/wasi/mod.ts";
import { AbiGuest, mount, Shifted } from "./abi-guest.ts";
import { TemporaryFolder } from "./temporary.ts";

type Generation = "wasi_snapshot_preview1" | "wasi_unstable";

type Subscription =
  | { readonly clock: number; readonly timeoutNs: bigint; readonly absolute?: boolean }
  | { readonly read: number }
  | { readonly write: number }
  | { readonly type: number };

interface Event {
  readonly userdata: bigint;
  readonly errno: number;
  readonly type: number;
  readonly bytes: bigint;
}

/** Sleeps at once, and remembers for how long. */
class FakeClock implements Clock {
  readonly slept: bigint[] = [];
  now = 1_000_000n;
  realtimeNs(): bigint {
    return this.now;
  }
  monotonicNs(): bigint {
    return this.now;
  }
  async sleep(ns: bigint): Promise<void> {
    this.slept.push(ns);
    this.now += ns;
  }
}

function writeSubscriptions(
  guest: AbiGuest,
  generation: Generation,
  subscriptions: readonly Subscription[],
): number {
  const { memory } = guest;
  const [bytes, clockAt] = generation === "wasi_unstable" ? [56, 24] : [48, 16];
  const start = guest.allocate(bytes * subscriptions.length);
  for (const [index, subscription] of subscriptions.entries()) {
    const at = start + index * bytes;
    memory.writeU64(at, BigInt(100 + index));
    if ("clock" in subscription) {
      memory.writeU8(at + 8, 0);
      memory.writeU32(at + clockAt, subscription.clock);
      memory.writeU64(at + clockAt + 8, subscription.timeoutNs);
      memory.writeU16(at + clockAt + 24, subscription.absolute ? 1 : 0);
    } else if ("type" in subscription) {
      memory.writeU8(at + 8, subscription.type);
    } else {
      memory.writeU8(at + 8, "read" in subscription ? 1 : 2);
      memory.writeU32(at + 16, "read" in subscription ? subscription.read : subscription.write);
    }
  }
  return start;
}

async function poll(
  guest: AbiGuest,
  subscriptions: readonly Subscription[],
  generation: Generation = "wasi_snapshot_preview1",
): Promise<readonly Event[] | string> {
  const start = writeSubscriptions(guest, generation, subscriptions);
  const output = guest.allocate(32 * Math.max(1, subscriptions.length));
  const result = guest.allocate(4);
  const errno = await guest.callLater("poll_oneoff", start, output, subscriptions.length, result);
  if (errno !== "SUCCESS") return errno;
  return Array.from({ length: guest.memory.readU32(result) }, (_, index) => {
    const at = output + index * 32;
    return {
      userdata: guest.memory.readU64(at),
      errno: guest.memory.readU16(at + 8),
      type: guest.memory.readU8(at + 10),
      bytes: guest.memory.readU64(at + 16),
    };
  });
}

for (const generation of ["wasi_snapshot_preview1", "wasi_unstable"] as const) {
  test(`poll_oneoff waits for the first clock, and tells those that are due together (${generation})`, async () => {
    const clock = new FakeClock();
    using guest = new AbiGuest({ generation, call: { clock } });
    const events = await poll(
      guest,
      [
        { clock: 1, timeoutNs: 7_000n },
        { clock: 0, timeoutNs: 5_000n },
        { clock: 1, timeoutNs: 1_005_000n, absolute: true },
      ],
      generation,
    );
    assert.deepEqual(events, [
      { userdata: 101n, errno: 0, type: 0, bytes: 0n },
      { userdata: 102n, errno: 0, type: 0, bytes: 0n },
    ]);
    assert.deepEqual(clock.slept, [5_000n]);
  });
}

test("poll_oneoff does not wait, nor shift, for streams, files and times that have passed", async () => {
  using folder = new TemporaryFolder({ file: "12345" });
  using mounted = new DisposableStack();
  const mounts = [await mount(mounted, folder.path, { kind: "snapshot", access: "read" })];
  const clock = new FakeClock();
  using guest = new AbiGuest({ gear: "first", mounts, call: { clock, stdin: Buffer.from("abc") } });
  const { fd } = guest.open("file");
  guest.read(fd, 2);
  const events = await poll(guest, [
    { read: 0 },
    { write: 1 },
    { read: fd },
    { clock: 1, timeoutNs: 0n },
    { clock: 1, timeoutNs: 999_999n, absolute: true },
    { clock: 1, timeoutNs: 2n ** 63n },
  ]);
  assert.deepEqual(events, [
    { userdata: 100n, errno: 0, type: 1, bytes: 3n },
    { userdata: 101n, errno: 0, type: 2, bytes: 0n },
    { userdata: 102n, errno: 0, type: 1, bytes: 3n },
    { userdata: 103n, errno: 0, type: 0, bytes: 0n },
    { userdata: 104n, errno: 0, type: 0, bytes: 0n },
  ]);
  assert.deepEqual(clock.slept, []);
});

test("poll_oneoff tells in the event what cannot be waited for", async () => {
  using guest = new AbiGuest();
  const events = await poll(guest, [
    { read: 99 },
    { write: 0 },
    { read: 1 },
    { clock: 2, timeoutNs: 1n },
    { clock: 7, timeoutNs: 1n },
  ]);
  assert.ok(Array.isArray(events));
  assert.deepEqual(
    events.map((event) => event.errno),
    [8, 8, 8, 28, 28],
  );
});

test("poll_oneoff shifts before it waits", async () => {
  using guest = new AbiGuest({ gear: "first" });
  await assert.rejects(poll(guest, [{ clock: 1, timeoutNs: 1n }]), Shifted);
});

test("a guest that is ended while it waits is not written to", async () => {
  using guest = new AbiGuest({ call: { clock: systemClock } });
  const start = writeSubscriptions(guest, "wasi_snapshot_preview1", [
    { clock: 1, timeoutNs: 2n ** 64n - 1n },
  ]);
  const output = guest.allocate(40);
  const waiting = guest.callLater("poll_oneoff", start, output, 1, output + 32);
  guest.abort.abort();
  await assert.rejects(waiting, { name: "AbortError" });
  assert.deepEqual([...guest.memory.read(output, 40)], Array(40).fill(0));
});

for (const { count, errno } of [
  { count: 0, errno: "INVAL" },
  { count: 2048, errno: "SUCCESS" },
  { count: 2049, errno: "INVAL" },
]) {
  test(`poll_oneoff answers ${errno} for ${count} subscriptions`, async () => {
    using guest = new AbiGuest({ pages: 8 });
    const events = await poll(guest, Array<Subscription>(count).fill({ write: 1 }));
    assert.equal(typeof events === "string" ? events : "SUCCESS", errno);
  });
}

test("poll_oneoff answers INVAL for a type that there is not", async () => {
  using guest = new AbiGuest();
  assert.equal(await poll(guest, [{ write: 1 }, { type: 3 }]), "INVAL");
});
