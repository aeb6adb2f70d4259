// One HTTP request on the wire and the head of its answer; redirects and policy are the caller's.
//
// Whatever ends it early (a timer, the signal, the peer) ends it with an OutboundError, before the
// head or in the middle of the body, and closes the connection.

import http from "node:http";
import https from "node:https";
import { isIP } from "node:net";
import { BytePipe } from "../bytes/mod.ts";
import { OutboundError } from "./outbound-error.ts";
import { type BodyCounter, readBody, sendBody } from "./wire-body.ts";
import { describe, interrupted, isClosedByPeer, PhaseTimer } from "./wire-failure.ts";

export interface WireRequest {
  readonly method: string;
  readonly url: URL;
  /** Name, value, name, value, ...: as sent, apart from those that belong to the connection. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | BytePipe;
}

/** Disposing it closes the connection, unless the body has been read to its end. */
export interface WireResponse extends Disposable {
  readonly status: number;
  /** Name, value, name, value, ...; names in lower case. */
  readonly headers: readonly string[];
  /** What fails it is an OutboundError. Cancelling it closes the connection. */
  readonly body: BytePipe;
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
  readonly counter?: BodyCounter | undefined;
  /** Called when the connection is free again, or closed. */
  readonly closed?: () => void;
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
  const isRepeatable = request.body instanceof Uint8Array && IDEMPOTENT.has(request.method);
  try {
    return await attempt(request, options);
  } catch (error) {
    if (error instanceof StaleConnectionError && isRepeatable) return await attempt(request, options);
    if (request.body instanceof BytePipe) request.body.cancel();
    throw error;
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
  let end = (error: OutboundError) => void outgoing.destroy(error);
  const timer = new PhaseTimer((error) => end(error));
  const abort = () => end(interrupted(signal));
  signal.addEventListener("abort", abort, { once: true });

  timer.start(timeouts.connectMs, "connect");
  outgoing.on("socket", (socket) => {
    const connected = () => timer.start(timeouts.firstByteMs, "answer");
    if (!socket.connecting) connected();
    else socket.once(request.url.protocol === "https:" ? "secureConnect" : "connect", connected);
  });
  outgoing.on("error", (error) => {
    timer.stop();
    const failure = describe(error);
    reject(outgoing.reusedSocket && isClosedByPeer(error) ? new StaleConnectionError(failure) : failure);
  });
  // Without an error: a peer that switches protocols is left so.
  outgoing.on("close", () => {
    timer.stop();
    signal.removeEventListener("abort", abort);
    reject(noAnswer());
    options.closed?.();
  });
  outgoing.on("response", (incoming) => {
    end = (error) => void incoming.destroy(error);
    const { betweenBytesMs } = timeouts;
    const body = readBody(incoming, { timer, betweenBytesMs, outgoing, counter: options.counter });
    resolve({
      // Node's parser sets the status code of every response.
      status: incoming.statusCode as number,
      headers: incoming.rawHeaders.map((text, index) => (index % 2 === 0 ? text.toLowerCase() : text)),
      body,
      [Symbol.dispose]: () => body.cancel(),
    });
  });
  sendBody(outgoing, request.body, options.counter);
  return promise;
}

function noAnswer(): OutboundError {
  return new OutboundError("connection", "The peer gave no answer");
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
  if (body instanceof BytePipe) {
    const stated = headerValue(headers, "content-length");
    sent.push(...(stated === undefined ? ["transfer-encoding", "chunked"] : ["content-length", stated]));
  } else if (body.length > 0 || method === "POST" || method === "PUT" || method === "PATCH") {
    sent.push("content-length", String(body.length));
  }
  return sent;
}

export function headerValue(headers: readonly string[], name: string): string | undefined {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (headers[at]?.toLowerCase() === name) return headers[at + 1];
  }
  return undefined;
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
