// The sockets of the HTTP trigger: opening, idling, failing, closing.
//
// `node:http` parses heads and frames bodies. What it would answer or decide by itself is taken from
// it: timeouts, keep-alive, its 400s, so that one place knows why a connection ends.

import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import net from "node:net";
import type { Duplex } from "node:stream";
import { Connection, peerOf } from "./connection.ts";
import { currentDate } from "./date.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Exchange } from "./exchange.ts";
import type { HttpLogEntry } from "./failure.ts";
import type { HttpLimits } from "./limits.ts";
import { reasonPhrase } from "./reply.ts";

/** PEM texts. */
export interface TlsIdentity {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface ListenerOptions {
  readonly limits: HttpLimits;
  readonly tls: TlsIdentity | undefined;
  readonly log: (entry: HttpLogEntry) => void;
}

export interface DrainOptions {
  readonly graceMs: number;
  readonly signal: AbortSignal | undefined;
}

/** How often connections are looked through, at least. */
const SWEEP_MS_MAX = 1000;

export class Listener {
  readonly server: http.Server;
  readonly scheme: "http" | "https";
  readonly #dispatcher: Dispatcher;
  readonly #limits: HttpLimits;
  readonly #log: ListenerOptions["log"];
  /** Under the sockets that `node:http` names in its events. */
  readonly #connections = new Map<Duplex, Connection<Exchange>>();
  /** By peer, those that do not speak HTTP yet: none without TLS. */
  readonly #handshakes = new Map<string, net.Socket>();
  /** Said once between two sweeps, as there may be thousands. */
  #isRefusalLogged = false;
  #sweeper: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;

