// wasi:sockets, with real peers on this machine.

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";

import type { GuestNetwork } from "../../../src/wasi/mod.ts";
import { Shifted } from "../abi-guest.ts";
import { InterfaceGuest, OCTOBER, type Outcome, text } from "./interface-guest.ts";

const TCP = "sockets/tcp#[method]tcp-socket.";
const UDP = "sockets/udp#[method]udp-socket.";
const INCOMING = "sockets/udp#[method]incoming-datagram-stream.";
const OUTGOING = "sockets/udp#[method]outgoing-datagram-stream.";
const LOOKUP = "sockets/ip-name-lookup#";
const NEXT = `${LOOKUP}[method]resolve-address-stream.resolve-next-address`;
const IN = "io/streams#[method]input-stream.";
const OUT = "io/streams#[method]output-stream.";
const CLOSED = { tag: "closed" };

/** Allows what it is told, and counts. */
class CountingNetwork implements GuestNetwork {
  readonly asked: string[] = [];
  open = 0;
  readonly #allowed: RegExp;
  readonly #most: number;
  lookUp?: (name: string, signal: AbortSignal) => Promise<readonly string[]>;

  constructor(allowed = /./, most = Number.POSITIVE_INFINITY) {
    this.#allowed = allowed;
    this.#most = most;
  }

  allows: GuestNetwork["allows"] = (use, { address, port }) => {
    const asked = `${use} ${address} ${port}`;
    this.asked.push(asked);
    return this.#allowed.test(asked);
  };

