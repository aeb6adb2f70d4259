// What a request asks for, read from its URL, its headers and its body.

import type { IncomingMessage } from "node:http";
import { SpindleError } from "../errors/mod.ts";
import {
  type BindleId,
  type DocumentFormat,
  formatOfMediaType,
  isDigest,
  parseBindleId,
  parseDocument,
  ShapeError,
} from "../registry/mod.ts";
import { REFUSALS } from "./refusal.ts";

/** A path below `/v1/`, as it was sent, and its query. */
export interface RequestTarget {
  readonly path: string;
  readonly query: URLSearchParams;
}

export function targetOf(url: string): RequestTarget {
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  return { path, query: new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1)) };
}

/** What follows `_i/`: an id, and after `@` the digest of a parcel. */
export interface BindleTail {
  readonly id: BindleId;
  /** For messages, as it was sent. */
  readonly text: string;
  readonly sha256: string | undefined;
}

/** @throws Refusal */
export function parseTail(tail: string): BindleTail {
  const [text = "", sha256, ...more] = tail.split("@");
  if (more.length > 0) throw REFUSALS.path();
  const id = parseId(text);
  // No invoice lists what is no digest.
  if (sha256 !== undefined && !isDigest(sha256)) throw REFUSALS.parcel(sha256, text);
  return { id, text, sha256 };
}

/** @throws Refusal */
export function parseId(text: string): BindleId {
  try {
    return parseBindleId(decodeURIComponent(text));
  } catch (error) {
    if (error instanceof SpindleError || error instanceof URIError) throw REFUSALS.id();
    throw error;
  }
}

/**
 * Reads parameters of which each may have several names; others are refused.
 *
 * @throws Refusal
 */
export function parseParameters<N extends string>(
  query: URLSearchParams,
  names: Readonly<Record<string, N>>,
): Partial<Readonly<Record<N, string>>> {
  const values: Partial<Record<N, string>> = {};
  for (const [name, value] of query) {
    const known = Object.hasOwn(names, name) ? names[name] : undefined;
    if (known === undefined || values[known] !== undefined) throw REFUSALS.query();
    values[known] = value;
  }
  return values;
}

/** @throws Refusal */
export function parseFlag(text: string | undefined): boolean {
  if (text === undefined || text === "false") return false;
  if (text === "true") return true;
  throw REFUSALS.query();
}

/** @throws Refusal */
export function parseNumber(
  text: string | undefined,
  options: { readonly absent: number; readonly max: number },
): number {
  if (text === undefined) return options.absent;
  if (!/^\d{1,16}$/.test(text) || Number(text) > options.max) throw REFUSALS.query();
  return Number(text);
}

/** The first format that is acceptable, in the order in which they are named; TOML if none is. */
export function acceptedFormat(accept: string | undefined): DocumentFormat {
  for (const mediaType of accept?.split(",") ?? []) {
    const format = formatOfMediaType(mediaType);
    if (format !== undefined) return format;
  }
  return "toml";
}

/**
 * Reads a document in the format that its header names.
 *
 * @throws Refusal
 */
export async function readBody<T>(
  request: IncomingMessage,
  { bytesMax, msMax, read }: { readonly bytesMax: number; readonly msMax: number; read(value: unknown): T },
): Promise<T> {
  const mediaType = request.headers["content-type"] ?? "";
  const format = formatOfMediaType(mediaType);
  if (format === undefined || !/^application\//i.test(mediaType.trim())) {
    throw REFUSALS.body("content-type is neither application/toml nor application/json");
  }
  endInTime(request, msMax);
  const bytes = await readBytes(request, bytesMax);
  try {
    return read(parseDocument(bytes, format));
  } catch (error) {
    throw error instanceof ShapeError ? REFUSALS.body(error.message) : error;
  }
}

/** Breaks the connection if the rest of a request takes longer: who sends a byte now and then keeps it from others. */
export function endInTime(request: IncomingMessage, msMax: number): void {
  if (request.complete) return;
  const timer = setTimeout(() => {
    if (!request.complete) request.destroy();
  }, msMax);
  request.once("close", () => clearTimeout(timer));
}

async function readBytes(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const tooLarge = () => REFUSALS.tooLarge("request body", bytesMax);
  if (Number(request.headers["content-length"] ?? 0) > bytesMax) throw tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Not the iterator of the stream: it would destroy the connection before the refusal is sent.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}
