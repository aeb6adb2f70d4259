// `fermyon:spin/http`: requests of a component that are wholly in memory, and so are their answers.

import { type ComponentCaller, type HostInterface, suspending } from "../../engine/mod.ts";
import { OutboundError, type OutboundFault } from "../../outbound/mod.ts";
import { err, ok, type Result } from "../../wasi/mod.ts";
import type { CapabilityContext } from "../capability-context.ts";
import { visibleHeaders } from "../outbound-http.ts";

type Call = ComponentCaller<CapabilityContext>;
type Pair = readonly [name: string, value: string];

interface Request {
  readonly method: string;
  readonly uri: string;
  readonly headers: readonly Pair[];
  readonly body: Uint8Array | undefined;
}

interface Response {
  readonly status: number;
  readonly headers: readonly Pair[];
  readonly body: Uint8Array;
}

type HttpError = "destination-not-allowed" | "invalid-url" | "runtime-error" | "too-many-requests";

const types: HostInterface<CapabilityContext> = {
  wit: `interface fermyon:spin/http-types {
    type http-status = u16;
    type body = list<u8>;
    type headers = list<tuple<string, string>>;
    type params = list<tuple<string, string>>;
    type uri = string;
    enum method { get, post, put, delete, patch, head, options }
    record request { method: method, uri: uri, headers: headers, params: params, body: option<body> }
    record response { status: http-status, headers: option<headers>, body: option<body> }
    enum http-error {
      success, destination-not-allowed, invalid-url, request-error, runtime-error, too-many-requests
    }
  }`,
  functions: {},
};

const http: HostInterface<CapabilityContext> = {
  wit: `interface fermyon:spin/http {
    use fermyon:spin/http-types.{request, response, http-error};
    send-request: func(req: request) -> result<response, http-error>;
  }`,
  functions: {
    "send-request": suspending((caller: Call, request: Request) => {
      caller.shift();
      return send(caller, request);
    }),
  },
};

/** The guest traps if no component has the id in a URL below `.spin.internal`. */
async function send(caller: Call, request: Request): Promise<Result<Response, HttpError>> {
  const { signal, data } = caller;
  const outgoing = {
    method: request.method.toUpperCase(),
    url: request.uri,
    headers: request.headers.flat().map((text) => Buffer.from(text, "utf8").toString("latin1")),
    body: request.body ?? new Uint8Array(),
  };
  try {
    const { status, headers, body } = await data.outbound.send(outgoing, { call: data.data, signal });
    return ok({ status, headers: pairs(visibleHeaders(headers)), body });
  } catch (error) {
    // A call that has ended has no use for an answer.
    if (!(error instanceof OutboundError) || signal.aborted) throw error;
    return err(errorOf(error.fault));
  }
}

function pairs(list: readonly string[]): Pair[] {
  const found: Pair[] = [];
  // Names are at even places, and each value follows its name.
  for (let at = 0; at + 1 < list.length; at += 2) found.push([list[at] as string, list[at + 1] as string]);
  return found;
}

function errorOf(fault: OutboundFault): HttpError {
  switch (fault) {
    case "destination-not-allowed":
    case "invalid-url":
      return fault;
    case "too-many-requests":
      return fault;
    case "destination-blocked":
    case "invalid-request":
    case "too-many-redirects":
    case "connect-timeout":
    case "read-timeout":
    case "name-unknown":
    case "connection-refused":
    case "tls":
    case "connection":
    case "response-too-large":
      return "runtime-error";
  }
}

export const outboundHttpInterfaces: readonly HostInterface<CapabilityContext>[] = [types, http];
