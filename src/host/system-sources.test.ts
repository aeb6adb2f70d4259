// Time and randomness of this machine.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SYSTEM_CLOCK, SYSTEM_RANDOM } from "./system-sources.ts";

test("SYSTEM_CLOCK.realtimeNs() is the time of day, and finer than milliseconds", () => {
  const readings = Array.from({ length: 20 }, () => SYSTEM_CLOCK.realtimeNs());
  const apartMs = Number((readings[0] ?? 0n) / 1_000_000n) - Date.now();
  assert.ok(Math.abs(apartMs) < 1000, `${apartMs} ms apart from Date`);
  assert.ok(new Set(readings.map((ns) => ns % 1_000_000n)).size > 1);
});

test("SYSTEM_CLOCK.monotonicNs() never goes back", () => {
  const readings = Array.from({ length: 100 }, () => SYSTEM_CLOCK.monotonicNs());
  assert.ok(readings.every((ns, index) => ns >= (readings[index - 1] ?? 0n)));
});

test("SYSTEM_CLOCK.sleep() takes no less time than it was asked for", async () => {
  const start = SYSTEM_CLOCK.monotonicNs();
  await SYSTEM_CLOCK.sleep(1_500_000n, AbortSignal.timeout(10_000));
  assert.ok(SYSTEM_CLOCK.monotonicNs() - start >= 1_500_000n);
});

test("SYSTEM_CLOCK.sleep() ends with the reason of the signal, however long it was to be", async () => {
  const reason = new Error("enough");
  await assert.rejects(SYSTEM_CLOCK.sleep(2n ** 63n, AbortSignal.abort(reason)), reason);
});

for (const length of [0, 1, 32, 4095, 4096, 4097, 20_000]) {
  test(`SYSTEM_RANDOM fills ${length} bytes, each time others`, () => {
    const [first, second] = [new Uint8Array(length), new Uint8Array(length)];
    SYSTEM_RANDOM.fill(first);
    SYSTEM_RANDOM.fill(second);
    if (length >= 32) assert.notDeepEqual(first, second);
    const zeros = first.filter((byte) => byte === 0).length;
    assert.ok(zeros <= 4 + length / 100, `${zeros} zeros of ${length}`);
  });
}
