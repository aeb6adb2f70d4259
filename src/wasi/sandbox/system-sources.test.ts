import assert from "node:assert/strict";
import { test } from "node:test";

import { systemClock, systemRandom } from "./system-sources.ts";

test("systemClock.sleep() is never early", async () => {
  const { signal } = new AbortController();
  for (const ns of [0n, 1n, 1_500_000n]) {
    const before = systemClock.monotonicNs();
    await systemClock.sleep(ns, signal);
    assert.ok(systemClock.monotonicNs() - before >= ns);
  }
});

test("systemClock.sleep() waits for centuries without firing at once, and ends with its signal", async () => {
  const abort = new AbortController();
  const slept = systemClock.sleep(2n ** 64n - 1n, abort.signal);
  setImmediate(() => abort.abort());
  await assert.rejects(slept, { name: "AbortError" });
});

test("systemClock.monotonicNs() does not go back", () => {
  const first = systemClock.monotonicNs();
  assert.ok(systemClock.monotonicNs() >= first);
});

test("systemClock.realtimeNs() counts nanoseconds since 1970", () => {
  assert.equal(
    new Date(Number(systemClock.realtimeNs() / 1_000_000n)).getFullYear(),
    new Date().getFullYear(),
  );
});

for (const length of [0, 1, 16, 511, 512, 513, 4096, 100_000]) {
  test(`systemRandom.fill() gives ${length} bytes that do not repeat`, () => {
    const [a, b] = [new Uint8Array(length), new Uint8Array(length)];
    systemRandom.fill(a);
    systemRandom.fill(b);
    if (length >= 16) assert.notDeepEqual(a, b);
    if (length >= 512) assert.ok(new Set(a).size > 100);
  });
}

test("systemRandom.fill() gives each byte of its pool once", () => {
  const seen = new Set<string>();
  for (let round = 0; round < 2000; round++) {
    const bytes = Buffer.alloc(16);
    systemRandom.fill(bytes);
    seen.add(bytes.toString("hex"));
  }
  assert.equal(seen.size, 2000);
});
