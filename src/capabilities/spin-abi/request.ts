// Gives a request to `handle-http-request`, whose ten parameters are the same in both generations.

import type { Caller } from "../../engine/mod.ts";
import { GuestWriter } from "./guest-writer.ts";

/** A request as a guest gets it. Texts have bytes for characters, as HTTP has them. */
export interface GuestRequest {
  /** From `methodNumber`. */
  readonly method: number;
  readonly uri: string;
  /** Name, value, name, value, ...; names in lower case. */
  readonly headers: readonly string[];
  /** The same of the decoded query, if the guest expects it. */
  readonly params: readonly string[];
  readonly body: Uint8Array;
}

/**
 * Writes a request to the guest's memory, and returns the arguments.
 *
 *     handle-http-request(method, uri: ptr, length, headers: ptr, count, params: ptr, count,
 *                         body: tag, ptr, length) -> ptr
 *
 * The body is always `some`, as Spin has it, even when it is empty.
 */
export function writeRequest(caller: Caller<unknown>, request: GuestRequest): readonly number[] {
  const writer = new GuestWriter(caller);
  const { method, uri, headers, params, body } = request;
  return [
    method,
    writer.text(uri),
    uri.length,
    writer.pairs(headers),
    headers.length / 2,
    writer.pairs(params),
    params.length / 2,
    1,
    writer.bytes(body),
    body.length,
  ];
}