  admit(): Disposable | undefined {
    if (this.open >= this.#most) return undefined;
    this.open++;
    return { [Symbol.dispose]: () => void this.open-- };
  }
}

function ipv4(port: number, address = [127, 0, 0, 1]) {
  return { tag: "ipv4", val: { port, address } };
}

function ipv6(port: number, address = [0, 0, 0, 0, 0, 0, 0, 1]) {
  return { tag: "ipv6", val: { port, flowInfo: 0, address, scopeId: 0 } };
}

/** A server that gives each connection to the test. */
async function serve(onConnection: (socket: Socket) => void): Promise<AsyncDisposable & { port: number }> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket.on("error", () => {}).on("close", () => open.delete(socket)));
    onConnection(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A server that listens on a port has an address.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

interface Connected {
  readonly guest: InterfaceGuest;
  readonly socket: unknown;
  readonly input: unknown;
  readonly output: unknown;
}

async function connect(port: number, network: GuestNetwork = new CountingNetwork()): Promise<Connected> {
  const guest = new InterfaceGuest({ network });
  const socket = guest.ok("sockets/tcp-create-socket#create-tcp-socket", "ipv4");
  guest.ok(`${TCP}start-connect`, socket, instanceNetwork(guest), ipv4(port));
  const pollable = guest.call(`${TCP}subscribe`, socket);
  const connected = await guest.finish<[unknown, unknown]>(`${TCP}finish-connect`, socket, pollable);
  assert.ok(connected.tag === "ok", String(connected.val));
  const [input, output] = connected.val;
  return { guest, socket, input, output };
}

function instanceNetwork(guest: InterfaceGuest): unknown {
  return guest.call("sockets/instance-network#instance-network");
}

test("bytes go both ways, and each side closes in its own time", async () => {
  await using server = await serve((socket) => void socket.pipe(socket));
  const network = new CountingNetwork();
  const { guest, socket, input, output } = await connect(server.port, network);
  using _guest = guest;
  assert.deepEqual(network.asked, [`tcp-connect 127.0.0.1 ${server.port}`]);
  assert.deepEqual(guest.ok(`${TCP}remote-address`, socket), ipv4(server.port));
  assert.deepEqual(guest.ok<{ val: object }>(`${TCP}local-address`, socket).val, {
    ...ipv4(0).val,
    port: guest.ok<{ val: { port: number } }>(`${TCP}local-address`, socket).val.port,
  });
  assert.equal(text(guest.ok(`${IN}read`, input, 10n)), "");
  await guest.okLater(`${OUT}blocking-write-and-flush`, output, Buffer.from("hello 🦀"));
  assert.equal(text(await guest.okLater(`${IN}blocking-read`, input, 5n)), "hello");
  assert.equal(text(await guest.okLater(`${IN}blocking-read`, input, 100n)), " 🦀");
  guest.ok(`${TCP}shutdown`, socket, "send");
  assert.deepEqual(guest.err(`${OUT}check-write`, output), CLOSED);
  assert.deepEqual(await guest.errLater(`${IN}blocking-read`, input, 1n), CLOSED);
  assert.deepEqual(guest.err(`${IN}read`, input, 1n), CLOSED);
});

test("a peer that does not read makes the guest wait; once it reads, all arrives", async () => {
  const { promise, resolve } = Promise.withResolvers<Socket>();
  await using server = await serve((socket) => resolve(socket.pause()));
  const { guest, output } = await connect(server.port);
  using _guest = guest;
  const peer = await promise;
  let written = 0;
  for (;;) {
    const room = Number(guest.ok<bigint>(`${OUT}check-write`, output));
    if (room === 0) break;
    guest.ok(`${OUT}write`, output, Buffer.alloc(room, "x"));
    written += room;
    // The system takes some of it in between.
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(guest.call("io/poll#[method]pollable.ready", output), false);
  assert.throws(() => guest.call(`${OUT}write`, output, Buffer.from("x")), /takes 0 now/);
  const flushed = guest.okLater(`${OUT}blocking-write-and-flush`, output, Buffer.from("end"));
  let [received, last] = [0, ""];
  peer.on("data", (bytes: Buffer) => {
    received += bytes.length;
    last = bytes.subarray(-3).toString();
  });
  peer.resume();
  await flushed;
  guest.drop("io/streams#output-stream", output);
  await once(peer, "end");
  assert.deepEqual([received, last], [written + 3, "end"]);
});

test("after a flush there is no room until the bytes have gone", async () => {
  await using server = await serve((socket) => void socket.resume());
  const { guest, output } = await connect(server.port);
  using _guest = guest;
  guest.ok(`${OUT}write`, output, Buffer.alloc(65_536));
  guest.ok(`${OUT}flush`, output);
  if (guest.ok(`${OUT}check-write`, output) === 0n) await guest.wait(output);
  assert.equal(guest.ok(`${OUT}check-write`, output), 65_536n);
});

test("a splice from a socket waits for bytes", async () => {
  await using server = await serve((socket) => void setImmediate(() => socket.end("spliced")));
  const { guest, input } = await connect(server.port);
  using _guest = guest;
  const stdout = guest.call("cli/stdout#get-stdout");
  assert.equal(await guest.okLater(`${OUT}blocking-splice`, stdout, input, 100n), 7n);
  assert.deepEqual(await guest.errLater(`${OUT}blocking-splice`, stdout, input, 100n), CLOSED);
  assert.equal(guest.stdout.text, "spliced");
});

test("what was written is sent even if the guest ends at once", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  await using server = await serve((socket) => {
    let received = "";
    socket.on("data", (bytes) => (received += bytes)).on("end", () => resolve(received));
  });
  const network = new CountingNetwork();
  const { guest, output } = await connect(server.port, network);
  guest.ok(`${OUT}write`, output, Buffer.from("last words"));
  guest[Symbol.dispose]();
  assert.equal(await promise, "last words");
  assert.equal(network.open, 0);
});

test("a connection that is reset is an error once, then closed", async () => {
  await using server = await serve((socket) => void socket.once("data", () => socket.resetAndDestroy()));
  const { guest, input, output } = await connect(server.port);
  using _guest = guest;
  guest.ok(`${OUT}write`, output, Buffer.from("x"));
  const failed = await guest.errLater(`${IN}blocking-read`, input, 1n);
  const { tag, val } = failed as { tag: string; val: object };
  assert.equal(tag, "last-operation-failed");
  assert.match(guest.call("io/error#[method]error.to-debug-string", val), /connection-reset/);
  assert.equal(guest.call("filesystem/types#filesystem-error-code", val), undefined);
  assert.deepEqual(guest.err(`${IN}read`, input, 1n), CLOSED);
  guest.call(`${OUT}check-write`, output);
  assert.deepEqual(guest.err(`${OUT}check-write`, output), CLOSED);
});

test("a refused connection is connection-refused, and the socket is of no more use", async () => {
  const server = await serve(() => {});
  await server[Symbol.asyncDispose]();
  using guest = new InterfaceGuest({ network: new CountingNetwork() });
  const socket = guest.ok("sockets/tcp-create-socket#create-tcp-socket", "ipv4");
  guest.ok(`${TCP}start-connect`, socket, instanceNetwork(guest), ipv4(server.port));
  const again = () => guest.err(`${TCP}start-connect`, socket, instanceNetwork(guest), ipv4(server.port));
  assert.equal(again(), "concurrency-conflict");
  const outcome = await guest.finish(`${TCP}finish-connect`, socket, socket);
  assert.deepEqual(outcome, { tag: "err", val: "connection-refused" });
  assert.equal(again(), "invalid-state");
  assert.equal(guest.err(`${TCP}finish-connect`, socket), "not-in-progress");
});

test("connecting shifts, but refusing to needs no shift", () => {
  using guest = new InterfaceGuest({ gear: "first", network: new CountingNetwork(/ 127\.0\.0\.1 1$/) });
  const socket = guest.ok("sockets/tcp-create-socket#create-tcp-socket", "ipv4");
  assert.equal(guest.err(`${TCP}start-connect`, socket, {}, ipv4(2)), "access-denied");
  assert.throws(() => guest.ok(`${TCP}start-connect`, socket, {}, ipv4(1)), Shifted);
});

const mapped = [0, 0, 0, 0, 0, 0xffff, 0x7f00, 1];
const compatible = [0, 0, 0, 0, 0, 0, 0x7f00, 1];
const refusedAddresses = [
  { family: "ipv4", address: ipv6(80), because: "it is of the other family" },
  { family: "ipv6", address: ipv4(80), because: "it is of the other family" },
  { family: "ipv4", address: ipv4(0), because: "it has no port" },
  { family: "ipv4", address: ipv4(80, [0, 0, 0, 0]), because: "it is no address" },
  { family: "ipv4", address: ipv4(80, [224, 0, 0, 1]), because: "it is of many" },
  { family: "ipv4", address: ipv4(80, [255, 255, 255, 255]), because: "it is of all" },
  { family: "ipv6", address: ipv6(80, [0, 0, 0, 0, 0, 0, 0, 0]), because: "it is no address" },
  { family: "ipv6", address: ipv6(80, [0xff02, 0, 0, 0, 0, 0, 0, 1]), because: "it is of many" },
  { family: "ipv6", address: ipv6(80, mapped), because: "it is an IPv4 address" },
  { family: "ipv6", address: ipv6(80, compatible), because: "it is an IPv4 address" },
];
for (const { family, address, because } of refusedAddresses) {
  test(`connecting to ${JSON.stringify(address.val)} is invalid-argument for ${family}: ${because}`, () => {
    const network = new CountingNetwork();
    using guest = new InterfaceGuest({ network });
    const socket = guest.ok("sockets/tcp-create-socket#create-tcp-socket", family);
    assert.equal(guest.err(`${TCP}start-connect`, socket, {}, address), "invalid-argument");
    assert.deepEqual(network.asked, []);
  });
}

test("no network is allowed by default, but sockets can be made", () => {
  using guest = new InterfaceGuest();
  const tcp = guest.ok("sockets/tcp-create-socket#create-tcp-socket", "ipv6");
  assert.equal(guest.call(`${TCP}address-family`, tcp), "ipv6");
  assert.equal(guest.err(`${TCP}start-connect`, tcp, {}, ipv6(80)), "access-denied");
  const udp = guest.ok("sockets/udp-create-socket#create-udp-socket", "ipv4");
  assert.equal(guest.err(`${UDP}start-bind`, udp, {}, ipv4(0)), "access-denied");
  assert.equal(guest.err(`${LOOKUP}resolve-addresses`, {}, "localhost"), "access-denied");
});

test("guests never listen", () => {
  using guest = new InterfaceGuest({ network: new CountingNetwork() });
  const socket = guest.ok("sockets/tcp-create-socket#create-tcp-socket", "ipv4");
  assert.equal(guest.err(`${TCP}start-bind`, socket, {}, ipv4(0)), "access-denied");
  assert.equal(guest.err(`${TCP}start-bind`, socket, {}, ipv6(0)), "invalid-argument");
  for (const fn of ["finish-bind", "finish-listen"]) {
    assert.equal(guest.err(`${TCP}${fn}`, socket), "not-in-progress");
  }
  for (const fn of ["start-listen", "accept", "local-address", "remote-address"]) {
    assert.equal(guest.err(`${TCP}${fn}`, socket), "invalid-state");
  }
  assert.equal(guest.err(`${TCP}shutdown`, socket, "both"), "invalid-state");
  assert.equal(guest.call(`${TCP}is-listening`, socket), false);
});

const SECOND = 1_000_000_000n;
const options = [
  { name: "keep-alive-enabled", value: true, reads: true },
  { name: "keep-alive-idle-time", value: 3n * SECOND, reads: 3n * SECOND },
  { name: "keep-alive-idle-time", value: 1n, reads: SECOND },
  { name: "keep-alive-interval", value: 2n ** 64n - 1n, reads: 32_767n * SECOND },
  { name: "keep-alive-count", value: 2 ** 32 - 1, reads: 127 },
  { name: "hop-limit", value: 64, reads: 64 },
  { name: "receive-buffer-size", value: 1n, reads: 65_536n },
  { name: "send-buffer-size", value: 2n ** 64n - 1n, reads: 65_536n },
];
for (const { name, value, reads } of options) {
  test(`${name} set to ${value} is ${reads}, also while it is connected`, async () => {
    await using server = await serve(() => {});
    const { guest, socket } = await connect(server.port);
    using _guest = guest;
    for (const each of [socket, guest.ok("sockets/tcp-create-socket#create-tcp-socket", "ipv4")]) {
      guest.ok(`${TCP}set-${name}`, each, value);
      assert.equal(guest.ok(`${TCP}${name}`, each), reads);
      if (typeof value === "boolean") continue;
      assert.equal(
        guest.err(`${TCP}set-${name}`, each, typeof value === "bigint" ? 0n : 0),
        "invalid-argument",
      );
    }
  });
}

test("64 sockets can be open in a call, and no more than the network admits", async () => {
  await using server = await serve(() => {});
  const network = new CountingNetwork();
  const { guest, socket, input, output } = await connect(server.port, network);
  using _guest = guest;
  const create = () => guest.call<Outcome<unknown>>("sockets/udp-create-socket#create-udp-socket", "ipv4");
  for (let count = 1; count < 64; count++) assert.equal(create().tag, "ok");
  assert.deepEqual(create(), { tag: "err", val: "new-socket-limit" });
  guest.drop("sockets/tcp#tcp-socket", socket);
  assert.deepEqual(create(), { tag: "err", val: "new-socket-limit" });
  guest.drop("io/streams#input-stream", input);
  guest.drop("io/streams#output-stream", output);
  assert.equal(create().tag, "ok");
  assert.equal(network.open, 64);
  using other = new InterfaceGuest({ network: new CountingNetwork(/./, 0) });
  assert.equal(other.err("sockets/tcp-create-socket#create-tcp-socket", "ipv4"), "new-socket-limit");
});

async function bindUdp(guest: InterfaceGuest): Promise<unknown> {
  const socket = guest.ok("sockets/udp-create-socket#create-udp-socket", "ipv4");
  guest.ok(`${UDP}start-bind`, socket, instanceNetwork(guest), ipv4(0));
  const bound = await guest.finish(`${UDP}finish-bind`, socket, socket);
  assert.equal(bound.tag, "ok");
  return socket;
}

/** Sends each datagram back. */
async function echoDatagrams(): Promise<AsyncDisposable & { port: number }> {
  const socket = createSocket("udp4");
  socket.on("message", (data, { port, address }) => socket.send(data, port, address));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    port: socket.address().port,
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, "close");
    },
  };
}

