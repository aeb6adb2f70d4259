// `wasi:http/outgoing-handler`: requests of a guest to the outside, and to its own application.

import { BytePipe } from "../../bytes/mod.ts";
import type { Timeouts } from "../../outbound/mod.ts";
import type { CapabilityContext } from "../capability-context.ts";
import { FutureIncomingResponse } from "./incoming-response.ts";
import { methodName } from "./method.ts";
import type { OutgoingRequest, RequestOptions } from "./outgoing-request.ts";
import type { HttpCaller } from "./versions.ts";

const NS_PER_MS = 1_000_000n;
/** The longest that a timer of Node can be set to. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Begins a request. What comes of it, also that it is not allowed, is told by the future. */
export function handle(
  caller: HttpCaller,
  request: OutgoingRequest,
  timeouts: Partial<Timeouts>,
): FutureIncomingResponse {
  caller.shift();
  const { data, signal } = caller;
  const abort = new AbortController();
  const response = open(data, request, {
    timeouts,
    signal: AbortSignal.any([signal, abort.signal]),
  });
  request.release();
  return new FutureIncomingResponse(response, abort);
}

function open(
  { outbound, data }: CapabilityContext,
  request: OutgoingRequest,
  options: { readonly timeouts: Partial<Timeouts>; readonly signal: AbortSignal },
): ReturnType<CapabilityContext["outbound"]["open"]> {
  return outbound.open(
    {
      // A request never has another method than one that it accepted.
      method: methodName(request.method) ?? "GET",
      url: request.url,
      headers: request.headers.list,
      body: request.takenBody?.pipe ?? EMPTY,
      timeouts: options.timeouts,
    },
    { call: data, signal: options.signal },
  );
}

/** Ended and empty: nobody can change it. */
const EMPTY = BytePipe.of(new Uint8Array(0));

export function timeoutsOf(options: RequestOptions | undefined): Partial<Timeouts> {
  if (!options) return {};
  return timeouts({
    connectMs: options.connectTimeout,
    firstByteMs: options.firstByteTimeout,
    betweenBytesMs: options.betweenBytesTimeout,
  });
}

function timeouts(durationsNs: Readonly<Record<keyof Timeouts, bigint | undefined>>): Partial<Timeouts> {
  const entries = Object.entries(durationsNs).flatMap(([key, ns]) =>
    ns === undefined ? [] : [[key, milliseconds(ns)]],
  );
  return Object.fromEntries(entries);
}

/** Rounded up, so that what is not nothing does not become nothing. */
function milliseconds(ns: bigint): number {
  return Math.min(TIMER_MS_MAX, Number((ns + NS_PER_MS - 1n) / NS_PER_MS));
}
