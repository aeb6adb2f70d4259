// The bodies of one exchange: pieces out, pieces in, no faster than they are taken.

import type { ClientRequest, IncomingMessage } from "node:http";
import { BytePipe, drain, fill } from "../bytes/mod.ts";
import { OutboundError } from "./outbound-error.ts";
import { describe, type PhaseTimer } from "./wire-failure.ts";

/** Counts the bytes of bodies that are not in memory. What a function here throws ends the exchange. */
export interface BodyCounter {
  sent(bytes: number): void;
  received(bytes: number): void;
}

export function sendBody(
  outgoing: ClientRequest,
  body: Uint8Array | BytePipe,
  counter: BodyCounter | undefined,
): void {
  if (body instanceof Uint8Array) {
    outgoing.end(body);
    return;
  }
  outgoing.flushHeaders();
  const draining = drain(body, {
    write(bytes) {
      try {
        counter?.sent(bytes.length);
        return outgoing.write(bytes);
      } catch (error) {
        outgoing.destroy(describe(error));
        return false;
      }
    },
    ended() {
      if (body.trailers) outgoing.addTrailers(pairs(body.trailers));
      outgoing.end();
    },
    failed(cause) {
      const message = "The body of the request was broken off";
      outgoing.destroy(new OutboundError("connection", message, { cause }));
    },
  });
  outgoing.on("drain", () => draining.resume());
  outgoing.on("close", () => draining.stop());
}

export interface ReadBodyOptions {
  /** That of the exchange. */
  readonly timer: PhaseTimer;
  readonly betweenBytesMs: number;
  readonly outgoing: ClientRequest;
  readonly counter: BodyCounter | undefined;
}

/** The body of an answer. The timer runs while the peer is to send something. */
export function readBody(
  incoming: IncomingMessage,
  { timer, betweenBytesMs, outgoing, counter }: ReadBodyOptions,
): BytePipe {
  const body = new BytePipe();
  const expect = () => timer.start(betweenBytesMs, "go-on");
  expect();
  // A peer may answer without having read what it was sent.
  const stopSending = () => {
    if (!outgoing.writableFinished) outgoing.destroy();
  };
  incoming.once("end", stopSending);
  fill(body, incoming, {
    cancelled() {
      incoming.destroy();
      stopSending();
    },
    trailers: () => incoming.rawTrailers.map((text, index) => (index % 2 === 0 ? text.toLowerCase() : text)),
    progress: (state) => (state === "flowing" ? expect() : timer.stop()),
    count: (bytes) => counter?.received(bytes),
    describe,
  });
  return body;
}

/** In the form that Node wants them. */
function pairs(list: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  // Names are at even places, and each value follows its name.
  for (let at = 0; at + 1 < list.length; at += 2) found.push([list[at] as string, list[at + 1] as string]);
  return found;
}
