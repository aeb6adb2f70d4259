// `wasi_experimental_http`: outbound requests of guests that were made with the Rust SDK before Spin 0.5.
//
// A response stays with the host under a handle, and the guest reads it piece by piece. Only `req` has
// an effect outside, so all handles of a call are made after its shift, and a replay meets none.

import {
  type Caller,
  type GuestMemory,
  GuestMemoryFault,
  GuestTextFault,
  type Linker,
} from "../engine/mod.ts";
import {
  OutboundError,
  type OutboundFault,
  type OutboundRequest,
  type OutboundResponse,
} from "../outbound/mod.ts";
import type { CapabilityContext } from "./capability-context.ts";
import { visibleHeaders } from "./outbound-http.ts";
import { readBytes, readLatin1 } from "./spin-abi/guest-reader.ts";

/** The numbers of `witx/wasi_experimental_http.witx` of deislabs/wasi-experimental-http. */
const CODE = {
  SUCCESS: 0,
  INVALID_HANDLE: 1,
  MEMORY_ACCESS_ERROR: 3,
  BUFFER_TOO_SMALL: 4,
  HEADER_NOT_FOUND: 5,
  UTF_8_ERROR: 6,
  DESTINATION_NOT_ALLOWED: 7,
  INVALID_METHOD: 8,
  INVALID_ENCODING: 9,
  INVALID_URL: 10,
  REQUEST_ERROR: 11,
  RUNTIME_ERROR: 12,
  TOO_MANY_SESSIONS: 13,
} as const;
type Code = (typeof CODE)[keyof typeof CODE];

/** Responses that one call may hold open, and the bytes of their bodies. */
const OPEN_MAX = 64;
const OPEN_BYTES_MAX = 128 * 1024 * 1024;

/** A failure that the guest is told as the number that its function returns. */
class CodeError extends Error {
  readonly code: Code;
  constructor(code: Code) {
    super(`wasi_experimental_http error ${code}`);
    this.code = code;
  }
}

interface OpenResponse {
  readonly headers: readonly string[];
  readonly body: Uint8Array;
  /** How much of the body has been read. */
  offset: number;
}

/** The responses that a call holds open. */
class ResponseTable {
  readonly #open = new Map<number, OpenResponse>();
  #next = 0;
  #bytes = 0;

  get(handle: number): OpenResponse {
    const response = this.#open.get(handle >>> 0);
    if (!response) throw new CodeError(CODE.INVALID_HANDLE);
    return response;
  }