interface Datagram {
  readonly data: Uint8Array;
  readonly remoteAddress: object;
}

test("datagrams go to any remote that is allowed, and come back with its address", async () => {
  await using echo = await echoDatagrams();
  const network = new CountingNetwork();
  using guest = new InterfaceGuest({ network });
  const socket = await bindUdp(guest);
  const [incoming, outgoing] = guest.ok<unknown[]>(`${UDP}stream`, socket, undefined);
  assert.deepEqual(guest.ok(`${INCOMING}receive`, incoming, 10n), []);
  assert.equal(guest.call("io/poll#[method]pollable.ready", incoming), false);
  assert.equal(guest.ok(`${OUTGOING}check-send`, outgoing), 16n);
  const remoteAddress = ipv4(echo.port);
  const datagrams = [{ data: Buffer.from("é"), remoteAddress }];
  assert.equal(guest.ok(`${OUTGOING}send`, outgoing, datagrams), 1n);
  await guest.wait(incoming);
  const received = guest.ok<Datagram[]>(`${INCOMING}receive`, incoming, 2n ** 64n - 1n);
  assert.deepEqual(received, [{ data: Buffer.from("é"), remoteAddress }]);
  assert.deepEqual(network.asked, ["udp-bind 127.0.0.1 0", `udp-send 127.0.0.1 ${echo.port}`]);
});

