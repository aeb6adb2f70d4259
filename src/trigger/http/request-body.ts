// Takes in the body of a request: whole within a limit, piece by piece, or not at all.

import { BytePipe, fill } from "../../bytes/mod.ts";
import type { Exchange } from "./exchange.ts";

export interface CollectOptions {
  /** Called with each piece before it is kept; false refuses it and ends the collecting. */
  readonly accept: (bytes: number) => boolean;
  readonly done: (body: Uint8Array) => void;
}

/** Collects the whole body. Calls neither function any more once the exchange has left its phase. */
export function collectBody(exchange: Exchange, { accept, done }: CollectOptions): void {
  const { incoming } = exchange;
  const pieces: Uint8Array[] = [];
  incoming.on("data", (piece: Buffer) => {
    if (exchange.phase === "receiving" && accept(piece.length)) pieces.push(piece);
    else pieces.length = 0;
  });
  incoming.on("end", () => {
    if (exchange.phase !== "receiving") return;
    const [only] = pieces;
    done(pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces));
  });
}

/**
 * Opens the body as it arrives. Calls back once all of it is there, or nothing more comes in this turn of
 * the event loop: a small body mostly comes with its head, and is whole then.
 *
 * The pipe fails if the client leaves, or stalls for too long while the body is waited for.
 */
export function openBody(
  exchange: Exchange,
  options: { readonly stallTimeMs: number; readonly opened: (body: BytePipe) => void },
): void {
  const { incoming, connection } = exchange;
  const body = new BytePipe();
  let awaited: PromiseWithResolvers<void> | undefined;
  body.watchReaders((areWaiting) => {
    awaited?.resolve();
    awaited = undefined;
    if (!areWaiting || body.isClosed) return;
    exchange.invite();
    awaited = Promise.withResolvers();
    void connection.expect(awaited.promise, options.stallTimeMs);
  });
  const open = once(() => options.opened(body));
  fill(body, incoming, {
    // What is left is the trigger's to discard.
    cancelled: () => undefined,
    trailers: () => incoming.rawTrailers,
    describe: (cause) => new Error("the client has left in the middle of the body", { cause }),
  });
  incoming.once("end", open);
  // A client that waits to be asked sends nothing before.
  if (exchange.isInvitationDue) open();
  else setImmediate(open);
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    act();
  };
}

/** What is left of a body that nobody reads is thrown away up to here, then the connection is closed. */
const DISCARDED_BYTES_MAX = 64 * 1024;
const DISCARD_TIME_MS = 2000;

/**
 * Reads on for a moment after the reply, so that a client which is still sending gets to see it: closing
 * at once would reset the connection under the reply.
 */
export function discardBody({ incoming, connection }: Exchange): void {
  let bytes = 0;
  const timer = setTimeout(() => connection.socket.destroy(), DISCARD_TIME_MS).unref();
  incoming.on("data", (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > DISCARDED_BYTES_MAX) connection.socket.destroy();
  });
  // `node:http` has let go of the request by now, so an executor that still reads it is told by us.
  const end = () => incoming.destroy();
  connection.socket.once("close", end);
  incoming.once("close", () => {
    clearTimeout(timer);
    connection.socket.off("close", end);
  });
  incoming.resume();
}
