import assert from "node:assert/strict";
import { test } from "node:test";
import { SpindleError } from "../errors/mod.ts";
import { BlockedNetworks } from "./blocked-networks.ts";

const PRIVATE = [
  "0.0.0.0",
  "10.10.10.10",
  "100.64.1.1",
  "127.0.0.1",
  "169.254.169.254",
  "172.31.255.255",
  "192.0.0.1",
  "192.168.1.1",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::10.0.0.1",
  "::ffff:10.10.10.10",
  "::ffff:7f00:1",
  "64:ff9b::7f00:1",
  "2002:7f00:1::",
  "fc00::f00d",
  "fe80::1%eth0",
  "ff02::1",
];
for (const address of PRIVATE) {
  test(`BlockedNetworks.blocks() says yes to ${address} if private networks are blocked`, () => {
    assert.equal(new BlockedNetworks({ private: true }).blocks(address), true);
  });
}

for (const address of ["1.1.1.1", "123.123.123.123", "172.32.0.1", "::ffff:8.8.8.8", "2600::beef"]) {
  test(`BlockedNetworks.blocks() says no to ${address}, which is public`, () => {
    assert.equal(new BlockedNetworks({ private: true }).blocks(address), false);
  });
}

const LISTED = [
  { address: "123.123.0.0", blocked: true, because: "it is the first of the block" },
  { address: "123.123.255.255", blocked: true, because: "it is the last of the block" },
  { address: "123.124.0.0", blocked: false, because: "it is behind the block" },
  { address: "::ffff:123.123.1.1", blocked: true, because: "it is the same address in IPv6 clothes" },
  { address: "2001:db8::1", blocked: true, because: "it is in the IPv6 block" },
  { address: "9.9.9.9", blocked: true, because: "an address is a block of one" },
  { address: "10.0.0.1", blocked: false, because: "private networks are not asked for" },
];
for (const { address, blocked, because } of LISTED) {
  test(`BlockedNetworks.blocks() says ${blocked ? "yes" : "no"} to ${address}: ${because}`, () => {
    const networks = new BlockedNetworks({ networks: ["123.123.0.0/16", "2001:db8::/32", "9.9.9.9"] });
    assert.equal(networks.blocks(address), blocked);
  });
}

test("BlockedNetworks.blocks() says no to everything by default", () => {
  assert.equal(new BlockedNetworks().isEmpty, true);
  assert.equal(new BlockedNetworks().blocks("127.0.0.1"), false);
});

for (const network of ["", "example.com", "10.0.0.0/33", "::/129", "10.0.0.0/8/8", "10.0.0.0/", "10.0.0/8"]) {
  test(`BlockedNetworks refuses "${network}", which is no network`, () => {
    assert.throws(
      () => new BlockedNetworks({ networks: [network] }),
      (error) => error instanceof SpindleError && error.code === "OUTBOUND_NETWORK_INVALID",
    );
  });
}
