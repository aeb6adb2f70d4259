// What the HTTP trigger and an executor say to each other: one request in, one reply out.
//
// The trigger owns the socket, the route and the limits; an executor owns one guest ABI. Both sides
// treat everything here as immutable, so one object can be shared by all requests it fits.
//
// Strings that come off the wire or go onto it hold one character per byte (`latin1`), never decoded:
// what the client sent as UTF-8 reaches a guest as the same bytes when it is written as `latin1`.

import type { BytePipe } from "../../bytes/mod.ts";
import type { Route } from "./route.ts";

export interface HttpRequest {
  /** As sent, case included. */
  readonly method: string;
  /** Origin form, undecoded: `/a%20b?x=1`. */
  readonly target: string;
  /** `target` up to its first `?`. */
  readonly path: string;
  /** What follows the first `?`; absent if there is none, empty for a bare `?`. */
  readonly query: string | undefined;
  /** The `Host` header, or the authority of an absolute target. Its syntax has been checked. */
  readonly authority: string;
  readonly scheme: "http" | "https";
  /** "1.1" or "1.0". */
  readonly httpVersion: string;
  /** Name, value, name, value, ... as received: repeated names are repeated here. */
  readonly rawHeaders: readonly string[];
  /** `ip:port` of the peer; an IPv6 address is in brackets. */
  readonly clientAddress: string;
  /** Aborted when the client has left or the time is up. Made on first use: do not read it in vain. */
  readonly signal: AbortSignal;
}

export interface HttpReply {
  /** 200 to 999; anything else is answered with an empty 500. */
  readonly status: number;
  /**
   * Name, value, name, value, ... sent in this order, names in lower case. A `transfer-encoding` is
   * dropped and a wrong `content-length` corrected: the length of a message is the trigger's to say.
   */
  readonly headers: readonly string[];
  /**
   * Bytes are sent with a `content-length`. What comes in pieces is sent in chunks, each flushed at once;
   * a pipe costs least, and its trailers are sent if the headers announce them.
   */
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  /** Sends bytes as if they had come in pieces: without a length that the headers do not state. */
  readonly framing?: "chunks";
  /**
   * The executor is still at work until then, though its reply is given: the request keeps its place. A
   * rejection is logged.
   */
  readonly afterwards?: Promise<void>;
}

/**
 * A request body as it arrives. Reading it is what lets more arrive. What is small has often arrived
 * already: then it is there as `whole`.
 */
export type RequestBody = BytePipe;

/** What the trigger must know of the component behind an executor. */
export interface ExecutorLimits {
  /** From the executor's start to the head of its reply. */
  readonly wallTimeMs: number;
  /** From the end of the reply to the executor's end. Absent: that of the trigger. */
  readonly afterReplyTimeMs?: number;
  /** Places for one of a component with weight 1. */
  readonly weight: number;
}

interface LimitedExecutor {
  /** Absent: those of the trigger. */
  readonly limits?: ExecutorLimits;
}

/** Takes each request with its whole body. Answering synchronously costs the least. */
export interface BufferedHttpExecutor extends LimitedExecutor {
  readonly bodyMode: "buffered";
  execute(request: HttpRequest, match: RouteMatch, body: Uint8Array): HttpReply | Promise<HttpReply>;
}

/** Takes each request when its head has arrived. A body it does not read is discarded. */
export interface StreamedHttpExecutor extends LimitedExecutor {
  readonly bodyMode: "streamed";
  execute(request: HttpRequest, match: RouteMatch, body: RequestBody): HttpReply | Promise<HttpReply>;
}

/**
 * How one guest ABI is spoken.
 *
 * What it throws, or rejects with, becomes an empty 500 and a line in the log; a `SlotsExhaustedError`
 * becomes a 503.
 */
export type HttpExecutor = BufferedHttpExecutor | StreamedHttpExecutor;

export interface RouteMatch {
  readonly route: Route;
  /** What the trailing wildcard took, undecoded, with its leading slash; empty if there is none. */
  readonly pathInfo: string;
  /** Named parameters in the order of the route, undecoded. */
  readonly params: readonly (readonly [name: string, value: string])[];
}
