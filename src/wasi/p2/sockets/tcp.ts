// wasi:sockets/tcp and tcp-create-socket.

import type { Pollable } from "../../sandbox/streams.ts";
import type { Wasi } from "../../wasi.ts";
import {
  type GuestCaller,
  Version,
  type VersionName,
  type WasiFunction,
  type WasiInterface,
  withdrawn,
} from "../interfaces.ts";
import type { Family, IpSocketAddress } from "./address.ts";
import { answer, SocketFailure } from "./failure.ts";
import { TcpSocket } from "./tcp-socket.ts";

const NS_PER_S = 1_000_000_000n;
const NS_PER_MS = 1_000_000;

/** The longest and the most that Linux takes. */
const KEEP_ALIVE_S_MAX = 32_767;
const KEEP_ALIVE_COUNT_MAX = 127;

/** What Linux begins with; Node has no way to ask. */
const HOP_LIMIT = 64;
const BUFFER_BYTES = 65_536n;

export function tcpInterfaces(version: VersionName): WasiInterface[] {
  return [
    tcpInterface(version),
    {
      wit: `interface wasi:sockets/tcp-create-socket@${version} {
        use wasi:sockets/network@${version}.{error-code, ip-address-family};
        use wasi:sockets/tcp@${version}.{tcp-socket};
        create-tcp-socket: func(address-family: ip-address-family) -> result<tcp-socket, error-code>;
      }`,
      functions: {
        "create-tcp-socket": (wasi, _caller, family: Family) => answer(() => new TcpSocket(wasi, family)),
      },
    },
  ];
}

function tcpInterface(version: VersionName): WasiInterface {
  const isOctober = version === Version.OCTOBER;
  const hasIpv6Only = version !== Version.FINAL;
  return {
    wit: `interface wasi:sockets/tcp@${version} {
      use wasi:io/streams@${version}.{input-stream, output-stream};
      use wasi:io/poll@${version}.{pollable};
      ${isOctober ? "" : `use wasi:clocks/monotonic-clock@${version}.{duration};`}
      use wasi:sockets/network@${version}.{network, error-code, ip-socket-address, ip-address-family};
      enum shutdown-type { receive, send, both }
      resource tcp-socket {
        ${METHODS}
        ${isOctober ? OCTOBER_METHODS : FINAL_METHODS}
        ${hasIpv6Only ? IPV6_ONLY_METHODS : ""}
      }
    }`,
    functions: {
      ...functions,
      ...(isOctober ? octoberFunctions : finalFunctions),
      ...(hasIpv6Only && withdrawn(IPV6_ONLY)),
    },
    resources: { "tcp-socket": (socket: TcpSocket) => socket.drop() },
  };
}

const METHODS = `
  start-bind: func(network: borrow<network>, local-address: ip-socket-address) -> result<_, error-code>;
  finish-bind: func() -> result<_, error-code>;
  start-connect: func(network: borrow<network>, remote-address: ip-socket-address) -> result<_, error-code>;
  finish-connect: func() -> result<tuple<input-stream, output-stream>, error-code>;
  start-listen: func() -> result<_, error-code>;
  finish-listen: func() -> result<_, error-code>;
  accept: func() -> result<tuple<tcp-socket, input-stream, output-stream>, error-code>;
  local-address: func() -> result<ip-socket-address, error-code>;
  remote-address: func() -> result<ip-socket-address, error-code>;
  address-family: func() -> ip-address-family;
  set-listen-backlog-size: func(value: u64) -> result<_, error-code>;
  receive-buffer-size: func() -> result<u64, error-code>;
  set-receive-buffer-size: func(value: u64) -> result<_, error-code>;
  send-buffer-size: func() -> result<u64, error-code>;
  set-send-buffer-size: func(value: u64) -> result<_, error-code>;
  subscribe: func() -> pollable;
  shutdown: func(shutdown-type: shutdown-type) -> result<_, error-code>;`;

