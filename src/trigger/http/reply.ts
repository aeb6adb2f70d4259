// Writes replies with the bytes that Spin's server would send.
//
// The framing is ours: the length of the body, or chunks. What an executor says about it is dropped or
// corrected, so that a guest that lies cannot confuse the connection. Header names are sent in lower
// case, `content-length` or `transfer-encoding` behind the executor's headers, `date` last.

import { STATUS_CODES } from "node:http";
import { spareBytes } from "../../bytes/mod.ts";
import { currentDate } from "./date.ts";
import type { Exchange } from "./exchange.ts";
import type { HttpReply } from "./executor.ts";

/** A reply that cannot be sent; nothing of it has been. */
export class ReplyError extends Error {
  override readonly name = "ReplyError";
}

/** The phrases of Spin's server where node's are others. */
const REASONS: Readonly<Record<number, string | undefined>> = {
  ...STATUS_CODES,
  203: "Non Authoritative Information",
  418: "I'm a teapot",
  509: undefined,
};

/** What Spin's server says for a status without a phrase. */
const REASON_UNKNOWN = "<none>";

export function reasonPhrase(status: number): string {
  return REASONS[status] ?? REASON_UNKNOWN;
}

/** Up to here head and body are sent as one string, which costs less than two buffers. */
const STRING_BODY_BYTES_MAX = 4096;

type Head = Pick<HttpReply, "status" | "headers">;
export type WholeReply = Omit<HttpReply, "body"> & { readonly body: Uint8Array | undefined };
export type PiecewiseReply = Omit<HttpReply, "body"> & { readonly body: AsyncIterable<Uint8Array> };

const NOTHING = new Uint8Array(0);

export function isWhole(reply: HttpReply): reply is WholeReply {
  return reply.body === undefined || reply.body instanceof Uint8Array;
}

export function isPiecewise(reply: HttpReply): reply is PiecewiseReply {
  return !isWhole(reply);
}

/** Sends a whole reply. Throws before the first byte if it cannot be sent. */
export function sendReply(exchange: Exchange, reply: WholeReply): void {
  const { response } = exchange;
  const { body } = reply;
  const bytes = body?.length ?? 0;
  const hasBody = mayHaveBody(exchange, reply.status);
  // To HEAD the length is told that there would be; a body that is empty needs no mention then.
  const isLengthTold = hasBody || (exchange.method === "HEAD" && bytes > 0 && !isBodiless(reply.status));
  if (hasBody && reply.framing === "chunks" && statedLength(reply.headers) === undefined) {
    sendInChunks(exchange, reply, body);
    return;
  }
  writeHead(exchange, reply, isLengthTold ? { kind: "length", bytes } : { kind: "as-stated" });
  if (body === undefined || bytes === 0 || !hasBody) response.end();
  else if (bytes > STRING_BODY_BYTES_MAX) sendBytes(exchange, body);
  else response.end(Buffer.from(body.buffer, body.byteOffset, bytes).toString("latin1"), "latin1");
}

/** Memory of `spareBytes` is used again if the system has all of it by now; what is kept by TLS we cannot know. */
function sendBytes({ connection, response }: Exchange, body: Uint8Array): void {
  response.end(body);
  // Counts what waits in the socket, and what waits for replies before this one.
  if (connection.scheme === "http" && response.writableLength === 0) spareBytes.giveBack(body);
}

/** Sends bytes as one chunk, framed by hand: with the head that is one string, where `node:http` makes five. */
function sendInChunks(exchange: Exchange, reply: WholeReply, body: Uint8Array = NOTHING): void {
  const { response } = exchange;
  if (exchange.httpVersion === "1.0" || body.length > STRING_BODY_BYTES_MAX) {
    writeHead(exchange, reply, { kind: exchange.httpVersion === "1.0" ? "until-close" : "chunks" });
    response.end(body);
    return;
  }
  writeHead(exchange, reply, { kind: "chunks" });
  response.chunkedEncoding = false;
  const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString("latin1");
  const chunk = text === "" ? "" : `${body.length.toString(16)}\r\n${text}\r\n`;
  response.end(`${chunk}0\r\n\r\n`, "latin1");
}

