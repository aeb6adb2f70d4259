// The functions of wasi:http/types in the draft of October 2023.
//
// What has no error to return there is a trap, as in Spin (`crates/factor-outbound-http/src/wasi_2023_10_18.rs`
// at v4.0.2).

import { err, ok, type Result } from "../../wasi/mod.ts";
import { debugText, type ErrorCode } from "./error-code.ts";
import { type FieldEntry, Fields, type HeaderError } from "./fields.ts";
import type { FutureTrailers } from "./incoming-body.ts";
import type { ResponseOutparam } from "./incoming-request.ts";
import type { FutureIncomingResponse, IncomingResponse } from "./incoming-response.ts";
import type { Method, Scheme } from "./method.ts";
import type { OutgoingBody } from "./outgoing-body.ts";
import { OutgoingRequest } from "./outgoing-request.ts";
import { OutgoingResponse } from "./outgoing-response.ts";
import { sharedFunctions, trailersOnce } from "./types-functions.ts";
import type { HttpCaller, HttpFunctions } from "./versions.ts";

/** `error` */
export interface OctoberError {
  readonly tag: "invalid-url" | "timeout-error" | "protocol-error" | "unexpected-error";
  readonly val: string;
}

export function octoberError(code: ErrorCode): OctoberError {
  return { tag: "unexpected-error", val: debugText(code) };
}

export const octoberFunctions: HttpFunctions = {
  ...sharedFunctions,

  "[constructor]fields": (caller, entries: readonly FieldEntry[]) =>
    orTrap(Fields.fromEntries(entries, caller.data.heldBytes)),
  "[method]fields.set": (_, self: Fields, name: string, values: readonly string[]) =>
    orTrap(self.set(name, values)),
  "[method]fields.delete": (_, self: Fields, name: string) => orTrap(self.delete(name)),
  "[method]fields.append": (_, self: Fields, name: string, value: string) => orTrap(self.append(name, value)),

  "[constructor]outgoing-request": createRequest,
  "[method]outgoing-request.write": (_, self: OutgoingRequest) => self.body(),

  "[constructor]outgoing-response"(caller, status: number, headers: Fields) {
    const response = new OutgoingResponse(headers.copy(caller.data.heldBytes));
    if (response.setStatus(status).tag === "err") throw new Error(`The guest answers with status ${status}`);
    return response;
  },
  "[method]outgoing-response.write": (_, self: OutgoingResponse) => self.body(),

  "[static]outgoing-body.finish"(_, self: OutgoingBody, trailers: Fields | undefined) {
    const error = self.finish(trailers);
    if (error) throw new Error(`The guest finishes a body: ${debugText(error)}`);
  },

  "[static]response-outparam.set"(
    _,
    self: ResponseOutparam,
    outcome: Result<OutgoingResponse, OctoberError>,
  ) {
    if (outcome.tag === "ok") self.set(outcome);
    else self.set(err({ tag: "internal-error", val: `${outcome.val.tag}: ${outcome.val.val}` }));
  },

  "[method]future-trailers.get"(caller, self: FutureTrailers): Result<Fields, OctoberError> | undefined {
    const got = trailersOnce(caller, self);
    if (got?.tag === "err") return err(octoberError(got.val));
    return got && ok(got.val ?? Fields.empty(caller.data.heldBytes));
  },
  "[method]future-incoming-response.get"(
    _,
    self: FutureIncomingResponse,
  ): Result<Result<IncomingResponse, OctoberError>, undefined> | undefined {
    const got = self.get();
    if (got?.tag !== "ok") return got;
    return ok(got.val.tag === "ok" ? got.val : err(octoberError(got.val.val)));
  },
};

function createRequest(
  caller: HttpCaller,
  method: Method,
  pathWithQuery: string | undefined,
  scheme: Scheme | undefined,
  authority: string | undefined,
  headers: Fields,
): OutgoingRequest {
  const request = new OutgoingRequest(headers.copy(caller.data.heldBytes));
  const done = [
    request.setMethod(method),
    request.setPathWithQuery(pathWithQuery),
    request.setScheme(scheme),
    request.setAuthority(authority),
  ];
  if (done.some(({ tag }) => tag === "err"))
    throw new Error("The guest makes a request that HTTP cannot carry");
  return request;
}

function orTrap<T>(result: Result<T, HeaderError>): T {
  if (result.tag === "ok") return result.val;
  throw new Error(`The guest makes headers that it may not make: ${result.val.tag}`);
}
