// The value of `--listen`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseListenAddress } from "./listen-address.ts";

const READ = [
  { text: "127.0.0.1:3000", host: "127.0.0.1", port: 3000 },
  { text: "localhost:0", host: "localhost", port: 0 },
  { text: "[::1]:65535", host: "::1", port: 65_535 },
];
for (const { text, host, port } of READ) {
  test(`parseListenAddress() reads "${text}"`, () => {
    assert.deepEqual(parseListenAddress(text), { host, port });
  });
}

for (const text of [
  "",
  "3000",
  ":3000",
  "localhost",
  "localhost:",
  "localhost:65536",
  "::1:3000",
  "[x]:1",
  "a:-1",
]) {
  test(`parseListenAddress() refuses "${text}"`, () => {
    assert.throws(() => parseListenAddress(text), { code: "commander.invalidArgument" });
  });
}
