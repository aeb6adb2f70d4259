// Sends a reply in pieces as they come, no faster than the client takes them.

import { BytePipe, drain } from "../../bytes/mod.ts";
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
  const { body } = reply;
  const pipe = body instanceof BytePipe ? body : undefined;
  const pieces = pipe ? undefined : body[Symbol.asyncIterator]();
  try {
    if (isOver(exchange)) return;
    const promised = startReply(exchange, reply);
    exchange.phase = "sending";
    flushHead(exchange);
    if (mayHaveBody(exchange, reply.status)) {
      const writer = new PieceWriter(exchange, promised, options.stallTimeMs);
      if (pipe) await writer.drain(pipe);
      else if (pieces) await writer.sendAll(pieces);
      if (pipe?.trailers && !isOver(exchange)) addTrailers(exchange, reply, pipe.trailers);
    }
    if (!isOver(exchange)) exchange.response.end();
  } finally {
    // Tells an executor that has more to give that it is not wanted; it owes no answer to that.
    pipe?.cancel();
    void pieces?.return?.()?.catch(() => undefined);
  }
}

/** Sends the head with the first piece if that is there in this turn, else alone. */
function flushHead({ response }: Exchange): void {
  response.cork();
  response.flushHeaders();
  process.nextTick(() => response.uncork());
}

function isOver(exchange: Exchange): boolean {
  return exchange.phase === "over";
}

/** Writes a body of the promised length, or of any if none was promised. */
class PieceWriter {
  readonly #exchange: Exchange;
  readonly #promised: number | undefined;
  readonly #stallTimeMs: number;
  #sent = 0;

  constructor(exchange: Exchange, promised: number | undefined, stallTimeMs: number) {
    this.#exchange = exchange;
    this.#promised = promised;
    this.#stallTimeMs = stallTimeMs;
  }

  async sendAll(pieces: AsyncIterator<Uint8Array>): Promise<void> {
    for (;;) {
      const next = await pieces.next();
      if (isOver(this.#exchange)) return;
      if (next.done) break;
      if (!this.#write(next.value)) await this.#drained();
    }
    this.#end();
  }

  /** As above, but a piece costs no promise. */
  drain(pipe: BytePipe): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const settle = (act: () => void) => {
      try {
        act();
        resolve();
      } catch (error) {
        reject(error);
      }
    };
    // Set before the first piece: a wait for the client is cut as well.
    this.#exchange.onCut = () => {
      pipe.cancel();
      resolve();
    };
    const draining = drain(pipe, {
      write: (bytes) => {
        if (isOver(this.#exchange)) return false;
        try {
          if (this.#write(bytes)) return true;
        } catch (error) {
          reject(error);
          return false;
        }
        void this.#drained().then(() => draining.resume());
        return false;
      },
      ended: () => settle(() => this.#end()),
      failed: reject,
    });
    return promise;
  }

  /** False: the client has to take some first. */
  #write(bytes: Uint8Array): boolean {
    this.#sent += bytes.length;
    if (this.#promised !== undefined && this.#sent > this.#promised) {
      throw new ReplyError(`the body is longer than its content-length of ${this.#promised}`);
    }
    return bytes.length === 0 || this.#exchange.response.write(bytes);
  }

  #end(): void {
    if (this.#promised !== undefined && this.#sent < this.#promised && !isOver(this.#exchange)) {
      throw new ReplyError(`the body ended after ${this.#sent} bytes of ${this.#promised}`);
    }
  }

  /** Waits until the client has taken what was written, or has left. */
  async #drained(): Promise<void> {
    const { response, connection } = this.#exchange;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wasCut = this.#exchange.onCut;
    this.#exchange.onCut = () => {
      resolve();
      wasCut?.();
    };
    response.once("drain", resolve);
    await connection.expect(promise, this.#stallTimeMs);
    this.#exchange.onCut = wasCut;
  }
}

/** Those that the headers announce (RFC 9110, 6.6.2); `node:http` drops them where there are no chunks. */
function addTrailers({ response }: Exchange, { headers }: PiecewiseReply, trailers: readonly string[]): void {
  const announced = new Set(
    headers.flatMap((text, at) =>
      at % 2 === 1 && headers[at - 1]?.toLowerCase() === "trailer"
        ? text.split(",").map((name) => name.trim().toLowerCase())
        : [],
    ),
  );
  const sent: [string, string][] = [];
  for (let at = 0; at + 1 < trailers.length; at += 2) {
    const [name = "", value = ""] = [trailers[at]?.toLowerCase(), trailers[at + 1]];
    if (announced.has(name)) sent.push([name, value]);
  }
  response.addTrailers(sent);
}
