// The executor of `fermyon:spin/inbound-http`: the interface of the first components that Spin ran.
//
// As with the modules before them, the guest gets the request wholly buffered.

import { methodNumber } from "../../../capabilities/mod.ts";
import type { Caller, Invocation, WasmValue } from "../../../engine/mod.ts";
import type { ComponentLimits } from "../../../manifest/mod.ts";
import type { CallOptions } from "../../../runtime/mod.ts";
import type { BufferedHttpExecutor, HttpReply, HttpRequest, RouteMatch } from "../executor.ts";
import { guestHeaders, METHOD_NOT_ALLOWED, replyOf } from "./buffered-request.ts";
import type { ExportedHandler } from "./exported-handler.ts";
import { type HttpContext, type HttpExecutionContext, run } from "./run.ts";

export const INBOUND_HTTP = ["fermyon:spin/inbound-http", "handle-request"] as const;

/** `request`; the parameters are always empty, as in Spin. */
interface Request {
  readonly method: string;
  readonly uri: string;
  readonly headers: readonly Pair[];
  readonly params: readonly Pair[];
  readonly body: Uint8Array;
}

/** `response` */
interface Response {
  readonly status: number;
  readonly headers: readonly Pair[] | undefined;
  readonly body: Uint8Array | undefined;
}

type Pair = readonly [name: string, value: string];

export class InboundHttpExecutor implements BufferedHttpExecutor {
  readonly bodyMode = "buffered";
  readonly limits: ComponentLimits;
  readonly #context: HttpExecutionContext;
  readonly #componentId: string;
  readonly #handler: ExportedHandler;

  constructor(
    context: HttpExecutionContext,
    component: { readonly id: string; readonly handler: ExportedHandler },
  ) {
    this.limits = context.limits(component.id);
    this.#context = context;
    this.#componentId = component.id;
    this.#handler = component.handler;
  }

  execute(request: HttpRequest, match: RouteMatch, body: Uint8Array): HttpReply | Promise<HttpReply> {
    // The interface has no name for other methods, so the guest is not asked.
    if (methodNumber(request.method) === undefined) return METHOD_NOT_ALLOWED;
    const call = new InboundCall(this.#handler, request, {
      method: request.method.toLowerCase(),
      uri: decoded(request.target),
      headers: pairsOf(guestHeaders(this.#componentId, request, match)),
      params: [],
      body,
    });
    return run(this.#context.prepare(this.#componentId, request, call), call, (response) =>
      replyOf(
        { id: this.#componentId, limits: this.limits },
        {
          status: response.status,
          headers: (response.headers ?? []).flat().map(encoded),
          body: response.body,
        },
      ),
    );
  }
}

/** One request on its way through the guest. */
class InboundCall implements Invocation<HttpContext, Response>, CallOptions {
  readonly exportName: string;
  readonly entry: ExportedHandler["entry"];
  readonly #handler: ExportedHandler;
  readonly #http: HttpRequest;
  readonly #request: Request;

  constructor(handler: ExportedHandler, http: HttpRequest, request: Request) {
    this.exportName = handler.exportName;
    this.entry = handler.entry;
    this.#handler = handler;
    this.#http = http;
    this.#request = request;
  }

  /** Made on first use, so it is passed on as late as can be. */
  get signal(): AbortSignal {
    return this.#http.signal;
  }

  lower(caller: Caller<HttpContext>): readonly WasmValue[] {
    return this.#handler.lower(caller, [this.#request]);
  }

  lift(caller: Caller<HttpContext>, result: WasmValue): Response {
    // The executor was chosen for an export of this type.
    return this.#handler.lift(caller, result) as Response;
  }
}

function pairsOf(list: readonly string[]): Pair[] {
  const pairs: Pair[] = [];
  for (let at = 0; at + 1 < list.length; at += 2) {
    // The loop stays inside of an array that holds only strings.
    pairs.push([list[at] as string, decoded(list[at + 1] as string)]);
  }
  return pairs;
}

/** The text whose UTF-8 has these bytes, one in each character. */
function decoded(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

function encoded(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
