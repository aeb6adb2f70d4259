import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteReader } from "./byte-reader.ts";
import { MalformedModuleError } from "./malformed-module-error.ts";

function readerOf(...bytes: readonly number[]): ByteReader {
  return new ByteReader(Uint8Array.from(bytes), { start: 0, end: bytes.length });
}

const unsigned = [
  { bytes: [0x00], value: 0 },
  { bytes: [0x7f], value: 127 },
  { bytes: [0x80, 0x01], value: 128 },
  { bytes: [0x80, 0x80, 0x80, 0x80, 0x00], value: 0, because: "a longer form than needed is allowed" },
  { bytes: [0xff, 0xff, 0xff, 0xff, 0x0f], value: 0xffffffff },
];
for (const { bytes, value, because } of unsigned) {
  test(`ByteReader.u32() reads ${value} from ${bytes.length} bytes${because ? `: ${because}` : ""}`, () => {
    const reader = readerOf(...bytes);
    assert.equal(reader.u32(), value);
    assert.ok(reader.done);
  });
}

const signed33 = [
  { bytes: [0x40], value: -64 },
  { bytes: [0x70], value: -16 },
  { bytes: [0x3f], value: 63 },
  { bytes: [0xc0, 0x00], value: 64 },
  { bytes: [0xff, 0xff, 0xff, 0xff, 0x0f], value: 0xffffffff },
];
for (const { bytes, value } of signed33) {
  test(`ByteReader.s33() reads ${value}`, () => assert.equal(readerOf(...bytes).s33(), value));
}

const failures = [
  { what: "u8() at the end", read: () => readerOf().u8(), offset: 0 },
  { what: "u32() of more than 32 bits", read: () => readerOf(0xff, 0xff, 0xff, 0xff, 0x1f).u32(), offset: 0 },
  {
    what: "u32() that does not end",
    read: () => readerOf(0x80, 0x80, 0x80, 0x80, 0x80, 0x00).u32(),
    offset: 0,
  },
  { what: "u64() that does not end", read: () => readerOf(...Array(11).fill(0x80)).u64(), offset: 0 },
  { what: "s33() that does not end", read: () => readerOf(...Array(6).fill(0x80)).s33(), offset: 0 },
  {
    what: "skipInteger() that does not end",
    read: () => readerOf(...Array(11).fill(0x80)).skipInteger(),
    offset: 0,
  },
  { what: "count() beyond what is left", read: () => readerOf(0x03, 0x00, 0x00).count("things"), offset: 0 },
  { what: "skip() beyond the end", read: () => readerOf(0x00).skip(2), offset: 0 },
  {
    what: "name() longer than what is left",
    read: () => readerOf(0xff, 0xff, 0xff, 0xff, 0x0f).name(),
    offset: 0,
  },
  { what: "name() that is not UTF-8", read: () => readerOf(0x02, 0xc3, 0x28).name(), offset: 1 },
];
for (const { what, read, offset } of failures) {
  test(`ByteReader refuses ${what}, and says where`, () => {
    assert.throws(read, (error) => error instanceof MalformedModuleError && error.offset === offset);
  });
}

test("ByteReader.count() takes as many elements as there are bytes left", () => {
  assert.equal(readerOf(0x02, 0x00, 0x00).count("things"), 2);
});

test("ByteReader.name() keeps text that is not ASCII, and a byte order mark", () => {
  const text = "\uFEFFé🦀";
  const bytes = new TextEncoder().encode(text);
  assert.equal(readerOf(bytes.length, ...bytes).name(), text);
});

test("ByteReader reads nothing behind its range, even if there are bytes", () => {
  const reader = new ByteReader(Uint8Array.of(1, 2, 3), { start: 0, end: 1 });
  reader.u8();
  assert.throws(() => reader.u8(), MalformedModuleError);
});
