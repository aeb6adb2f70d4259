// Takes in the body of a request: whole within a limit, piece by piece, or not at all.

import type { Exchange } from "./exchange.ts";
import type { RequestBody } from "./executor.ts";

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

/** Gives the body as it arrives. Ends with an error if the client leaves, or stalls for too long. */
export async function* streamBody(exchange: Exchange, stallTimeMs: number): RequestBody {
  const { incoming, connection } = exchange;
  // To stop reading must not close the connection, on which the reply is to be sent. Without an
  // encoding, the pieces of a message are buffers.
  const pieces: AsyncIterator<Buffer> = incoming.iterator({ destroyOnReturn: false });
  exchange.invite();
  try {
    for (;;) {
      const next = await connection.expect(pieces.next(), stallTimeMs);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await pieces.return?.();
  }
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
