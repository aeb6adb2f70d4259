// wasi:sockets/udp and udp-create-socket. In the first draft the socket itself sends and receives.

import type { Pollable } from "../../sandbox/streams.ts";
import {
  dispose,
  Version,
  type VersionName,
  type WasiFunction,
  type WasiInterface,
  withdrawn,
} from "../interfaces.ts";
import type { Family, IpSocketAddress } from "./address.ts";
import { answer, SocketFailure } from "./failure.ts";
import { type OutgoingDatagram, type ReceivedDatagram, UdpSocket } from "./udp-socket.ts";

/** Datagrams that one call moves. */
const DATAGRAMS_MAX = 16;

/** The largest buffer that a system is asked for; it gives less. */
const BUFFER_BYTES_MAX = 2 ** 31 - 1;

export function udpInterfaces(version: VersionName): WasiInterface[] {
  return [
    version === Version.OCTOBER ? octoberInterface() : udpInterface(version),
    {
      wit: `interface wasi:sockets/udp-create-socket@${version} {
        use wasi:sockets/network@${version}.{error-code, ip-address-family};
        use wasi:sockets/udp@${version}.{udp-socket};
        create-udp-socket: func(address-family: ip-address-family) -> result<udp-socket, error-code>;
      }`,
      functions: {
        "create-udp-socket": (wasi, _caller, family: Family) => answer(() => new UdpSocket(wasi, family)),
      },
    },
  ];
}

const METHODS = `
  start-bind: func(network: borrow<network>, local-address: ip-socket-address) -> result<_, error-code>;
  finish-bind: func() -> result<_, error-code>;
  local-address: func() -> result<ip-socket-address, error-code>;
  remote-address: func() -> result<ip-socket-address, error-code>;
  address-family: func() -> ip-address-family;
  unicast-hop-limit: func() -> result<u8, error-code>;
  set-unicast-hop-limit: func(value: u8) -> result<_, error-code>;
  receive-buffer-size: func() -> result<u64, error-code>;
  set-receive-buffer-size: func(value: u64) -> result<_, error-code>;
  send-buffer-size: func() -> result<u64, error-code>;
  set-send-buffer-size: func(value: u64) -> result<_, error-code>;
  subscribe: func() -> pollable;`;

const IPV6_ONLY_METHODS = `
  ipv6-only: func() -> result<bool, error-code>;
  set-ipv6-only: func(value: bool) -> result<_, error-code>;`;

const IPV6_ONLY = ["[method]udp-socket.ipv6-only", "[method]udp-socket.set-ipv6-only"];

function uses(version: VersionName): string {
  return `
    use wasi:io/poll@${version}.{pollable};
    use wasi:sockets/network@${version}.{network, error-code, ip-socket-address, ip-address-family};`;
}

function udpInterface(version: VersionName): WasiInterface {
  const hasIpv6Only = version !== Version.FINAL;
  return {
    wit: `interface wasi:sockets/udp@${version} {
      ${uses(version)}
      record incoming-datagram { data: list<u8>, remote-address: ip-socket-address }
      record outgoing-datagram { data: list<u8>, remote-address: option<ip-socket-address> }
      resource udp-socket {
        ${METHODS}
        %stream: func(remote-address: option<ip-socket-address>)
          -> result<tuple<incoming-datagram-stream, outgoing-datagram-stream>, error-code>;
        ${hasIpv6Only ? IPV6_ONLY_METHODS : ""}
      }
      resource incoming-datagram-stream {
        receive: func(max-results: u64) -> result<list<incoming-datagram>, error-code>;
        subscribe: func() -> pollable;
      }
      resource outgoing-datagram-stream {
        check-send: func() -> result<u64, error-code>;
        send: func(datagrams: list<outgoing-datagram>) -> result<u64, error-code>;
        subscribe: func() -> pollable;
      }
    }`,
    functions: { ...functions, ...streamFunctions, ...(hasIpv6Only && withdrawn(IPV6_ONLY)) },
    resources: {
      "udp-socket": (socket: UdpSocket) => socket.release(),
      "incoming-datagram-stream": dispose,
      "outgoing-datagram-stream": dispose,
    },
  };
}