/**
 * Writes the head of a reply whose body follows in pieces. Gives the length that the executor promised;
 * undefined if the end of the body will tell.
 */
export function startReply(exchange: Exchange, reply: Head): number | undefined {
  const promised = statedLength(reply.headers);
  if (!mayHaveBody(exchange, reply.status)) writeHead(exchange, reply, { kind: "as-stated" });
  else if (promised !== undefined) writeHead(exchange, reply, { kind: "length", bytes: promised });
  else writeHead(exchange, reply, { kind: exchange.httpVersion === "1.0" ? "until-close" : "chunks" });
  return promised;
}

export function mayHaveBody(exchange: Exchange, status: number): boolean {
  return exchange.method !== "HEAD" && !isBodiless(status);
}

/** Whether replies with this status end with their head. */
export function isBodiless(status: number): boolean {
  return status === 204 || status === 304;
}

type Framing =
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunks" }
  /** For clients that know no chunks. */
  | { readonly kind: "until-close" }
  /** There is no body; a length in the head speaks of the body that there would be. */
  | { readonly kind: "as-stated" };

function writeHead(exchange: Exchange, reply: Head, framing: Framing): void {
  const { response } = exchange;
  const { status } = reply;
  if (!Number.isInteger(status) || status < 200 || status > 999) {
    throw new ReplyError(`the status ${status} is not between 200 and 999`);
  }
  const headers = toHeaders(reply.headers, framing, persistence(exchange, framing));
  // Neither is wanted: Spin's server adds no `Connection`, and the date has its own place.
  response.sendDate = false;
  response.removeHeader("connection");
  try {
    response.writeHead(status, reasonPhrase(status), headers);
  } catch (error) {
    throw new ReplyError("a header cannot be sent", { cause: error });
  }
}

type Persistence = "close" | "keep-alive" | undefined;

/** What must be said of the connection: that it ends, or to HTTP/1.0 that it does not. */
function persistence({ connection, response, httpVersion }: Exchange, framing: Framing): Persistence {
  if (connection.isClosing) return "close";
  const isKept = httpVersion === "1.0" && response.shouldKeepAlive && framing.kind !== "until-close";
  return isKept ? "keep-alive" : undefined;
}

function toHeaders(stated: readonly string[], framing: Framing, persistence: Persistence): string[] {
  const headers: string[] = [];
  let isDated = false;
  let isFramed = framing.kind === "as-stated" || framing.kind === "until-close";
  for (let i = 0; i + 1 < stated.length; i += 2) {
    const name = stated[i]?.toLowerCase() ?? "";
    const value = stated[i + 1] ?? "";
    if (name === "transfer-encoding" || (name === "trailer" && framing.kind !== "chunks")) continue;
    if (name === "connection" && persistence !== undefined) continue;
    if (name === "content-length") {
      if (!isLengthTrue(value, framing) || (isFramed && framing.kind === "length")) continue;
      isFramed = true;
    }
    if (name === "date") isDated = true;
    headers.push(name, value);
  }
  if (persistence !== undefined) headers.push("connection", persistence);
  if (!isFramed && framing.kind === "length") headers.push("content-length", String(framing.bytes));
  if (!isFramed && framing.kind === "chunks") headers.push("transfer-encoding", "chunked");
  if (!isDated) headers.push("date", currentDate());
  return headers;
}

function isLengthTrue(value: string, framing: Framing): boolean {
  if (framing.kind === "length") return value === String(framing.bytes);
  return framing.kind === "as-stated" && LENGTH.test(value);
}

const LENGTH = /^[0-9]{1,15}$/;

function statedLength(headers: readonly string[]): number | undefined {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const value = headers[i + 1] ?? "";
    if (headers[i]?.toLowerCase() === "content-length" && LENGTH.test(value)) return Number(value);
  }
  return undefined;
}
