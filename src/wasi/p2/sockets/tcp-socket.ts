// The resource `tcp-socket`: connects, once. Guests of Spin never listen.

import type { GuestNetwork } from "../../sandbox/network.ts";
import type { OpenThings } from "../../sandbox/open-things.ts";
import { ALWAYS_READY, type Pollable } from "../../sandbox/streams.ts";
import type { Wasi } from "../../wasi.ts";
import type { GuestCaller } from "../interfaces.ts";
import {
  endpointOf,
  type Family,
  type IpSocketAddress,
  requireRemote,
  requireUnicast,
  socketAddressValue,
} from "./address.ts";
import { SocketFailure } from "./failure.ts";
import { type KeepAlive, TcpConnection, TcpInput, TcpOutput } from "./tcp-connection.ts";

/** The defaults of Linux. */
const KEEP_ALIVE_DEFAULT: KeepAlive = { enabled: false, idleMs: 7_200_000, intervalMs: 75_000, count: 9 };

type State =
  | { readonly kind: "new" | "failed" }
  | {
      readonly kind: "connecting" | "connected";
      readonly connection: TcpConnection;
      readonly remote: IpSocketAddress;
    };

export class TcpSocket implements Pollable, Disposable {
  readonly family: Family;
  readonly #network: GuestNetwork;
  readonly #holder: OpenThings;
  readonly #admission: Disposable;
  #state: State = { kind: "new" };
  #keepAlive = KEEP_ALIVE_DEFAULT;
  #hasHandle = true;

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

  /** Always fails: with `access-denied`, if nothing else is wrong. */
  bind(local: IpSocketAddress): never {
    this.#requireNew();
    requireUnicast(endpointOf(local, this.family));
    throw new SocketFailure("access-denied");
  }

  /** Fails with `access-denied` for an address that the network does not allow. */
  connect(wasi: Wasi, caller: GuestCaller, remote: IpSocketAddress): void {
    this.#requireNew();
    const endpoint = endpointOf(remote, this.family);
    requireUnicast(endpoint);
    requireRemote(endpoint);
    if (!this.#network.allows("tcp-connect", endpoint)) throw new SocketFailure("access-denied");
    wasi.shift(caller);
    const connection = new TcpConnection(endpoint);
    connection.watchers.add(() => this.#letGo());
    this.#state = { kind: "connecting", connection, remote };
  }

  #requireNew(): void {
    if (this.#state.kind === "connecting") throw new SocketFailure("concurrency-conflict");
    if (this.#state.kind !== "new") throw new SocketFailure("invalid-state");
  }

  /** Fails with `would-block` as long as it connects, then with what went wrong. */
  finishConnect(): [TcpInput, TcpOutput] {
    const state = this.#state;
    if (state.kind !== "connecting") throw new SocketFailure("not-in-progress");
    const { connection, remote } = state;
    const { outcome } = connection;
    if (outcome === undefined) throw new SocketFailure("would-block");
    if (outcome !== "connected") {
      this.#state = { kind: "failed" };
      throw new SocketFailure(outcome);
    }
    this.#state = { kind: "connected", connection, remote };
    connection.setKeepAlive(this.#keepAlive);
    return [new TcpInput(connection), new TcpOutput(connection)];
  }

  shutdown(how: "receive" | "send" | "both"): void {
    const connection = this.#connected();
    if (how !== "send") connection.closeInput();
    if (how !== "receive") connection.closeOutput();
  }

  localAddress(): IpSocketAddress {
    const { local } = this.#connected();
    if (!local) throw new SocketFailure("invalid-state");
    return socketAddressValue(local.address, local.port);
  }

  remoteAddress(): IpSocketAddress {
    if (this.#state.kind !== "connected") throw new SocketFailure("invalid-state");
    return this.#state.remote;
  }

  #connected(): TcpConnection {
    if (this.#state.kind !== "connected") throw new SocketFailure("invalid-state");
    return this.#state.connection;
  }

  get keepAlive(): KeepAlive {
    return this.#keepAlive;
  }

  changeKeepAlive(change: Partial<KeepAlive>): void {
    this.#keepAlive = { ...this.#keepAlive, ...change };
    if (this.#state.kind === "connected") this.#state.connection.setKeepAlive(this.#keepAlive);
  }

  isReady(): boolean {
    return this.#state.kind !== "connecting" || this.#state.connection.outcome !== undefined;
  }

  watch(wake: () => void): () => void {
    if (this.#state.kind !== "connecting") return ALWAYS_READY.watch(wake);
    return this.#state.connection.watchers.add(wake);
  }

  /** The guest has no handle any more; streams of the connection may go on. */
  drop(): void {
    this.#hasHandle = false;
    this.#letGo();
  }

  #letGo(): void {
    if (this.#hasHandle || (this.#state.kind === "connected" && this.#state.connection.isOpen)) return;
    this.#holder.delete(this);
    this[Symbol.dispose]();
  }

  /** Ends the connection, whoever may still use it. */
  [Symbol.dispose](): void {
    const state = this.#state;
    this.#state = { kind: "failed" };
    if (state.kind === "connecting" || state.kind === "connected") state.connection[Symbol.dispose]();
    this.#admission[Symbol.dispose]();
  }
}