test("a connected socket sends to its remote and hears nobody else", async () => {
  await using echo = await echoDatagrams();
  await using other = await echoDatagrams();
  using guest = new InterfaceGuest({ network: new CountingNetwork() });
  const socket = await bindUdp(guest);
  const streams = guest.ok<unknown[]>(`${UDP}stream`, socket, undefined);
  assert.throws(() => guest.call(`${UDP}stream`, socket, ipv4(echo.port)), /whose streams are in use/);
  guest.ok(`${OUTGOING}check-send`, streams[1]);
  guest.ok(`${OUTGOING}send`, streams[1], [{ data: Buffer.from("x"), remoteAddress: ipv4(other.port) }]);
  guest.drop("sockets/udp#incoming-datagram-stream", streams[0]);
  guest.drop("sockets/udp#outgoing-datagram-stream", streams[1]);
  const [incoming, outgoing] = guest.ok<unknown[]>(`${UDP}stream`, socket, ipv4(echo.port));
  assert.deepEqual(guest.ok(`${UDP}remote-address`, socket), ipv4(echo.port));
  guest.ok(`${OUTGOING}check-send`, outgoing);
  guest.ok(`${OUTGOING}send`, outgoing, [
    { data: Buffer.from("a") },
    { data: Buffer.from("b"), remoteAddress: ipv4(echo.port) },
    { data: Buffer.from("c"), remoteAddress: ipv4(other.port) },
  ]);
  const heard: string[] = [];
  while (heard.length < 2) {
    await guest.wait(incoming);
    for (const { data } of guest.ok<Datagram[]>(`${INCOMING}receive`, incoming, 1n)) heard.push(text(data));
  }
  assert.deepEqual(heard, ["a", "b"]);
  guest.ok(`${OUTGOING}check-send`, outgoing);
  const wrong = [{ data: Buffer.from("c"), remoteAddress: ipv4(other.port) }];
  assert.equal(guest.err(`${OUTGOING}send`, outgoing, wrong), "invalid-argument");
});