const FINAL_METHODS = `
  is-listening: func() -> bool;
  keep-alive-enabled: func() -> result<bool, error-code>;
  set-keep-alive-enabled: func(value: bool) -> result<_, error-code>;
  keep-alive-idle-time: func() -> result<duration, error-code>;
  set-keep-alive-idle-time: func(value: duration) -> result<_, error-code>;
  keep-alive-interval: func() -> result<duration, error-code>;
  set-keep-alive-interval: func(value: duration) -> result<_, error-code>;
  keep-alive-count: func() -> result<u32, error-code>;
  set-keep-alive-count: func(value: u32) -> result<_, error-code>;
  hop-limit: func() -> result<u8, error-code>;
  set-hop-limit: func(value: u8) -> result<_, error-code>;`;

const OCTOBER_METHODS = `
  keep-alive: func() -> result<bool, error-code>;
  set-keep-alive: func(value: bool) -> result<_, error-code>;
  no-delay: func() -> result<bool, error-code>;
  set-no-delay: func(value: bool) -> result<_, error-code>;
  unicast-hop-limit: func() -> result<u8, error-code>;
  set-unicast-hop-limit: func(value: u8) -> result<_, error-code>;`;

const IPV6_ONLY_METHODS = `
  ipv6-only: func() -> result<bool, error-code>;
  set-ipv6-only: func(value: bool) -> result<_, error-code>;`;

const IPV6_ONLY = ["[method]tcp-socket.ipv6-only", "[method]tcp-socket.set-ipv6-only"];

const functions = {
  /** Errors: `access-denied`, always; before that `invalid-argument`, `invalid-state`, `concurrency-conflict`. */
  "[method]tcp-socket.start-bind": (_wasi, _caller, self: TcpSocket, _network, local: IpSocketAddress) =>
    answer(() => self.bind(local)),

  "[method]tcp-socket.finish-bind": refuse("not-in-progress"),

  /**
   * Errors: `access-denied` for an address that is not allowed, `invalid-argument` for one of the other
   * family, of many, or without a port; `invalid-state`, `concurrency-conflict`.
   */
  "[method]tcp-socket.start-connect": (wasi, caller, self: TcpSocket, _network, remote: IpSocketAddress) =>
    answer(() => self.connect(wasi, caller, remote)),

  /** Errors: `would-block`, `not-in-progress`, `connection-refused`, `remote-unreachable`, `timeout`. */
  "[method]tcp-socket.finish-connect": (_wasi, _caller, self: TcpSocket) =>
    answer(() => self.finishConnect()),

  "[method]tcp-socket.start-listen": refuse("invalid-state"),
  "[method]tcp-socket.finish-listen": refuse("not-in-progress"),
  "[method]tcp-socket.accept": refuse("invalid-state"),

  /** Errors: `invalid-state` unless it is connected. */
  "[method]tcp-socket.local-address": (_wasi, _caller, self: TcpSocket) => answer(() => self.localAddress()),

  /** Errors: `invalid-state` unless it is connected. */
  "[method]tcp-socket.remote-address": (_wasi, _caller, self: TcpSocket) =>
    answer(() => self.remoteAddress()),

  "[method]tcp-socket.address-family": (_wasi, _caller, self: TcpSocket) => self.family,

  /** Does nothing. */
  "[method]tcp-socket.set-listen-backlog-size": takeHint,
  "[method]tcp-socket.receive-buffer-size": () => answer(() => BUFFER_BYTES),
  "[method]tcp-socket.set-receive-buffer-size": takeHint,
  "[method]tcp-socket.send-buffer-size": () => answer(() => BUFFER_BYTES),
  "[method]tcp-socket.set-send-buffer-size": takeHint,

  "[method]tcp-socket.subscribe": (_wasi, _caller, self: Pollable) => self,

  /** Errors: `invalid-state` unless it is connected. */
  "[method]tcp-socket.shutdown": (_wasi, _caller, self: TcpSocket, how: "receive" | "send" | "both") =>
    answer(() => self.shutdown(how)),
} satisfies Record<string, WasiFunction>;