  checkRoom(): void {
    if (this.#open.size >= OPEN_MAX) throw new CodeError(CODE.TOO_MANY_SESSIONS);
  }

  add({ headers, body }: OutboundResponse): number {
    if (this.#bytes + body.length > OPEN_BYTES_MAX) throw new CodeError(CODE.TOO_MANY_SESSIONS);
    this.#bytes += body.length;
    this.#open.set(this.#next, { headers, body, offset: 0 });
    return this.#next++;
  }

  close(handle: number): void {
    this.#bytes -= this.#open.get(handle >>> 0)?.body.length ?? 0;
    this.#open.delete(handle >>> 0);
  }
}

type Call = Caller<CapabilityContext>;

export function addExperimentalHttpToLinker<C extends CapabilityContext>(linker: Linker<C>): void {
  const module = "wasi_experimental_http";
  linker.suspending(module, "req", "i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 -> i32", req);
  linker.func(module, "close", "i32 -> i32", close);
  linker.func(module, "header_get", "i32 i32 i32 i32 i32 i32 -> i32", headerGet);
  linker.func(module, "headers_get_all", "i32 i32 i32 i32 -> i32", headersGetAll);
  linker.func(module, "body_read", "i32 i32 i32 i32 -> i32", bodyRead);
}

/** Each call has data of its own, so its responses go when it goes. */
const tables = new WeakMap<CapabilityContext, ResponseTable>();

function tableOf({ data }: Call): ResponseTable {
  let table = tables.get(data);
  if (!table) {
    table = new ResponseTable();
    tables.set(data, table);
  }
  return table;
}

/**
 * Sends a request, waits for the whole answer, and opens it.
 *
 *     req(url: ptr, length, method: ptr, length, headers: ptr, length, body: ptr, length,
 *         status: ptr, handle: ptr) -> code
 *     headers -> "name:value\n" x count;  status -> u16;  handle -> u32
 *
 * Errors: memory access, UTF-8; destination not allowed (only the host is compared), invalid method,
 * invalid encoding for headers that HTTP cannot carry, invalid URL, request error for what failed on the
 * way, runtime error for an answer that is too large, too many sessions.
 */
function req(
  caller: Call,
  url: number,
  urlLength: number,
  method: number,
  methodLength: number,
  headers: number,
  headersLength: number,
  body: number,
  bodyLength: number,
  status: number,
  handle: number,
): Code | Promise<Code> {
  caller.shift();
  const { memory } = caller;
  try {
    tableOf(caller).checkRoom();
    const request = {
      url: absoluteUrl(memory.readText(url, urlLength)),
      method: checkedMethod(memory.readText(method, methodLength)),
      headers: parseHeaders(readLatin1(memory, headers, headersLength >>> 0)),
      body: readBytes(memory, body, bodyLength),
    };
    return open(caller, request, { status, handle });
  } catch (error) {
    return codeOf(error);
  }
}

async function open(
  caller: Call,
  request: OutboundRequest,
  out: { readonly status: number; readonly handle: number },
): Promise<Code> {
  const { signal, data, memory } = caller;
  try {
    const response = await data.outbound.byHost.send(request, { call: data.data, signal });
    memory.writeU16(out.status, response.status);
    memory.writeU32(out.handle, tableOf(caller).add(response));
    return CODE.SUCCESS;
  } catch (error) {
    // A call that has ended has no use for an answer.
    if (signal.aborted) throw error;
    return codeOf(error);
  }
}

/** Forgets a response. A handle that is not open is no error. */
function close(caller: Call, handle: number): Code {
  tableOf(caller).close(handle);
  return CODE.SUCCESS;
}

/**
 * Writes the first value of a header.
 *
 *     header_get(handle, name: ptr, length, buffer: ptr, capacity, written: ptr) -> code
 *
 * Errors: invalid handle, header not found, buffer too small, memory access, UTF-8.
 */
function headerGet(
  caller: Call,
  handle: number,
  name: number,
  nameLength: number,
  buffer: number,
  capacity: number,
  written: number,
): Code {
  return told(() => {
    const { headers } = tableOf(caller).get(handle);
    const wanted = caller.memory.readText(name, nameLength).toLowerCase();
    const at = headers.findIndex((text, index) => index % 2 === 0 && text === wanted);
    const value = headers[at + 1];
    if (at === -1 || value === undefined) throw new CodeError(CODE.HEADER_NOT_FOUND);
    writeText(caller.memory, value, { buffer, capacity, written });
  });
}

/**
 * Writes all headers, as "name:value\n" each. Values that are not printable ASCII are left out.
 *
 *     headers_get_all(handle, buffer: ptr, capacity, written: ptr) -> code
 *
 * Errors: invalid handle, buffer too small, memory access.
 */
function headersGetAll(
  caller: Call,
  handle: number,
  buffer: number,
  capacity: number,
  written: number,
): Code {
  return told(() => {
    const headers = visibleHeaders(tableOf(caller).get(handle).headers);
    const text = headers.map((part, at) => part + (at % 2 === 0 ? ":" : "\n")).join("");
    writeText(caller.memory, text, { buffer, capacity, written });
  });
}

/**
 * Writes the next bytes of the body, as many as fit; none at its end.
 *
 *     body_read(handle, buffer: ptr, capacity, written: ptr) -> code
 *
 * Errors: invalid handle, memory access.
 */
function bodyRead(caller: Call, handle: number, buffer: number, capacity: number, written: number): Code {
  return told(() => {
    const response = tableOf(caller).get(handle);
    const piece = response.body.subarray(response.offset, response.offset + (capacity >>> 0));
    caller.memory.write(buffer, piece);
    caller.memory.writeU32(written, piece.length);
    response.offset += piece.length;
  });
}

interface Destination {
  readonly buffer: number;
  readonly capacity: number;
  /** Where the number of bytes is told. */
  readonly written: number;
}

function writeText(memory: GuestMemory, text: string, { buffer, capacity, written }: Destination): void {
  if (text.length > capacity >>> 0) throw new CodeError(CODE.BUFFER_TOO_SMALL);
  memory.writeLatin1(buffer, text);
  memory.writeU32(written, text.length);
}

/** This interface never had requests of the app to itself. */
function absoluteUrl(text: string): string {
  if (!URL.canParse(text)) throw new CodeError(CODE.INVALID_URL);
  return text;
}

/** Any token but CONNECT, which asks for a tunnel. */
function checkedMethod(text: string): string {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text) || text === "CONNECT") {
    throw new CodeError(CODE.INVALID_METHOD);
  }
  return text;
}

function parseHeaders(text: string): readonly string[] {
  const lines = text.split(/\r?\n/).filter((line) => line !== "");
  return lines.flatMap((line) => {
    const colon = line.indexOf(":");
    if (colon === -1) throw new CodeError(CODE.INVALID_ENCODING);
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}

function told(action: () => void): Code {
  try {
    action();
    return CODE.SUCCESS;
  } catch (error) {
    return codeOf(error);
  }
}

/** The number of an error that the guest is to be told; throws on what is not the guest's business. */
function codeOf(error: unknown): Code {
  if (error instanceof CodeError) return error.code;
  if (error instanceof GuestMemoryFault) return CODE.MEMORY_ACCESS_ERROR;
  if (error instanceof GuestTextFault) return CODE.UTF_8_ERROR;
  if (error instanceof OutboundError) return codeOfFault(error.fault);
  throw error;
}

function codeOfFault(fault: OutboundFault): Code {
  switch (fault) {
    case "destination-not-allowed":
    case "destination-blocked":
      return CODE.DESTINATION_NOT_ALLOWED;
    case "invalid-url":
      return CODE.INVALID_URL;
    case "invalid-request":
      return CODE.INVALID_ENCODING;
    case "too-many-requests":
      return CODE.TOO_MANY_SESSIONS;
    case "response-too-large":
      return CODE.RUNTIME_ERROR;
    case "too-many-redirects":
    case "connect-timeout":
    case "read-timeout":
    case "name-unknown":
    case "connection-refused":
    case "tls":
    case "connection":
      return CODE.REQUEST_ERROR;
  }
}