test("what cannot be sent is an error, and nothing is sent without permission", async () => {
  using guest = new InterfaceGuest({ network: new CountingNetwork(/bind|127\.0\.0\.1 9$/) });
  const socket = await bindUdp(guest);
  const [, outgoing] = guest.ok<unknown[]>(`${UDP}stream`, socket, undefined);
  const send = (data: Uint8Array, remoteAddress?: object) => {
    guest.ok(`${OUTGOING}check-send`, outgoing);
    return guest.err(`${OUTGOING}send`, outgoing, [{ data, remoteAddress }]);
  };
  assert.equal(send(Buffer.from("x"), ipv4(10)), "access-denied");
  assert.equal(send(Buffer.from("x")), "invalid-argument");
  assert.equal(send(Buffer.from("x"), ipv4(0)), "invalid-argument");
  assert.equal(send(Buffer.from("x"), ipv6(9)), "invalid-argument");
  assert.equal(send(Buffer.alloc(65_508), ipv4(9)), "datagram-too-large");
  const one = { data: Buffer.from("x"), remoteAddress: ipv4(9) };
  assert.throws(
    () => guest.call(`${OUTGOING}send`, outgoing, [one]),
    /sends 1 datagrams where 0 are permitted/,
  );
  guest.ok(`${OUTGOING}check-send`, outgoing);
  assert.throws(() => guest.call(`${OUTGOING}send`, outgoing, Array(17).fill(one)), /17 datagrams where 16/);
});

