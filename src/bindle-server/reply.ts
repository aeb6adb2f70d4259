// What a request is answered with, and how it gets to the wire.

import type { FileHandle } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";

import { type DocumentFormat, formatDocument, MEDIA_TYPES } from "../registry/mod.ts";
import { endInTime } from "./request.ts";

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ReplyBody;
}

export type ReplyBody =
  | { readonly kind: "bytes"; readonly bytes: Buffer }
  /** Closed when it has been sent, or if it is not. */
  | { readonly kind: "file"; readonly file: FileHandle; readonly size: number };

/** Files up to this size are sent in one piece. */
const PIECE_BYTES = 256 * 1024;
/** What a client may go on to send of a request that was refused. Some only look for an answer then. */
const DISCARDED_BYTES_MAX = 64 * 2 ** 20;

export function documentReply(status: number, value: object, format: DocumentFormat): Reply {
  return textReply(status, Buffer.from(formatDocument(value, format)), format);
}

export function textReply(status: number, bytes: Buffer, format: DocumentFormat): Reply {
  return { status, headers: { "content-type": MEDIA_TYPES[format] }, body: { kind: "bytes", bytes } };
}

/** Sends a reply, to a HEAD request without its body. Rejects if the connection breaks. */
export async function sendReply(
  reply: Reply,
  {
    request,
    response,
    documentMs,
  }: { readonly request: IncomingMessage; readonly response: ServerResponse; readonly documentMs: number },
): Promise<void> {
  discardRest(request, documentMs);
  const { body } = reply;
  const size = body.kind === "bytes" ? body.bytes.length : body.size;
  response.writeHead(reply.status, { ...reply.headers, "content-length": String(size) });
  if (body.kind === "bytes") {
    response.end(request.method === "HEAD" ? undefined : body.bytes);
    return;
  }
  await using file = body.file;
  if (request.method === "HEAD") response.end();
  else if (size > PIECE_BYTES) {
    await pipeline(file.createReadStream({ highWaterMark: PIECE_BYTES, autoClose: false }), response);
  } else response.end(await file.readFile());
}

/** The connection can be used again when what is left of the request has been read, if that is not too much, or too slow. */
function discardRest(request: IncomingMessage, msMax: number): void {
  endInTime(request, msMax);
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > DISCARDED_BYTES_MAX) request.destroy();
  });
}
