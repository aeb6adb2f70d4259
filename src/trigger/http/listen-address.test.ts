import assert from "node:assert/strict";
import { test } from "node:test";
import { SpindleError } from "../../errors/mod.ts";
import { formatAddress, parseListenAddress } from "./listen-address.ts";

const addresses = [
  { text: "127.0.0.1:3000", host: "127.0.0.1", port: 3000 },
  { text: "localhost:0", host: "localhost", port: 0 },
  { text: "my-host.example:65535", host: "my-host.example", port: 65535 },
  { text: "[::1]:80", host: "::1", port: 80 },
  { text: "[fe80::1%eth0]:80", host: "fe80::1%eth0", port: 80 },
];

for (const { text, host, port } of addresses) {
  test(`parseListenAddress() reads "${text}", and formatAddress() writes it`, () => {
    assert.deepEqual(parseListenAddress(text), { host, port });
    assert.equal(formatAddress({ host, port }), text);
  });
}

const mistakes = [
  "",
  "3000",
  ":3000",
  "localhost",
  "localhost:",
  "localhost:65536",
  "localhost:x",
  "::1:80",
  "a b:80",
];

for (const text of mistakes) {
  test(`parseListenAddress() refuses "${text}"`, () => {
    assert.throws(
      () => parseListenAddress(text),
      (error: unknown) => error instanceof SpindleError && error.code === "LISTEN_ADDRESS_INVALID",
    );
  });
}
