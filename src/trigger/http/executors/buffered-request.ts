// What the executors of Spin's own interfaces share: requests and answers that are wholly in memory.

import { isUtf8 } from "node:buffer";
import type { GuestResponse } from "../../../capabilities/mod.ts";
import type { ComponentLimits } from "../../../manifest/mod.ts";
import type { HttpReply, HttpRequest, RouteMatch } from "../executor.ts";
import { spinHeaders } from "../spin-headers.ts";
import { GuestReplyError, HELD_RESPONSE_BYTES_MAX, ReplyHeaders, tooLong } from "./reply-headers.ts";

export const METHOD_NOT_ALLOWED: HttpReply = { status: 405, headers: [], body: undefined };

/** Spin answers an empty 500 for other statuses; below 200, its HTTP library does. */
const STATUS_MIN = 200;
const STATUS_MAX = 600;

/**
 * The client's headers, names in lower case, then those of Spin.
 *
 * @throws GuestReplyError if a value is not UTF-8
 */
export function guestHeaders(componentId: string, request: HttpRequest, match: RouteMatch): string[] {
  const { rawHeaders } = request;
  const headers: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    // The loop stays inside of an array that holds only strings.
    headers.push(
      (rawHeaders[at] as string).toLowerCase(),
      checkUtf8(componentId, rawHeaders[at + 1] as string),
    );
  }
  headers.push(...spinHeaders(request, match));
  return headers;
}

/** A text off the wire, if its bytes are UTF-8: those of a guest have to be. @throws GuestReplyError */
export function checkUtf8(componentId: string, text: string): string {
  if (!/[^\x00-\x7f]/.test(text) || isUtf8(Buffer.from(text, "latin1"))) return text;
  throw new GuestReplyError(componentId, "cannot be given a request with text that is not UTF-8");
}

/** @throws GuestReplyError for an answer that cannot be sent */
export function replyOf(
  component: { readonly id: string; readonly limits: Pick<ComponentLimits, "responseBytesMax"> },
  { status, headers, body }: GuestResponse,
): HttpReply {
  const { id, limits } = component;
  if (status < STATUS_MIN || status > STATUS_MAX) {
    throw new GuestReplyError(id, `answered with the invalid status ${status}`);
  }
  const { responseBytesMax = HELD_RESPONSE_BYTES_MAX } = limits;
  if (body !== undefined && body.length > responseBytesMax) {
    throw tooLong(id, responseBytesMax);
  }
  const reply = new ReplyHeaders(id);
  for (let at = 0; at + 1 < headers.length; at += 2) {
    // As above.
    reply.set(headers[at] as string, headers[at + 1] as string);
  }
  return { status, headers: reply.list, body };
}
