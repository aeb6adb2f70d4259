import assert from "node:assert/strict";
import { test } from "node:test";
import { SpareBytes } from "./spare-bytes.ts";

const KIB = 1024;
const filled = (length: number, byte: number) => new Uint8Array(length).fill(byte);

for (const length of [0, 1, 8 * KIB - 1, 8 * KIB, 8 * KIB + 1, 64 * KIB, 1024 * KIB, 1024 * KIB + 1]) {
  test(`SpareBytes.copy() of ${length} bytes has all of them and no other, in new memory and in used memory`, () => {
    const spare = new SpareBytes();
    for (const byte of [1, 2]) {
      const copy = spare.copy(filled(length, byte));
      assert.deepEqual(copy, Buffer.from(filled(length, byte)));
      spare.giveBack(copy);
    }
  });
}

test("SpareBytes.copy() uses the memory again that was given back, also for fewer bytes", () => {
  const spare = new SpareBytes();
  const first = spare.copy(filled(64 * KIB, 1));
  spare.giveBack(first);
  const second = spare.copy(filled(40 * KIB, 2));
  assert.equal(second.buffer, first.buffer);
  assert.deepEqual(second, Buffer.from(filled(40 * KIB, 2)));
});

test("SpareBytes.copy() shares no memory with a copy that was not given back", () => {
  const spare = new SpareBytes();
  assert.notEqual(spare.copy(filled(64 * KIB, 1)).buffer, spare.copy(filled(64 * KIB, 2)).buffer);
});

test("SpareBytes.giveBack() heeds only the first of two calls, and no memory that it did not give out", () => {
  const spare = new SpareBytes();
  const first = spare.copy(filled(64 * KIB, 1));
  spare.giveBack(first);
  spare.giveBack(first);
  spare.giveBack(filled(64 * KIB, 1));
  const copies = [2, 3, 4].map((byte) => spare.copy(filled(64 * KIB, byte)));
  assert.equal(new Set(copies.map(({ buffer }) => buffer)).size, 3);
});

test("SpareBytes.giveBack() keeps 8 MiB at most", () => {
  const spare = new SpareBytes();
  const copies = Array.from({ length: 9 }, () => spare.copy(filled(1024 * KIB, 1)));
  for (const copy of copies) spare.giveBack(copy);
  const again = new Set(copies.map(() => spare.copy(filled(1024 * KIB, 2)).buffer));
  assert.equal(copies.filter(({ buffer }) => again.has(buffer)).length, 8);
});
