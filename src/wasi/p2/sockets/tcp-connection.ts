// A TCP connection of a guest, and its two directions as streams.
//
// It begins with the attempt to connect, and ends when both directions are closed. Bytes that were
// written are still sent after the guest has gone, for a while.

import { Socket } from "node:net";

import type { GearedCaller } from "../../sandbox/gears.ts";
import { type InputStream, IoError, type OutputStream, Watchers } from "../../sandbox/streams.ts";
import type { Endpoint } from "./address.ts";
import { codeOf, type ErrorCode } from "./failure.ts";

/** Bytes that one write takes. While Node holds more than its own limit, there is no room at all. */
const WRITE_BYTES_MAX = 64 * 1024;

/** How long what was written may take to be sent once nobody holds the connection any more. */
const LINGER_MS_MAX = 5000;

const NOTHING = new Uint8Array(0);

export interface KeepAlive {
  readonly enabled: boolean;
  readonly idleMs: number;
  readonly intervalMs: number;
  readonly count: number;
}

export class TcpConnection implements Disposable {
  readonly watchers = new Watchers();
  readonly #socket = new Socket({ allowHalfOpen: true });
  #error: unknown;
  #isConnected = false;
  #isInputOpen = true;
  #isOutputOpen = true;
  /** Writes that the system has not taken yet. */
  #pendingWrites = 0;
  #isFlushing = false;

  constructor(remote: Endpoint) {
    const notify = () => this.watchers.notify();
    this.#socket
      .on("connect", () => {
        this.#isConnected = true;
        notify();
      })
      .on("error", (error) => {
        this.#error = error;
        notify();
      })
      .on("readable", () => {
        // The end is told only to those who read on.
        if (this.#socket.readableLength === 0) this.#socket.read(0);
        notify();
      })
      .on("end", notify)
      .on("drain", notify)
      .on("close", notify);
    this.#socket.connect({ host: remote.host, port: remote.port });
  }

  /** Absent: still connecting. */
  get outcome(): "connected" | ErrorCode | undefined {
    if (this.#isConnected) return "connected";
    return this.#socket.destroyed ? codeOf(this.#error) : undefined;
  }

  /** Whether either direction is. */
  get isOpen(): boolean {
    return this.#isInputOpen || this.#isOutputOpen;
  }

  /** Undefined if it is closed. */
  get local(): { readonly address: string; readonly port: number } | undefined {
    const { localAddress: address, localPort: port } = this.#socket;
    return address === undefined || port === undefined ? undefined : { address, port };
  }

  setKeepAlive({ enabled, idleMs, intervalMs, count }: KeepAlive): void {
    // The types of Node know the first two parameters only; Node 26 documents all four.
    const socket = this.#socket as unknown as {
      setKeepAlive(enable: boolean, initialDelay: number, interval: number, count: number): void;
    };
    socket.setKeepAlive(enabled, idleMs, intervalMs, count);
  }

  read(length: number): Uint8Array | undefined {
    if (!this.#isInputOpen) return undefined;
    if (length === 0) return NOTHING;
    // The type of what is read depends on an encoding, which this socket has not got.
    const bytes = this.#socket.read(Math.min(length, this.#socket.readableLength)) as Buffer | null;
    if (bytes) return bytes;
    if (this.#socket.readableEnded || this.#socket.destroyed) {
      this.#isInputOpen = false;
      this.#throwError();
      return undefined;
    }
    return NOTHING;
  }

  get isReadable(): boolean {
    const { readableLength, readableEnded, destroyed } = this.#socket;
    return !this.#isInputOpen || readableLength > 0 || readableEnded || destroyed;
  }

  get room(): number | undefined {
    if (!this.#isOutputOpen) return undefined;
    if (this.#socket.destroyed) {
      this.#isOutputOpen = false;
      this.#throwError();
      return undefined;
    }
    return this.#isFlushing || this.#socket.writableNeedDrain ? 0 : WRITE_BYTES_MAX;
  }

  /** There must be room. */
  write(bytes: Uint8Array): void {
    this.#pendingWrites++;
    this.#socket.write(bytes, () => {
      this.#pendingWrites--;
      if (this.#pendingWrites > 0) return;
      this.#isFlushing = false;
      this.watchers.notify();
    });
  }

  flush(): void {
    this.#isFlushing = this.#pendingWrites > 0;
  }

  get isWritable(): boolean {
    const { destroyed, writableNeedDrain } = this.#socket;
    return !this.#isOutputOpen || destroyed || !(this.#isFlushing || writableNeedDrain);
  }

  /** @throws IoError unless the other side has just gone, which is the end and no error */
  #throwError(): void {
    const error = this.#error;
    if (error === undefined) return;
    const isGone = error instanceof Error && "code" in error && error.code === "EPIPE";
    if (!isGone) throw new IoError(`The connection failed: ${codeOf(error)}`, error);
  }

  closeInput(): void {
    this.#isInputOpen = false;
    this.#finish();
  }

  /** Tells the other side that nothing more comes, after what was written. */
  closeOutput(): void {
    this.#isOutputOpen = false;
    if (!this.#socket.destroyed) this.#socket.end();
    this.#finish();
  }

  #finish(): void {
    if (!this.isOpen) this[Symbol.dispose]();
    this.watchers.notify();
  }

  /** Lets it go, after what was written. */
  [Symbol.dispose](): void {
    this.#isInputOpen = false;
    this.#isOutputOpen = false;
    const socket = this.#socket;
    if (socket.destroyed) return;
    if (!this.#isConnected) {
      socket.destroy();
      return;
    }
    socket.destroySoon();
    const lingering = setTimeout(() => socket.destroy(), LINGER_MS_MAX).unref();
    socket.once("close", () => clearTimeout(lingering));
  }
}

export class TcpInput implements InputStream {
  readonly #connection: TcpConnection;

  constructor(connection: TcpConnection) {
    this.#connection = connection;
  }

  read(_caller: GearedCaller, length: number): Uint8Array | undefined {
    return this.#connection.read(length);
  }

  isReady(): boolean {
    return this.#connection.isReadable;
  }

  watch(wake: () => void): () => void {
    return this.#connection.watchers.add(wake);
  }

  [Symbol.dispose](): void {
    this.#connection.closeInput();
  }
}

export class TcpOutput implements OutputStream {
  readonly #connection: TcpConnection;

  constructor(connection: TcpConnection) {
    this.#connection = connection;
  }

  room(): number | undefined {
    return this.#connection.room;
  }

  write(_caller: GearedCaller, bytes: Uint8Array): void {
    this.#connection.write(bytes);
  }

  flush(): void {
    this.#connection.flush();
  }

  isReady(): boolean {
    return this.#connection.isWritable;
  }

  watch(wake: () => void): () => void {
    return this.#connection.watchers.add(wake);
  }

  [Symbol.dispose](): void {
    this.#connection.closeOutput();
  }
}
