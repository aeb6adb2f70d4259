import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";

function readerOf(writer: ByteWriter): ByteReader {
  const bytes = writer.take();
  return new ByteReader(bytes, { start: 0, end: bytes.length });
}

for (const value of [0, 1, 127, 128, 16383, 16384, 0x7fffffff, 0x80000000, 0xffffffff]) {
  test(`ByteWriter.u32() writes ${value} as ByteReader.u32() reads it`, () => {
    assert.equal(readerOf(new ByteWriter().u32(value)).u32(), value);
  });
}

for (const value of [0, 127, 128, 0xffffffff, 2 ** 40, 2 ** 48 + 1, Number.MAX_SAFE_INTEGER]) {
  test(`ByteWriter.u64() writes ${value} as ByteReader.u64() reads it`, () => {
    assert.equal(readerOf(new ByteWriter().u64(value)).u64(), value);
  });
}

for (const value of [0, 1, -1, 63, 64, -64, -65, 8191, 8192, -8192, -8193, 0x7fffffff, -0x80000000]) {
  test(`ByteWriter.signed() writes ${value} as ByteReader.s33() reads it`, () => {
    assert.equal(readerOf(new ByteWriter().signed(value)).s33(), value);
  });
}

test("ByteWriter grows past its capacity without losing a byte", () => {
  const writer = new ByteWriter(1);
  const bytes = Uint8Array.from({ length: 1000 }, (_, index) => index & 0xff);
  for (const end of [1, 10, 49, 500, 1000]) writer.copy(bytes, 0, end);
  const expected = [1, 10, 49, 500, 1000].flatMap((end) => [...bytes.subarray(0, end)]);
  assert.deepEqual([...writer.take()], expected);
});

test("ByteWriter.take() gives a buffer of exactly what was written, and leaves the writer empty", () => {
  const writer = new ByteWriter(100).u8(1, 2, 3);
  assert.equal(writer.take().buffer.byteLength, 3);
  assert.equal(writer.length, 0);
  assert.deepEqual([...writer.u8(4).take()], [4]);
});