function octoberInterface(): WasiInterface {
  return {
    wit: `interface wasi:sockets/udp@${Version.OCTOBER} {
      ${uses(Version.OCTOBER)}
      record datagram { data: list<u8>, remote-address: ip-socket-address }
      resource udp-socket {
        ${METHODS}
        ${IPV6_ONLY_METHODS}
        start-connect: func(network: borrow<network>, remote-address: ip-socket-address)
          -> result<_, error-code>;
        finish-connect: func() -> result<_, error-code>;
        receive: func(max-results: u64) -> result<list<datagram>, error-code>;
        send: func(datagrams: list<datagram>) -> result<u64, error-code>;
      }
    }`,
    functions: { ...functions, ...octoberFunctions, ...withdrawn(IPV6_ONLY) },
    resources: { "udp-socket": (socket: UdpSocket) => socket.release() },
  };
}

const functions = {
  /** Errors: `access-denied` for an address that is not allowed, `invalid-argument`, `invalid-state`. */
  "[method]udp-socket.start-bind": (wasi, caller, self: UdpSocket, _network, local: IpSocketAddress) =>
    answer(() => self.bind(wasi, caller, local)),

  /** Errors: `would-block`, `not-in-progress`, `address-in-use`, `address-not-bindable`. */
  "[method]udp-socket.finish-bind": (_wasi, _caller, self: UdpSocket) => answer(() => self.finishBind()),

  "[method]udp-socket.local-address": (_wasi, _caller, self: UdpSocket) => answer(() => self.localAddress()),

  "[method]udp-socket.remote-address": (_wasi, _caller, self: UdpSocket) =>
    answer(() => self.remoteAddress()),

  "[method]udp-socket.address-family": (_wasi, _caller, self: UdpSocket) => self.family,

  "[method]udp-socket.unicast-hop-limit": (_wasi, _caller, self: UdpSocket) => answer(() => self.hopLimit),

  "[method]udp-socket.set-unicast-hop-limit": (_wasi, _caller, self: UdpSocket, value: number) =>
    answer(() => {
      if (value === 0) throw new SocketFailure("invalid-argument");
      self.hopLimit = value;
    }),

  "[method]udp-socket.receive-buffer-size": (_wasi, _caller, self: UdpSocket) =>
    answer(() => BigInt(self.option((socket) => socket.getRecvBufferSize()))),

  "[method]udp-socket.set-receive-buffer-size": (_wasi, _caller, self: UdpSocket, value: bigint) =>
    answer(() => self.option((socket) => socket.setRecvBufferSize(bufferBytes(value)))),

  "[method]udp-socket.send-buffer-size": (_wasi, _caller, self: UdpSocket) =>
    answer(() => BigInt(self.option((socket) => socket.getSendBufferSize()))),

  "[method]udp-socket.set-send-buffer-size": (_wasi, _caller, self: UdpSocket, value: bigint) =>
    answer(() => self.option((socket) => socket.setSendBufferSize(bufferBytes(value)))),

  "[method]udp-socket.subscribe": (_wasi, _caller, self: Pollable) => self,
} satisfies Record<string, WasiFunction>;

function bufferBytes(value: bigint): number {
  if (value === 0n) throw new SocketFailure("invalid-argument");
  return value < BUFFER_BYTES_MAX ? Number(value) : BUFFER_BYTES_MAX;
}

