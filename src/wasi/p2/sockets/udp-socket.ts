// The resource `udp-socket`: datagrams to and from whoever the network allows.
//
// Node receives as soon as a socket is bound. What the guest has not asked for yet waits in a queue with
// a limit; what comes then is lost, as datagrams may be.

import { createSocket, type Socket } from "node:dgram";

import type { GuestNetwork } from "../../sandbox/network.ts";
import type { OpenThings } from "../../sandbox/open-things.ts";
import { type Pollable, Watchers } from "../../sandbox/streams.ts";
import type { Wasi } from "../../wasi.ts";
import type { GuestCaller } from "../interfaces.ts";
import {
  type Endpoint,
  endpointOf,
  type Family,
  type IpSocketAddress,
  isSameEndpoint,
  requireRemote,
  socketAddressValue,
} from "./address.ts";
import { codeOf, type ErrorCode, SocketFailure } from "./failure.ts";

/** Datagrams that wait to be received, and their bytes. */
const RECEIVED_MAX = 256;
const RECEIVED_BYTES_MAX = 1024 * 1024;

/** Bytes that wait to be sent; beyond, the guest waits. */
const SENDING_BYTES_MAX = 256 * 1024;

/** Of one datagram: what fits into a packet of IPv4. */
const DATAGRAM_BYTES_MAX = 65_507;

/** What Linux begins with; Node has no way to ask. */
const HOP_LIMIT_DEFAULT = 64;

export interface ReceivedDatagram {
  readonly data: Uint8Array;
  readonly remoteAddress: IpSocketAddress;
}

export interface OutgoingDatagram {
  readonly data: Uint8Array;
  readonly remoteAddress?: IpSocketAddress | undefined;
}

type State =
  | { readonly kind: "new" }
  | { readonly kind: "binding"; readonly socket: Socket }
  | { readonly kind: "bound"; readonly socket: Socket }
  | { readonly kind: "refused"; readonly code: ErrorCode }
  | { readonly kind: "closed" };

export class UdpSocket implements Pollable, Disposable {
  readonly family: Family;
  readonly watchers = new Watchers();
  readonly #network: GuestNetwork;
  readonly #holder: OpenThings;
  readonly #admission: Disposable;
  #state: State = { kind: "new" };
  #hasFinishedBinding = false;
  #remote: Endpoint | undefined;
  readonly #received: ReceivedDatagram[] = [];
  #receivedBytes = 0;
  #sendingBytes = 0;
  #hopLimit = HOP_LIMIT_DEFAULT;
  #failed: ErrorCode | undefined;
  /** The handle to the socket, and its streams. */
  #users = 1;

  /** Fails with `new-socket-limit`. */
  constructor(wasi: Wasi, family: Family) {
    this.family = family;
    this.#network = wasi.template.network;
    this.#holder = wasi.openSockets;
    const admission = this.#holder.isFull ? undefined : this.#network.admit();
    if (!admission) throw new SocketFailure("new-socket-limit");
    this.#admission = admission;
    this.#holder.add(this);
  }

