import assert from "node:assert/strict";
import { test } from "node:test";

import { AllowedHosts } from "../manifest/mod.ts";
import { BlockedNetworks } from "./blocked-networks.ts";
import { OutboundSockets } from "./outbound-sockets.ts";

function sockets(items: readonly string[], reported: string[] = []): OutboundSockets {
  const blocked = new BlockedNetworks({ networks: ["10.0.0.0/8", "fd00::/8"] });
  const network = { blocked, report: (text: string) => void reported.push(text) };
  return new OutboundSockets(network, { id: "guest", allowedHosts: AllowedHosts.parse(items) });
}

const cases = [
  { items: [], use: "tcp-connect", address: "192.0.2.1", port: 80, allowed: false, because: "nothing is" },
  {
    items: ["*://192.0.2.1:80"],
    use: "tcp-connect",
    address: "192.0.2.1",
    port: 80,
    allowed: true,
    because: "of any scheme",
  },
  {
    items: ["tcp://192.0.2.1:80"],
    use: "tcp-connect",
    address: "192.0.2.1",
    port: 81,
    allowed: false,
    because: "of another port",
  },
  {
    items: ["http://192.0.2.1:80"],
    use: "tcp-connect",
    address: "192.0.2.1",
    port: 80,
    allowed: false,
    because: "of another scheme",
  },
  {
    items: ["tcp://192.0.2.0/24:*"],
    use: "tcp-connect",
    address: "192.0.2.9",
    port: 1,
    allowed: true,
    because: "in the network",
  },
  {
    items: ["tcp://192.0.2.0/24:*"],
    use: "udp-send",
    address: "192.0.2.9",
    port: 1,
    allowed: false,
    because: "of another scheme",
  },
  {
    items: ["udp://0.0.0.0:0"],
    use: "udp-bind",
    address: "0.0.0.0",
    port: 0,
    allowed: true,
    because: "bound anywhere",
  },
  {
    items: ["udp://[2001:db8::1]:53"],
    use: "udp-send",
    address: "2001:db8::1",
    port: 53,
    allowed: true,
    because: "of version 6",
  },
  {
    items: ["*://*:*"],
    use: "tcp-connect",
    address: "10.1.2.3",
    port: 80,
    allowed: false,
    because: "blocked",
  },
  { items: ["*://*:*"], use: "udp-send", address: "fd00::1", port: 80, allowed: false, because: "blocked" },
] as const;
for (const { items, use, address, port, allowed, because } of cases) {
  test(`OutboundSockets.allows(${use}, ${address} ${port}) is ${allowed} with [${items}]: ${because}`, () => {
    assert.equal(sockets(items).allows(use, { address, port }), allowed);
  });
}

test("the operator is told what to add to the manifest", () => {
  const reported: string[] = [];
  sockets([], reported).allows("udp-send", { address: "2001:db8::1", port: 53 });
  assert.match(reported[0] ?? "", /add 'allowed_outbound_hosts = \["udp:\/\/\[2001:db8::1\]:53"\]'/);
});

test("1,024 sockets are admitted, however often one is let go", () => {
  const one = sockets([]);
  using held = new DisposableStack();
  for (let count = 0; count < 1024; count++) held.use(one.admit());
  assert.equal(sockets([]).admit(), undefined);
  held.dispose();
  const again = one.admit();
  again?.[Symbol.dispose]();
  again?.[Symbol.dispose]();
  using all = new DisposableStack();
  for (let count = 0; count < 1024; count++) assert.ok(all.use(one.admit()));
  assert.equal(one.admit(), undefined);
});
