// One connection of a client. Its requests are answered one after the other, as Spin's server does.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { formatAddress } from "./listen-address.ts";

/** A request as `node:http` gives it. */
export interface Arrival {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  /** The client sends the body only when it is told to. */
  readonly expectsContinue: boolean;
}

const LINGER_MS = 1000;
/** On a connection that is to be closed, a request may be on its way: it is answered if it comes this soon. */
const LAST_REQUEST_MS = 50;

/** `E` is what holds a request and its reply. */
export class Connection<E> {
  readonly socket: Socket;
  readonly scheme: "http" | "https";
  readonly clientAddress: string;
  /** The request that is not answered yet. One that is answered at once never gets here. */
  current: E | undefined = undefined;
  /** What the client sent before the reply to `current`, in order. */
  readonly ahead: Arrival[] = [];
  /** Requests so far; a connection where it does not grow is idle. */
  requests = 0;
  /** The next reply is the last one, and says so. */
  isClosing = false;
  /** Set when nothing more is read: what to say, after all replies, before closing. */
  farewell: string | undefined = undefined;
  #isClosed = false;
  #waits = 0;
  #requestsSeen = -1;
  #idleSinceMs = 0;

  constructor(socket: Socket, scheme: "http" | "https") {
    this.socket = socket;
    this.scheme = scheme;
    this.clientAddress = peerOf(socket);
  }

  /** Lets the current request finish, and closes; if there is none, in a moment. */
  finish(): void {
    this.isClosing = true;
    if (this.current !== undefined) return;
    setTimeout(() => {
      if (this.current === undefined) this.close();
    }, LAST_REQUEST_MS).unref();
  }

  /** Closes the connection once the replies given so far are flushed, saying no more than `farewell`. */
  part(farewell = ""): void {
    if (this.farewell !== undefined) return;
    this.farewell = farewell;
    if (this.current === undefined) this.close();
  }

  /**
   * Says farewell and closes, but goes on reading for a moment: closing with bytes unread would reset
   * the connection, and the client might never see what we said.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { socket } = this;
    // Replies that were given in this turn reach the socket within it, one after the other.
    setImmediate(() => {
      socket.removeAllListeners("data");
      socket.on("data", () => undefined);
      socket.end(this.farewell ?? "", "latin1");
      const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
      socket.once("close", () => clearTimeout(timer));
    });
  }

  /** Waits for the client: without a byte in either direction for that long, the connection is closed. */
  async expect<T>(progress: Promise<T>, stallTimeMs: number): Promise<T> {
    if (this.#waits++ === 0) this.socket.setTimeout(stallTimeMs);
    try {
      return await progress;
    } finally {
      if (--this.#waits === 0) this.socket.setTimeout(0);
    }
  }

  /** Called now and then; gives how long nothing has happened. */
  idleMs(nowMs: number): number {
    if (this.current !== undefined || this.requests !== this.#requestsSeen) {
      this.#requestsSeen = this.requests;
      this.#idleSinceMs = nowMs;
    }
    return nowMs - this.#idleSinceMs;
  }
}

/** `ip:port`, an IPv6 address in brackets. */
export function peerOf({ remoteAddress = "", remotePort = 0 }: Socket): string {
  return formatAddress({ host: remoteAddress, port: remotePort });
}