  /** Fails with `access-denied` for an address that the network does not allow. */
  bind(wasi: Wasi, caller: GuestCaller, local: IpSocketAddress): void {
    if (this.#state.kind !== "new") {
      throw new SocketFailure(this.#hasFinishedBinding ? "invalid-state" : "concurrency-conflict");
    }
    const endpoint = endpointOf(local, this.family);
    if (!this.#network.allows("udp-bind", endpoint)) throw new SocketFailure("access-denied");
    wasi.shift(caller);
    const socket = this.#open();
    this.#state = { kind: "binding", socket };
    socket.bind({ address: endpoint.host, port: endpoint.port, exclusive: true });
  }

  #open(): Socket {
    return createSocket({
      ...(this.family === "ipv4" ? { type: "udp4" } : { type: "udp6", ipv6Only: true }),
      // All addresses are numeric. At once, so that what was sent has left even if the guest ends now.
      lookup: (host, _options, found) => found(null, host, this.family === "ipv4" ? 4 : 6),
    })
      .on("listening", () => this.#settle())
      .on("message", (data, { address, port }) => this.#receive(data, address, port))
      .on("error", (error) => this.#settle(codeOf(error)));
  }

  #settle(failed?: ErrorCode): void {
    const state = this.#state;
    if (state.kind !== "binding") {
      this.#failed = failed;
    } else if (failed !== undefined) {
      state.socket.close();
      this.#state = { kind: "refused", code: failed };
    } else {
      if (this.#hopLimit !== HOP_LIMIT_DEFAULT) state.socket.setTTL(this.#hopLimit);
      this.#state = { kind: "bound", socket: state.socket };
    }
    this.watchers.notify();
  }

  /** Fails with `would-block` as long as it binds, then with what went wrong. */
  finishBind(): void {
    const state = this.#state;
    if (state.kind === "new" || this.#hasFinishedBinding) throw new SocketFailure("not-in-progress");
    if (state.kind === "binding") throw new SocketFailure("would-block");
    if (state.kind === "refused") {
      this.#state = { kind: "new" };
      throw new SocketFailure(state.code);
    }
    this.#hasFinishedBinding = true;
  }

  /** From now on only with one remote, or with all again. Fails with `access-denied`, `invalid-state`. */
  connect(remote: IpSocketAddress | undefined): void {
    this.#bound();
    const endpoint = remote && endpointOf(remote, this.family);
    if (endpoint) {
      requireRemote(endpoint);
      if (!this.#network.allows("udp-send", endpoint)) throw new SocketFailure("access-denied");
    }
    this.#remote = endpoint;
    this.#received.length = 0;
    this.#receivedBytes = 0;
  }

  #bound(): Socket {
    if (this.#state.kind !== "bound" || !this.#hasFinishedBinding) throw new SocketFailure("invalid-state");
    return this.#state.socket;
  }

  localAddress(): IpSocketAddress {
    const { address, port } = this.#bound().address();
    return socketAddressValue(address, port);
  }

  remoteAddress(): IpSocketAddress {
    if (!this.#remote) throw new SocketFailure("invalid-state");
    return socketAddressValue(this.#remote.host, this.#remote.port);
  }

  #receive(data: Buffer, address: string, port: number): void {
    const [bare = ""] = address.split("%");
    if (this.#remote && !isSameEndpoint(this.#remote, { address: bare, port })) return;
    const isFull = this.#received.length >= RECEIVED_MAX;
    if (isFull || this.#receivedBytes + data.length > RECEIVED_BYTES_MAX) return;
    this.#received.push({ data, remoteAddress: socketAddressValue(address, port) });
    this.#receivedBytes += data.length;
    this.watchers.notify();
  }

  get hasReceived(): boolean {
    return this.#received.length > 0 || this.#failed !== undefined || this.#state.kind === "closed";
  }

  /** Up to so many that are there. */
  received(most: number): ReceivedDatagram[] {
    this.#throwFailure();
    const datagrams = this.#received.splice(0, most);
    for (const { data } of datagrams) this.#receivedBytes -= data.length;
    return datagrams;
  }

  get canSend(): boolean {
    return (
      this.#sendingBytes < SENDING_BYTES_MAX || this.#failed !== undefined || this.#state.kind === "closed"
    );
  }

  /**
   * Fails with `access-denied`, `datagram-too-large`, `invalid-argument`, and with what went wrong with
   * one that was sent before.
   */
  send({ data, remoteAddress }: OutgoingDatagram): void {
    this.#throwFailure();
    const socket = this.#bound();
    if (data.length > DATAGRAM_BYTES_MAX) throw new SocketFailure("datagram-too-large");
    const remote = remoteAddress ? endpointOf(remoteAddress, this.family) : this.#remote;
    if (!remote || (this.#remote && !isSameEndpoint(remote, this.#remote))) {
      throw new SocketFailure("invalid-argument");
    }
    requireRemote(remote);
    if (!this.#network.allows("udp-send", remote)) throw new SocketFailure("access-denied");
    this.#sendingBytes += data.length;
    socket.send(data, remote.port, remote.host, (error) => {
      this.#sendingBytes -= data.length;
      if (error) this.#failed = codeOf(error);
      this.watchers.notify();
    });
  }

  #throwFailure(): void {
    const code = this.#failed;
    this.#failed = undefined;
    if (code) throw new SocketFailure(code);
  }

  /** Calls something of the system on the bound socket. Fails with `invalid-state` before it is bound. */
  option<R>(use: (socket: Socket) => R): R {
    const socket = this.#bound();
    try {
      return use(socket);
    } catch (error) {
      throw new SocketFailure(codeOf(error));
    }
  }

  get hopLimit(): number {
    return this.#hopLimit;
  }

  set hopLimit(value: number) {
    if (this.#state.kind === "bound") this.option((socket) => socket.setTTL(value));
    this.#hopLimit = value;
  }

  get isConnected(): boolean {
    return this.#remote !== undefined;
  }

  isReady(): boolean {
    return this.#state.kind !== "binding";
  }

  watch(wake: () => void): () => void {
    return this.watchers.add(wake);
  }

  get hasStreams(): boolean {
    return this.#users > 1;
  }

  retain(): this {
    this.#users++;
    return this;
  }

  release(): void {
    this.#users--;
    if (this.#users > 0) return;
    this.#holder.delete(this);
    this[Symbol.dispose]();
  }

  /** Closes it, whoever may still use it. What was sent is still sent. */
  [Symbol.dispose](): void {
    const state = this.#state;
    if (state.kind === "closed") return;
    this.#state = { kind: "closed" };
    if (state.kind === "binding" || state.kind === "bound") state.socket.close();
    this.#admission[Symbol.dispose]();
    this.watchers.notify();
  }
}