test("a socket that is not bound neither streams nor has an address; one that is, is bound once", async () => {
  using guest = new InterfaceGuest({ network: new CountingNetwork() });
  const socket = guest.ok("sockets/udp-create-socket#create-udp-socket", "ipv4");
  assert.equal(guest.err(`${UDP}stream`, socket, undefined), "invalid-state");
  assert.equal(guest.err(`${UDP}local-address`, socket), "invalid-state");
  assert.equal(guest.err(`${UDP}finish-bind`, socket), "not-in-progress");
  guest.ok(`${UDP}start-bind`, socket, {}, ipv4(0));
  assert.equal(guest.err(`${UDP}start-bind`, socket, {}, ipv4(0)), "concurrency-conflict");
  await guest.finish(`${UDP}finish-bind`, socket, socket);
  assert.equal(guest.err(`${UDP}start-bind`, socket, {}, ipv4(0)), "invalid-state");
  assert.equal(guest.err(`${UDP}remote-address`, socket), "invalid-state");
  const { val } = guest.ok<{ val: { port: number } }>(`${UDP}local-address`, socket);
  const second = guest.ok("sockets/udp-create-socket#create-udp-socket", "ipv4");
  guest.ok(`${UDP}start-bind`, second, {}, ipv4(val.port));
  const taken = await guest.finish(`${UDP}finish-bind`, second, second);
  assert.deepEqual(taken, { tag: "err", val: "address-in-use" });
});

test("options of a datagram socket are those of the system", async () => {
  using guest = new InterfaceGuest({ network: new CountingNetwork() });
  const socket = await bindUdp(guest);
  for (const name of ["receive-buffer-size", "send-buffer-size"]) {
    guest.ok(`${UDP}set-${name}`, socket, 8192n);
    assert.ok(guest.ok<bigint>(`${UDP}${name}`, socket) >= 8192n);
    guest.ok(`${UDP}set-${name}`, socket, 2n ** 64n - 1n);
    assert.equal(guest.err(`${UDP}set-${name}`, socket, 0n), "invalid-argument");
  }
  guest.ok(`${UDP}set-unicast-hop-limit`, socket, 3);
  assert.equal(guest.ok(`${UDP}unicast-hop-limit`, socket), 3);
  assert.equal(guest.err(`${UDP}set-unicast-hop-limit`, socket, 0), "invalid-argument");
});

