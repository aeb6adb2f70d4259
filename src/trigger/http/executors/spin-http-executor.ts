// The Spin executor: calls `handle-http-request` of a module made for Spin 0.1 to 1.5.
//
// Both generations of the ABI are spoken (docs/executors.md). The guest gets the request wholly
// buffered, and nothing that it was given or gave is freed: its slot is made like new afterwards.

import { isUtf8 } from "node:buffer";
import {
  type GuestRequest,
  type GuestResponse,
  methodNumber,
  readResponse,
  type SpinAbi,
  writeRequest,
} from "../../../capabilities/mod.ts";
import type { Caller, Invocation, WasmValue } from "../../../engine/mod.ts";
import type { ComponentLimits } from "../../../manifest/mod.ts";
import type { CallOptions } from "../../../runtime/mod.ts";
import type { BufferedHttpExecutor, HttpReply, HttpRequest, RouteMatch } from "../executor.ts";
import { spinHeaders } from "../spin-headers.ts";
import { GuestReplyError, ReplyHeaders } from "./reply-headers.ts";
import { type HttpContext, type HttpExecutionContext, run } from "./run.ts";

export const SPIN_HANDLER = "handle-http-request";

const METHOD_NOT_ALLOWED: HttpReply = { status: 405, headers: [], body: undefined };

/** Spin answers an empty 500 for other statuses; below 200, its HTTP library does. */
const STATUS_MIN = 200;
const STATUS_MAX = 600;

export class SpinHttpExecutor implements BufferedHttpExecutor {
  readonly bodyMode = "buffered";
  readonly limits: ComponentLimits;
  readonly #context: HttpExecutionContext;
  readonly #componentId: string;
  readonly #abi: SpinAbi;

  constructor(context: HttpExecutionContext, component: { readonly id: string; readonly abi: SpinAbi }) {
    this.limits = context.limits(component.id);
    this.#context = context;
    this.#componentId = component.id;
    this.#abi = component.abi;
  }

  execute(request: HttpRequest, match: RouteMatch, body: Uint8Array): HttpReply | Promise<HttpReply> {
    const method = methodNumber(request.method);
    // The ABI has no number for other methods, so the guest is not asked.
    if (method === undefined) return METHOD_NOT_ALLOWED;
    const { uri, params } = this.#abi.version;
    const call = new SpinCall(request, this.#abi, {
      method,
      uri: this.#utf8(uri === "path" ? request.path : request.target),
      headers: this.#headers(request, match),
      params: params === "query" ? queryPairs(request.query) : [],
      body,
    });
    return run(this.#context.prepare(this.#componentId, request, call), call, (response) =>
      this.#reply(response),
    );
  }

  /** The client's headers, names in lower case, then those of Spin. */
  #headers(request: HttpRequest, match: RouteMatch): string[] {
    const { rawHeaders } = request;
    const headers: string[] = [];
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      // The loop stays inside of an array that holds only strings.
      headers.push((rawHeaders[at] as string).toLowerCase(), this.#utf8(rawHeaders[at + 1] as string));
    }
    headers.push(...spinHeaders(request, match));
    return headers;
  }

  /** A text off the wire, if its bytes are UTF-8: those of a guest have to be. */
  #utf8(text: string): string {
    if (!/[^\x00-\x7f]/.test(text) || isUtf8(Buffer.from(text, "latin1"))) return text;
    throw new GuestReplyError(this.#componentId, "cannot be given a request with text that is not UTF-8");
  }

  #reply({ status, headers, body }: GuestResponse): HttpReply {
    if (status < STATUS_MIN || status > STATUS_MAX) {
      throw new GuestReplyError(this.#componentId, `answered with the invalid status ${status}`);
    }
    const { responseBytesMax } = this.limits;
    if (body !== undefined && body.length > responseBytesMax) {
      throw new GuestReplyError(this.#componentId, `answered with more than ${responseBytesMax} bytes`);
    }
    const reply = new ReplyHeaders(this.#componentId);
    for (let at = 0; at + 1 < headers.length; at += 2) {
      // As above.
      reply.set(headers[at] as string, headers[at + 1] as string);
    }
    return { status, headers: reply.list, body };
  }
}

/** One request on its way through the guest. */
class SpinCall implements Invocation<HttpContext, GuestResponse>, CallOptions {
  readonly exportName = SPIN_HANDLER;
  readonly #http: HttpRequest;
  readonly #abi: SpinAbi;
  readonly #request: GuestRequest;

  constructor(http: HttpRequest, abi: SpinAbi, request: GuestRequest) {
    this.#http = http;
    this.#abi = abi;
    this.#request = request;
  }

  /** Made on first use, so it is passed on as late as can be. */
  get signal(): AbortSignal {
    return this.#http.signal;
  }

  lower(caller: Caller<HttpContext>): readonly WasmValue[] {
    return writeRequest(caller, this.#request);
  }

  lift(caller: Caller<HttpContext>, result: WasmValue): GuestResponse {
    // The executor was chosen for an export whose result is an i32.
    return readResponse(caller.memory, result as number, this.#abi);
  }
}

/** The decoded query as name, value, name, value, ...; each character is one byte of UTF-8. */
function queryPairs(query = ""): string[] {
  const text = Buffer.from(query, "latin1").toString("utf8");
  const pairs: string[] = [];
  for (const pair of new URLSearchParams(text)) {
    for (const part of pair) pairs.push(Buffer.from(part, "utf8").toString("latin1"));
  }
  return pairs;
}