  /** @throws what `node:tls` throws for a certificate or key that it cannot use */
  constructor(dispatcher: Dispatcher, { limits, tls, log }: ListenerOptions) {
    this.#dispatcher = dispatcher;
    this.#limits = limits;
    this.#log = log;
    this.scheme = tls ? "https" : "http";
    this.server = tls
      ? https.createServer({ ...serverOptions(limits), ...tls, handshakeTimeout: limits.headTimeMs })
      : http.createServer(serverOptions(limits));
    this.server.maxConnections = limits.connectionsMax;
    // Counted by us, so that what is over is refused and not just left out.
    this.server.maxHeadersCount = 0;
    this.#heed();
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Stops accepting and lets requests in flight finish. Called again, it ends them. */
  async drain({ graceMs, signal }: DrainOptions): Promise<void> {
    if (this.#closed !== undefined) {
      this.#destroyAll();
      return this.#closed;
    }
    this.#closed = this.#close();
    for (const connection of this.#connections.values()) connection.finish();
    for (const socket of this.#handshakes.values()) socket.destroy();
    const end = () => this.#destroyAll();
    const grace = setTimeout(end, graceMs);
    signal?.addEventListener("abort", end);
    if (signal?.aborted) end();
    await this.#closed;
    clearTimeout(grace);
    signal?.removeEventListener("abort", end);
  }

  #heed(): void {
    const { server } = this;
    const isTls = this.scheme === "https";
    if (isTls) server.on("connection", (socket) => this.#shaking(socket));
    server.on(isTls ? "secureConnection" : "connection", (socket) => this.#opened(socket));
    server.on("request", (incoming, response) => this.#arrived(incoming, response, "goes-on"));
    server.on("checkContinue", (incoming, response) => this.#arrived(incoming, response, "waits"));
    // Expectations that nobody knows are ignored, as Spin's server does.
    server.on("checkExpectation", (incoming, response) => this.#arrived(incoming, response, "goes-on"));
    server.on("clientError", (error, socket) => this.#failed(error, socket));
    server.on("connect", (_, socket) => refuseTunnel(socket));
    server.on("error", (error) => this.#notAccepted(error));
  }

  #shaking(socket: net.Socket): void {
    const peer = peerOf(socket);
    this.#handshakes.set(peer, socket);
    socket.once("close", () => this.#handshakes.delete(peer));
  }

  #opened(socket: net.Socket): void {
    const connection = new Connection<Exchange>(socket, this.scheme);
    this.#handshakes.delete(connection.clientAddress);
    this.#connections.set(socket, connection);
    socket.once("close", () => {
      this.#connections.delete(socket);
      this.#dispatcher.cutOff(connection, "the client has left");
    });
    // A connection that was in the backlog when the listener closed.
    if (this.#closed !== undefined) connection.finish();
    const sweepMs = Math.min(this.#limits.idleTimeMs / 4, SWEEP_MS_MAX);
    this.#sweeper ??= setInterval(() => this.#sweep(), sweepMs).unref();
  }

  #arrived(incoming: IncomingMessage, response: ServerResponse, body: "goes-on" | "waits"): void {
    const connection = this.#connections.get(incoming.socket);
    const expectsContinue = body === "waits";
    // Without one, the connection was closed while its last bytes were being parsed.
    if (connection) this.#dispatcher.receive(connection, { incoming, response, expectsContinue });
  }

  /** Answers what the parser refused, once the requests before it are answered. */
  #failed(error: ParseError, socket: Duplex): void {
    const connection = this.#connections.get(socket);
    const status = statusFor(error);
    if (connection === undefined || status === undefined) socket.destroy();
    else if (!this.#dispatcher.breakOff(connection)) connection.part(lastReply(status));
  }

  /** The system gave no connection, perhaps for want of file descriptors. Others will come. */
  #notAccepted({ message }: Error): void {
    // Until the server listens, an error is for whoever waits for that.
    if (!this.server.listening || this.#isRefusalLogged) return;
    this.#isRefusalLogged = true;
    this.#log({ severity: "error", message: `Cannot accept a connection: ${message}` });
  }

  #sweep(): void {
    this.#isRefusalLogged = false;
    const nowMs = performance.now();
    for (const connection of this.#connections.values()) {
      const isIdle = connection.idleMs(nowMs) >= this.#limits.idleTimeMs;
      // A request may be on its way: it is answered, and not met by a reset.
      if (isIdle && !connection.isClosing) connection.finish();
    }
    if (this.#connections.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  #close(): Promise<void> {
    return new Promise((resolve) => {
      // `http.Server` would also cut replies that are given but not yet taken by the client.
      net.Server.prototype.close.call(this.server, () => {
        // Ends the timer with which `http.Server` looks for slow heads; it has nothing else left to do.
        this.server.close();
        resolve();
      });
    });
  }

  #destroyAll(): void {
    for (const connection of this.#connections.values()) {
      this.#dispatcher.cutOff(connection, "the server is stopping");
      connection.socket.destroy();
    }
  }
}

function serverOptions(limits: HttpLimits): http.ServerOptions {
  return {
    maxHeaderSize: limits.headBytesMax,
    headersTimeout: limits.headTimeMs,
    connectionsCheckingInterval: Math.min(limits.headTimeMs / 4, SWEEP_MS_MAX),
    // Bodies and idle connections are timed by us.
    requestTimeout: 0,
    keepAliveTimeout: 0,
    requireHostHeader: false,
    // A request without a body, as most are, then costs a quarter less.
    optimizeEmptyRequests: true,
  };
}

/** What a parser says of the bytes that it refused. */
interface ParseError extends NodeJS.ErrnoException {
  readonly rawPacket?: Buffer;
  /** How many of the packet's bytes were good. */
  readonly bytesParsed?: number;
}

/** What a client is told whose message cannot be parsed; nothing if it cannot be listening. */
function statusFor(error: ParseError): number | undefined {
  switch (error.code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return 408;
    case "HPE_HEADER_OVERFLOW":
      return 431;
    case "HPE_INVALID_METHOD":
      return isRequestLine(error) ? 405 : 400;
    case "HPE_INVALID_EOF_STATE":
      return undefined;
    default:
      return error.code?.startsWith("HPE_") ? 400 : undefined;
  }
}

const REQUEST_LINE_BYTES_MAX = 1024;

/** Says whether only the method is at fault: Spin's server takes any, and leaves it to the guest. */
function isRequestLine({ rawPacket, bytesParsed = 0 }: ParseError): boolean {
  if (rawPacket === undefined) return false;
  const start = rawPacket.lastIndexOf("\n", bytesParsed) + 1;
  const text = rawPacket.toString("latin1", start, start + REQUEST_LINE_BYTES_MAX);
  return /^[!#$%&'*+.^_`|~\w-]+ \S+ HTTP\/1\.[01]\r?\n/.test(text);
}

/** A reply by hand, for where `node:http` has given up on the connection. */
function lastReply(status: number): string {
  const head = [
    `HTTP/1.1 ${status} ${reasonPhrase(status)}`,
    "connection: close",
    "content-length: 0",
    `date: ${currentDate()}`,
  ];
  return `${head.join("\r\n")}\r\n\r\n`;
}

/** We are no proxy. `node:http` has let go of the socket by now. */
function refuseTunnel(socket: Duplex): void {
  socket.on("error", () => socket.destroy());
  socket.end(lastReply(405), () => socket.destroy());
}
