// The Spin executor: calls `handle-http-request` of a module made for Spin 0.1 to 1.5.
//
// Both generations of the ABI are spoken (docs/executors.md). The guest gets the request wholly
// buffered, and nothing that it was given or gave is freed: its slot is made like new afterwards.

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
import { checkUtf8, guestHeaders, METHOD_NOT_ALLOWED, replyOf } from "./buffered-request.ts";
import { type HttpContext, type HttpExecutionContext, run } from "./run.ts";

export const SPIN_HANDLER = "handle-http-request";

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
      uri: checkUtf8(this.#componentId, uri === "path" ? request.path : request.target),
      headers: guestHeaders(this.#componentId, request, match),
      params: params === "query" ? queryPairs(request.query) : [],
      body,
    });
    return run(this.#context.prepare(this.#componentId, request, call), call, (response) =>
      replyOf({ id: this.#componentId, limits: this.limits }, response),
    );
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
