// Requests from one component of an application to another, which never leave the process.
//
// The called component sees a request without peer or route: `0.0.0.0:0`, and `/...` with the whole
// path behind it (`crates/trigger-http/src/outbound_http.rs` at v4.0.2).

import { BytePipe } from "../../../bytes/mod.ts";
import type { ChainedRequest, ChainedResponse, SendOptions } from "../../../outbound/mod.ts";
import type { HttpExecutor, HttpReply, HttpRequest, RouteMatch } from "../executor.ts";
import { DEFAULT_HTTP_LIMITS } from "../limits.ts";
import { createRoute } from "../route.ts";

/** Components that may wait for each other in a row. A loop of them would hold a slot for each turn. */
const DEPTH_MAX = 16;

/** Of a body for a component that takes it whole. */
const BODY_BYTES_MAX = DEFAULT_HTTP_LIMITS.bodyBytesMax;

const PEER = "0.0.0.0:0";
/** What the URLs that guests are told have for a host, as the request has none. */
const AUTHORITY = "localhost";

class ChainedHttpRequest implements HttpRequest {
  readonly method: string;
  readonly target: string;
  readonly path: string;
  readonly query: string | undefined;
  readonly authority = AUTHORITY;
  readonly scheme = "http";
  readonly httpVersion = "1.1";
  readonly rawHeaders: readonly string[];
  readonly clientAddress = PEER;
  readonly signal: AbortSignal;
  /** 1 for a request of a component that a client called. */
  readonly depth: number;

  constructor({ method, target, headers }: ChainedRequest, { signal, call }: SendOptions) {
    const [path = "", ...query] = target.split("?");
    this.method = method;
    this.target = target;
    this.path = path;
    this.query = query.length === 0 ? undefined : query.join("?");
    this.rawHeaders = headers;
    this.signal = signal;
    this.depth = call instanceof ChainedHttpRequest ? call.depth + 1 : 1;
  }
}

export interface ChainOptions {
  /** The executor of a component that has an HTTP trigger, private ones included. */
  executorOf(componentId: string): HttpExecutor | undefined;
  /** Takes what a component threw; the one that called it gets an empty 500. */
  failed(request: HttpRequest, error: unknown): void;
}

/** Gives requests to `COMPONENT.spin.internal` to the executor of the component. */
export function createChain({
  executorOf,
  failed,
}: ChainOptions): (
  componentId: string,
  request: ChainedRequest,
  options: SendOptions,
) => Promise<ChainedResponse> {
  return async (componentId, chained, options) => {
    const executor = executorOf(componentId);
    if (!executor) throw new Error(`No component "${componentId}" with an HTTP trigger can be called`);
    const request = new ChainedHttpRequest(chained, options);
    if (request.depth > DEPTH_MAX) {
      throw new Error(`More than ${DEPTH_MAX} components wait for each other`);
    }
    try {
      const match = matchAll(componentId, request.path);
      const reply = await execute(executor, { request, match, body: chained.body });
      // What a component does after its answer ends with the call that asked.
      reply.afterwards?.catch((error) => {
        if (!options.signal.aborted) failed(request, error);
      });
      return reply;
    } catch (error) {
      failed(request, error);
      return { status: 500, headers: [], body: undefined };
    }
  };
}

function matchAll(componentId: string, path: string): RouteMatch {
  const route = createRoute({ triggerId: componentId, componentId, text: "/..." });
  return { route, pathInfo: path, params: [] };
}

async function execute(
  executor: HttpExecutor,
  call: {
    readonly request: HttpRequest;
    readonly match: RouteMatch;
    readonly body: Uint8Array | BytePipe;
  },
): Promise<HttpReply> {
  const { request, match, body } = call;
  if (executor.bodyMode === "streamed") {
    return executor.execute(request, match, body instanceof BytePipe ? body : BytePipe.of(body));
  }
  return executor.execute(request, match, body instanceof BytePipe ? await collected(body) : body);
}

/** @throws Error for a body that is larger than one of a client may be */
async function collected(body: BytePipe): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.length;
    if (bytes > BODY_BYTES_MAX) throw new Error(`The body is larger than ${BODY_BYTES_MAX} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
