// Sends a reply in pieces as they come, no faster than the client takes them.

import type { Exchange } from "./exchange.ts";
import { mayHaveBody, type PiecewiseReply, ReplyError, startReply } from "./reply.ts";

export interface StreamOptions {
  /** How long the client may take nothing. */
  readonly stallTimeMs: number;
}

/**
 * Sends the reply; ends early, without an error, if the client leaves.
 *
 * @throws ReplyError before the first byte if the head cannot be sent, or later if the body does not
 * have the promised length; or what the executor's iterator throws
 */
export async function streamReply(
  exchange: Exchange,
  reply: PiecewiseReply,
  options: StreamOptions,
): Promise<void> {
  const body = reply.body[Symbol.asyncIterator]();
  try {
    if (isOver(exchange)) return;
    const promised = startReply(exchange, reply);
    exchange.phase = "sending";
    flushHead(exchange);
    if (mayHaveBody(exchange, reply.status)) await sendPieces(exchange, body, { ...options, promised });
    if (!isOver(exchange)) exchange.response.end();
  } finally {
    // Tells an executor that has more to give that it is not wanted; it owes no answer to that.
    void body.return?.()?.catch(() => undefined);
  }
}

/** Sends the head with the first piece if that is there in this turn, else alone. */
function flushHead({ response }: Exchange): void {
  response.cork();
  response.flushHeaders();
  process.nextTick(() => response.uncork());
}

async function sendPieces(
  exchange: Exchange,
  body: AsyncIterator<Uint8Array>,
  options: StreamOptions & { readonly promised: number | undefined },
): Promise<void> {
  const { promised } = options;
  let sent = 0;
  for (;;) {
    const next = await body.next();
    if (isOver(exchange)) return;
    if (next.done) break;
    sent += next.value.length;
    if (promised !== undefined && sent > promised) {
      throw new ReplyError(`the body is longer than its content-length of ${promised}`);
    }
    if (next.value.length === 0 || exchange.response.write(next.value)) continue;
    await drained(exchange, options.stallTimeMs);
  }
  if (promised !== undefined && sent < promised) {
    throw new ReplyError(`the body ended after ${sent} bytes of ${promised}`);
  }
}

function isOver(exchange: Exchange): boolean {
  return exchange.phase === "over";
}

/** Waits until the client has taken what was written, or has left. */
async function drained(exchange: Exchange, stallTimeMs: number): Promise<void> {
  const { response, connection } = exchange;
  const { promise, resolve } = Promise.withResolvers<void>();
  exchange.onCut = resolve;
  response.once("drain", resolve);
  await connection.expect(promise, stallTimeMs);
  exchange.onCut = undefined;
}