test("in the draft of October the socket itself connects, sends and receives", async () => {
  await using echo = await echoDatagrams();
  using guest = new InterfaceGuest({ version: OCTOBER, network: new CountingNetwork() });
  const socket = guest.ok("sockets/udp-create-socket#create-udp-socket", "ipv4");
  guest.ok(`${UDP}start-bind`, socket, {}, ipv4(0));
  while (guest.call<{ val: unknown }>(`${UDP}finish-bind`, socket).val === "would-block") {
    await guest.call("io/poll#poll-one", socket);
  }
  guest.ok(`${UDP}start-connect`, socket, {}, ipv4(echo.port));
  guest.ok(`${UDP}finish-connect`, socket);
  const datagram = { data: Buffer.from("x"), remoteAddress: ipv4(echo.port) };
  assert.equal(guest.ok(`${UDP}send`, socket, [datagram]), 1n);
  let received: Datagram[] = [];
  while (received.length === 0) {
    await new Promise((resolve) => setImmediate(resolve));
    received = guest.ok(`${UDP}receive`, socket, 10n);
  }
  assert.deepEqual(received, [datagram]);
});

function lookingUp(addresses: readonly string[] | Error): CountingNetwork {
  const network = new CountingNetwork();
  network.lookUp = async () => {
    if (addresses instanceof Error) throw addresses;
    return addresses;
  };
  return network;
}

async function resolve(guest: InterfaceGuest, name: string): Promise<unknown[] | unknown> {
  const stream = guest.ok(`${LOOKUP}resolve-addresses`, {}, name);
  const found: unknown[] = [];
  for (;;) {
    const next = await guest.finish(NEXT, stream, stream);
    if (next.tag === "err") return next.val;
    if (next.val === undefined) return found;
    found.push(next.val);
  }
}

test("a name has the addresses that the network says", async () => {
  using guest = new InterfaceGuest({
    network: lookingUp(["192.0.2.1", "2001:db8::1:0:ff", "::ffff:1.2.3.4"]),
  });
  assert.deepEqual(await resolve(guest, "example.com"), [
    { tag: "ipv4", val: [192, 0, 2, 1] },
    { tag: "ipv6", val: [0x2001, 0xdb8, 0, 0, 0, 1, 0, 0xff] },
    { tag: "ipv6", val: [0, 0, 0, 0, 0, 0xffff, 0x102, 0x304] },
  ]);
  assert.deepEqual(await resolve(guest, "::1"), [{ tag: "ipv6", val: [0, 0, 0, 0, 0, 0, 0, 1] }]);
});

test("a name that is not there is name-unresolvable", async () => {
  const missing = Object.assign(new Error("no"), { code: "ENOTFOUND" });
  const later = Object.assign(new Error("no"), { code: "EAI_AGAIN" });
  for (const [answer, code] of [
    [[], "name-unresolvable"],
    [missing, "name-unresolvable"],
    [later, "temporary-resolver-failure"],
  ] as const) {
    using guest = new InterfaceGuest({ network: lookingUp(answer) });
    assert.equal(await resolve(guest, "nowhere.invalid"), code);
  }
});

for (const name of ["", "a b", "a\0b", "host:80", "user@host", "a/b", "x".repeat(254)]) {
  test(`${JSON.stringify(name.slice(0, 20))} is no name`, () => {
    using guest = new InterfaceGuest({ network: lookingUp([]) });
    assert.equal(guest.err(`${LOOKUP}resolve-addresses`, {}, name), "invalid-argument");
  });
}

test("a look-up ends with its stream, and with the call", async () => {
  const signals: AbortSignal[] = [];
  const network = new CountingNetwork();
  network.lookUp = (_name, signal) => {
    signals.push(signal);
    return new Promise(() => {});
  };
  using guest = new InterfaceGuest({ network });
  const [first] = [1, 2].map(() => guest.ok(`${LOOKUP}resolve-addresses`, {}, "slow.example"));
  guest.drop("sockets/ip-name-lookup#resolve-address-stream", first);
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true, false],
  );
  guest[Symbol.dispose]();
  assert.ok(signals.every(({ aborted }) => aborted));
});