const streamFunctions = {
  /**
   * Errors: `invalid-state` before it is bound, `access-denied`, `invalid-argument`. While streams of the
   * socket are there, asking for others is a trap, as WASI wants it.
   */
  "[method]udp-socket.stream": (_wasi, _caller, self: UdpSocket, remote: IpSocketAddress | undefined) =>
    answer(() => {
      if (self.hasStreams) throw new Error("The guest asks for streams of a socket whose streams are in use");
      self.connect(remote);
      return [new IncomingDatagrams(self), new OutgoingDatagrams(self)];
    }),

  "[method]incoming-datagram-stream.receive": (_wasi, _caller, self: IncomingDatagrams, most: bigint) =>
    answer(() => self.receive(most)),

  "[method]incoming-datagram-stream.subscribe": (_wasi, _caller, self: Pollable) => self,

  "[method]outgoing-datagram-stream.check-send": (_wasi, _caller, self: OutgoingDatagrams) =>
    answer(() => BigInt(self.checkSend())),

  /** Sending more than `check-send` has said is a trap, as WASI wants it. */
  "[method]outgoing-datagram-stream.send": (
    _wasi,
    _caller,
    self: OutgoingDatagrams,
    datagrams: readonly OutgoingDatagram[],
  ) => answer(() => BigInt(self.send(datagrams))),

  "[method]outgoing-datagram-stream.subscribe": (_wasi, _caller, self: Pollable) => self,
} satisfies Record<string, WasiFunction>;

class IncomingDatagrams implements Pollable, Disposable {
  readonly #socket: UdpSocket;

  constructor(socket: UdpSocket) {
    this.#socket = socket.retain();
  }

  receive(most: bigint): ReceivedDatagram[] {
    return this.#socket.received(atOnce(most));
  }

  isReady(): boolean {
    return this.#socket.hasReceived;
  }

  watch(wake: () => void): () => void {
    return this.#socket.watchers.add(wake);
  }

  [Symbol.dispose](): void {
    this.#socket.release();
  }
}

function atOnce(most: bigint): number {
  return most < DATAGRAMS_MAX ? Number(most) : DATAGRAMS_MAX;
}

class OutgoingDatagrams implements Pollable, Disposable {
  readonly #socket: UdpSocket;
  #permitted = 0;

  constructor(socket: UdpSocket) {
    this.#socket = socket.retain();
  }

  checkSend(): number {
    this.#permitted = this.#socket.canSend ? DATAGRAMS_MAX : 0;
    return this.#permitted;
  }

  /** Returns how many were sent. What goes wrong with the first is an error, else the rest is left. */
  send(datagrams: readonly OutgoingDatagram[]): number {
    if (datagrams.length > this.#permitted) {
      throw new Error(`The guest sends ${datagrams.length} datagrams where ${this.#permitted} are permitted`);
    }
    if (datagrams.length > 0) this.#permitted = 0;
    return sendAll(this.#socket, datagrams);
  }

  isReady(): boolean {
    return this.#socket.canSend;
  }

  watch(wake: () => void): () => void {
    return this.#socket.watchers.add(wake);
  }

  [Symbol.dispose](): void {
    this.#socket.release();
  }
}

function sendAll(socket: UdpSocket, datagrams: readonly OutgoingDatagram[]): number {
  let sent = 0;
  for (const datagram of datagrams) {
    if (!socket.canSend) break;
    try {
      socket.send(datagram);
    } catch (thrown) {
      if (sent === 0 || !(thrown instanceof SocketFailure)) throw thrown;
      break;
    }
    sent++;
  }
  return sent;
}

const octoberFunctions = {
  "[method]udp-socket.start-connect": (_wasi, _caller, self: UdpSocket, _network, remote: IpSocketAddress) =>
    answer(() => self.connect(remote)),

  /** Nothing ever has to be waited for. Errors: `not-in-progress`. */
  "[method]udp-socket.finish-connect": (_wasi, _caller, self: UdpSocket) =>
    answer(() => {
      if (!self.isConnected) throw new SocketFailure("not-in-progress");
    }),

  "[method]udp-socket.receive": (_wasi, _caller, self: UdpSocket, most: bigint) =>
    answer(() => self.received(atOnce(most))),

  "[method]udp-socket.send": (_wasi, _caller, self: UdpSocket, datagrams: readonly OutgoingDatagram[]) =>
    answer(() => BigInt(sendAll(self, datagrams))),
} satisfies Record<string, WasiFunction>;