const finalFunctions = {
  "[method]tcp-socket.is-listening": () => false,
  "[method]tcp-socket.keep-alive-enabled": keepAliveEnabled,
  "[method]tcp-socket.set-keep-alive-enabled": setKeepAliveEnabled,

  "[method]tcp-socket.keep-alive-idle-time": (_wasi, _caller, self: TcpSocket) =>
    answer(() => BigInt(self.keepAlive.idleMs * NS_PER_MS)),

  "[method]tcp-socket.set-keep-alive-idle-time": (_wasi, _caller, self: TcpSocket, ns: bigint) =>
    answer(() => self.changeKeepAlive({ idleMs: keepAliveMs(ns) })),

  "[method]tcp-socket.keep-alive-interval": (_wasi, _caller, self: TcpSocket) =>
    answer(() => BigInt(self.keepAlive.intervalMs * NS_PER_MS)),

  "[method]tcp-socket.set-keep-alive-interval": (_wasi, _caller, self: TcpSocket, ns: bigint) =>
    answer(() => self.changeKeepAlive({ intervalMs: keepAliveMs(ns) })),

  "[method]tcp-socket.keep-alive-count": (_wasi, _caller, self: TcpSocket) =>
    answer(() => self.keepAlive.count),

  "[method]tcp-socket.set-keep-alive-count": (_wasi, _caller, self: TcpSocket, count: number) =>
    answer(() => {
      if (count === 0) throw new SocketFailure("invalid-argument");
      self.changeKeepAlive({ count: Math.min(count, KEEP_ALIVE_COUNT_MAX) });
    }),

  "[method]tcp-socket.hop-limit": hopLimit,
  "[method]tcp-socket.set-hop-limit": setHopLimit,
} satisfies Record<string, WasiFunction>;

const octoberFunctions = {
  "[method]tcp-socket.keep-alive": keepAliveEnabled,
  "[method]tcp-socket.set-keep-alive": setKeepAliveEnabled,
  "[method]tcp-socket.unicast-hop-limit": hopLimit,
  "[method]tcp-socket.set-unicast-hop-limit": setHopLimit,
  ...withdrawn(["[method]tcp-socket.no-delay", "[method]tcp-socket.set-no-delay"]),
} satisfies Record<string, WasiFunction>;

function keepAliveEnabled(_wasi: Wasi, _caller: GuestCaller, self: TcpSocket) {
  return answer(() => self.keepAlive.enabled);
}

function setKeepAliveEnabled(_wasi: Wasi, _caller: GuestCaller, self: TcpSocket, enabled: boolean) {
  return answer(() => self.changeKeepAlive({ enabled }));
}

/** In whole seconds, at least one, as the system has them. Fails with `invalid-argument` for 0. */
function keepAliveMs(ns: bigint): number {
  if (ns === 0n) throw new SocketFailure("invalid-argument");
  const seconds = Number((ns + NS_PER_S - 1n) / NS_PER_S);
  return Math.min(seconds, KEEP_ALIVE_S_MAX) * 1000;
}

function hopLimit() {
  return answer(() => HOP_LIMIT);
}

/** Errors: `invalid-argument` for 0, else `not-supported`, unless it is what it is. */
function setHopLimit(_wasi: Wasi, _caller: GuestCaller, _self: TcpSocket, value: number) {
  return answer(() => {
    if (value === 0) throw new SocketFailure("invalid-argument");
    if (value !== HOP_LIMIT) throw new SocketFailure("not-supported");
  });
}

/** A size that the system need not keep to. Errors: `invalid-argument` for 0. */
function takeHint(_wasi: Wasi, _caller: GuestCaller, _self: TcpSocket, value: bigint) {
  return answer(() => {
    if (value === 0n) throw new SocketFailure("invalid-argument");
  });
}

function refuse(code: "invalid-state" | "not-in-progress"): WasiFunction {
  return () =>
    answer(() => {
      throw new SocketFailure(code);
    });
}
