// One HTTP request on the wire and the head of its answer; redirects and policy are the caller's.
//
// Whatever ends it early (a timer, the signal, the peer) ends it with an OutboundError, before the
// head or in the middle of the body, and closes the connection.

import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { isIP } from "node:net";
import { OutboundError } from "./outbound-error.ts";

export interface WireRequest {
  readonly method: string;
  readonly url: URL;
  /** Name, value, name, value, ...: as sent, apart from those that belong to the connection. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
}

/** Disposing it closes the connection, unless the body has been read to its end. */
export interface WireResponse extends Disposable {
  readonly status: number;
  /** Name, value, name, value, ...; names in lower case. */
  readonly headers: readonly string[];
  /** Can be read once. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface Timeouts {
  /** From the start to a connection, DNS and TLS included. */
  readonly connectMs: number;
  /** From the connection to the head of the answer. */
  readonly firstByteMs: number;
  /** Between two pieces of the body. */
  readonly betweenBytesMs: number;
}

/** Connections kept between requests, for the whole process. */
export interface Agents {
  readonly http: http.Agent;
  readonly https: https.Agent;
}

export interface ExchangeOptions {
  readonly agents: Agents;
  readonly timeouts: Timeouts;
  readonly signal: AbortSignal;
}

/** An answer's head may have this many bytes; the trigger gives clients as much. */
const HEAD_BYTES_MAX = 64 * 1024;

/** Headers that belong to the connection, or that follow from URL and body. A guest cannot set them. */
const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Methods that may be sent again when a kept connection turns out to be closed (RFC 9110, 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);

/** @throws OutboundError */
export async function exchange(request: WireRequest, options: ExchangeOptions): Promise<WireResponse> {
  try {
    return await attempt(request, options);
  } catch (error) {
    if (!(error instanceof StaleConnectionError) || !IDEMPOTENT.has(request.method)) throw error;
    return await attempt(request, options);
  }
}

/** A connection from the pool was closed by the peer before it saw the request. */
class StaleConnectionError extends OutboundError {
  constructor(cause: unknown) {
    super("connection", "The peer closed the connection", { cause });
  }
}

function attempt(request: WireRequest, options: ExchangeOptions): Promise<WireResponse> {
  const { timeouts, signal } = options;
  const { promise, resolve, reject } = Promise.withResolvers<WireResponse>();
  if (signal.aborted) throw interrupted(signal);
  const outgoing = open(request, options.agents);
  const timer = new PhaseTimer((error) => outgoing.destroy(error));
  const abort = () => outgoing.destroy(interrupted(signal));
  signal.addEventListener("abort", abort, { once: true });
  const settle = () => {
    timer.stop();
    signal.removeEventListener("abort", abort);
  };

  timer.start(timeouts.connectMs, "to connect");
  outgoing.on("socket", (socket) => {
    const connected = () => timer.start(timeouts.firstByteMs, "to answer");
    if (!socket.connecting) connected();
    else socket.once(request.url.protocol === "https:" ? "secureConnect" : "connect", connected);
  });
  outgoing.on("error", (error) => {
    settle();
    reject(describe(error, outgoing.reusedSocket));
  });
  // Without an error: a peer that switches protocols is left so.
  outgoing.on("close", () => {
    settle();
    reject(describe(new Error("the peer gave no answer")));
  });
  outgoing.on("response", (incoming) => {
    settle();
    resolve({
      // Node's parser sets the status code of every response.
      status: incoming.statusCode as number,
      headers: incoming.rawHeaders.map((text, index) => (index % 2 === 0 ? text.toLowerCase() : text)),
      body: readBody(incoming, timeouts.betweenBytesMs, signal),
      [Symbol.dispose]() {
        incoming.destroy();
        // A peer may answer without having read what it was sent.
        if (!outgoing.writableFinished) outgoing.destroy();
      },
    });
  });
  outgoing.end(request.body);
  return promise;
}

function open(request: WireRequest, agents: Agents): http.ClientRequest {
  const { method, url } = request;
  // A URL has an IPv6 address in brackets, a socket wants it without.
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const head = {
    method,
    host,
    port: url.port,
    path: url.pathname + url.search,
    headers: wireHeaders(request),
    maxHeaderSize: HEAD_BYTES_MAX,
  };
  try {
    if (url.protocol === "http:") return http.request({ ...head, agent: agents.http });
    return https.request({ ...head, agent: agents.https, servername: isIP(host) === 0 ? host : "" });
  } catch (cause) {
    throw new OutboundError("invalid-request", `HTTP cannot carry this request: ${String(cause)}`, { cause });
  }
}

function wireHeaders({ method, url, headers, body }: WireRequest): string[] {
  const sent = ["host", url.host, ...withoutConnectionHeaders(headers)];
  if (body.length > 0 || method === "POST" || method === "PUT" || method === "PATCH") {
    sent.push("content-length", String(body.length));
  }
  return sent;
}

/** Leaves out the headers that are not a guest's to set. */
export function withoutConnectionHeaders(headers: readonly string[]): readonly string[] {
  return withoutHeaders(headers, CONNECTION_HEADERS);
}

/** @param dropped names in lower case */
export function withoutHeaders(headers: readonly string[], dropped: ReadonlySet<string>): readonly string[] {
  // Names are at even places, and each value follows its name.
  return headers.filter((_, at) => !dropped.has((headers[at - (at % 2)] as string).toLowerCase()));
}

async function* readBody(
  incoming: IncomingMessage,
  betweenBytesMs: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const timer = new PhaseTimer((error) => incoming.destroy(error));
  const abort = () => incoming.destroy(interrupted(signal));
  signal.addEventListener("abort", abort, { once: true });
  try {
    if (signal.aborted) abort();
    timer.start(betweenBytesMs, "to go on with its answer");
    for await (const chunk of incoming) {
      timer.start(betweenBytesMs, "to go on with its answer");
      yield chunk;
    }
  } catch (error) {
    throw describe(error);
  } finally {
    timer.stop();
    signal.removeEventListener("abort", abort);
  }
}

/** Calls back with an error unless it is stopped, or started for the next phase, in time. */
class PhaseTimer {
  readonly #expired: (error: OutboundError) => void;
  #timeout: NodeJS.Timeout | undefined;

  constructor(expired: (error: OutboundError) => void) {
    this.#expired = expired;
  }

  start(ms: number, what: string): void {
    this.stop();
    const expire = () =>
      this.#expired(new OutboundError("timeout", `The peer took longer than ${ms} ms ${what}`));
    this.#timeout = setTimeout(expire, ms);
  }

  stop(): void {
    clearTimeout(this.#timeout);
  }
}

function interrupted(signal: AbortSignal): OutboundError {
  return new OutboundError("connection", "The call ended before its request", { cause: signal.reason });
}

function describe(error: unknown, wasReused = false): OutboundError {
  if (error instanceof OutboundError) return error;
  if (wasReused && isClosedByPeer(error)) return new StaleConnectionError(error);
  const reason = error instanceof Error ? error.message : String(error);
  return new OutboundError("connection", `The request failed: ${reason}`, { cause: error });
}

function isClosedByPeer(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
}
