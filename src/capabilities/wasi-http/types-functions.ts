// The functions of wasi:http/types in 0.2 and in the draft before it.

import { err, type IoError, ok, type Result } from "../../wasi/mod.ts";
import { type ErrorCode, HttpFailure } from "./error-code.ts";
import { type FieldEntry, Fields } from "./fields.ts";
import type { FutureTrailers, IncomingBody } from "./incoming-body.ts";
import type { IncomingRequest, ResponseOutcome, ResponseOutparam } from "./incoming-request.ts";
import type { FutureIncomingResponse, IncomingResponse } from "./incoming-response.ts";
import type { Method, Scheme } from "./method.ts";
import type { OutgoingBody } from "./outgoing-body.ts";
import { OutgoingRequest, RequestOptions } from "./outgoing-request.ts";
import { OutgoingResponse } from "./outgoing-response.ts";
import { type HttpCaller, type HttpFunctions, Version } from "./versions.ts";

/** The same in all versions. */
export const sharedFunctions: HttpFunctions = {
  "[method]fields.get": (_, self: Fields, name: string) => self.get(name),
  "[method]fields.entries": (_, self: Fields) => self.entries(),
  "[method]fields.clone": (caller, self: Fields) => self.copy(caller.data.heldBytes),

  "[method]incoming-request.method": (_, self: IncomingRequest) => self.method,
  "[method]incoming-request.path-with-query": (_, self: IncomingRequest) => self.pathWithQuery,
  "[method]incoming-request.scheme": (_, self: IncomingRequest) => self.scheme,
  "[method]incoming-request.authority": (_, self: IncomingRequest) => self.authority,
  "[method]incoming-request.headers": (_, self: IncomingRequest) => self.headers,
  /** Errors: the body was taken before. */
  "[method]incoming-request.consume": (_, self: IncomingRequest) => self.consume(),

  "[method]incoming-response.status": (_, self: IncomingResponse) => self.status,
  "[method]incoming-response.headers": (_, self: IncomingResponse) => self.headers,
  "[method]incoming-response.consume": (_, self: IncomingResponse) => self.consume(),

  /** Errors: the stream was taken before. */
  "[method]incoming-body.stream": (_, self: IncomingBody) => presentOr(self.stream()),
  "[static]incoming-body.finish": (_, self: IncomingBody) => self.finish(),

  /** Errors: the stream was taken before. */
  "[method]outgoing-body.write": (_, self: OutgoingBody) => presentOr(self.write()),

  "[method]future-trailers.subscribe": (_, self: FutureTrailers) => self,
  "[method]future-incoming-response.subscribe": (_, self: FutureIncomingResponse) => self,
};

export function typesFunctions(version: typeof Version.FINAL | typeof Version.NOVEMBER): HttpFunctions {
  const isFinal = version === Version.FINAL;
  const unit = isFinal ? "" : "-ms";
  return {
    ...sharedFunctions,
    ...fieldsFunctions,
    ...outgoingFunctions,
    ...(isFinal && { "[method]fields.has": (_, self: Fields, name: string) => self.has(name) }),
    "http-error-code": (_, { detail }: IoError) => (detail instanceof HttpFailure ? detail.code : undefined),

    "[constructor]request-options": () => new RequestOptions(),
    ...timeoutFunctions(`connect-timeout${unit}`, "connectTimeout"),
    ...timeoutFunctions(`first-byte-timeout${unit}`, "firstByteTimeout"),
    ...timeoutFunctions(`between-bytes-timeout${unit}`, "betweenBytesTimeout"),

    "[static]response-outparam.set": (_, self: ResponseOutparam, outcome: ResponseOutcome) =>
      self.set(outcome),

    "[method]future-trailers.get": isFinal ? trailers : trailersOnce,
    /** Errors: the response was taken before. */
    "[method]future-incoming-response.get": (_, self: FutureIncomingResponse) => self.get(),
  };
}

const fieldsFunctions: HttpFunctions = {
  "[constructor]fields": (caller) => Fields.empty(caller.data.heldBytes),
  "[static]fields.from-list": (caller, entries: readonly FieldEntry[]) =>
    Fields.fromEntries(entries, caller.data.heldBytes),
  "[method]fields.set": (_, self: Fields, name: string, values: readonly string[]) => self.set(name, values),
  "[method]fields.delete": (_, self: Fields, name: string) => self.delete(name),
  "[method]fields.append": (_, self: Fields, name: string, value: string) => self.append(name, value),
};

const outgoingFunctions: HttpFunctions = {
  "[constructor]outgoing-request": (_, headers: Fields) => new OutgoingRequest(headers),
  "[method]outgoing-request.body": (_, self: OutgoingRequest) => self.body(),
  "[method]outgoing-request.method": (_, self: OutgoingRequest) => self.method,
  "[method]outgoing-request.set-method": (_, self: OutgoingRequest, method: Method) => self.setMethod(method),
  "[method]outgoing-request.path-with-query": (_, self: OutgoingRequest) => self.pathWithQuery,
  "[method]outgoing-request.set-path-with-query": (_, self: OutgoingRequest, text: string | undefined) =>
    self.setPathWithQuery(text),
  "[method]outgoing-request.scheme": (_, self: OutgoingRequest) => self.scheme,
  "[method]outgoing-request.set-scheme": (_, self: OutgoingRequest, scheme: Scheme | undefined) =>
    self.setScheme(scheme),
  "[method]outgoing-request.authority": (_, self: OutgoingRequest) => self.authority,
  "[method]outgoing-request.set-authority": (_, self: OutgoingRequest, text: string | undefined) =>
    self.setAuthority(text),
  "[method]outgoing-request.headers": (_, self: OutgoingRequest) => self.headers,

  "[constructor]outgoing-response": (_, headers: Fields) => new OutgoingResponse(headers),
  "[method]outgoing-response.status-code": (_, self: OutgoingResponse) => self.status,
  "[method]outgoing-response.set-status-code": (_, self: OutgoingResponse, status: number) =>
    self.setStatus(status),
  "[method]outgoing-response.headers": (_, self: OutgoingResponse) => self.headers,
  "[method]outgoing-response.body": (_, self: OutgoingResponse) => self.body(),

  /** Errors: `HTTP-request-body-size`, `HTTP-response-body-size` if it has not the promised length. */
  "[static]outgoing-body.finish"(
    _,
    self: OutgoingBody,
    fields: Fields | undefined,
  ): Result<undefined, ErrorCode> {
    const error = self.finish(fields);
    return error ? err(error) : ok();
  },
};

/** All times can be set. */
function timeoutFunctions(
  name: string,
  key: "connectTimeout" | "firstByteTimeout" | "betweenBytesTimeout",
): HttpFunctions {
  return {
    [`[method]request-options.${name}`]: (_, self: RequestOptions) => self[key],
    [`[method]request-options.set-${name}`](_, self: RequestOptions, durationNs: bigint | undefined) {
      self[key] = durationNs;
      return ok();
    },
  };
}

function trailers(caller: HttpCaller, self: FutureTrailers): ReturnType<FutureTrailers["get"]> {
  return self.get(caller);
}

/** The drafts have no word for trailers that were taken before: then the guest traps. */
export function trailersOnce(
  caller: HttpCaller,
  self: FutureTrailers,
): Result<Fields | undefined, ErrorCode> | undefined {
  const got = self.get(caller);
  if (got?.tag === "err") throw new Error("The guest takes trailers twice");
  return got?.val;
}

function presentOr<T>(value: T | undefined): Result<T, undefined> {
  return value === undefined ? err(undefined) : ok(value);
}
