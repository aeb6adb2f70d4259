// What a Wagi guest wrote to standard output, as an HTTP response (`compose_response` in
// `crates/http/src/wagi/mod.rs` at v4.0.2; RFC 3875, 6).
//
// The head ends at the first empty line; without one, everything is body. Nothing is said of the
// order of the head's lines: `Status` counts before or after `Location`.

import { isUtf8 } from "node:buffer";
import type { HttpReply } from "../executor.ts";
import { GuestReplyError, isHeaderName, ReplyHeaders } from "./reply-headers.ts";

/** More than any client takes; the head of an endless output is not looked for beyond. */
const HEAD_BYTES_MAX = 256 * 1024;
const HEADERS_MAX = 1024;

const LF = 0x0a;
const CR = 0x0d;

const INSUFFICIENT = "Exactly one of 'location' or 'content-type' must be specified";

/** @throws GuestReplyError for a head that cannot be sent; the trigger answers an empty 500 */
export function cgiResponse(componentId: string, output: Buffer): HttpReply {
  const { head, body } = splitHead(componentId, output);
  const headers = new ReplyHeaders(componentId);
  let status: number | undefined;
  for (const [name, value] of headLines(componentId, head)) {
    if (name.toLowerCase() === "status") status = parseStatus(value);
    // Spin leaves out what is no header, and refuses a header whose value is none.
    else if (isHeaderName(name)) headers.set(name, value);
  }
  const hasLocation = headers.has("location");
  if (status === undefined && !hasLocation && !headers.has("content-type")) {
    return { status: 500, headers: [], body: Buffer.from(INSUFFICIENT) };
  }
  return { status: status ?? (hasLocation ? 302 : 200), headers: headers.list, body };
}

/** The head without its carriage returns, and what follows the empty line. */
function splitHead(componentId: string, output: Buffer): { readonly head: string; readonly body: Buffer } {
  for (let end = output.indexOf(LF); end !== -1; end = output.indexOf(LF, end + 1)) {
    if (end > HEAD_BYTES_MAX) {
      throw new GuestReplyError(componentId, `answered with a head of more than ${HEAD_BYTES_MAX} bytes`);
    }
    let next = end + 1;
    while (output[next] === CR) next++;
    if (output[next] !== LF) continue;
    const head = output.subarray(0, end);
    if (!isUtf8(head)) throw new GuestReplyError(componentId, "answered with a head that is not UTF-8");
    return { head: head.toString("latin1").replaceAll("\r", ""), body: output.subarray(next + 1) };
  }
  return { head: "", body: output };
}

/** Name and value of each line that has both. */
function headLines(componentId: string, head: string): (readonly [name: string, value: string])[] {
  const lines = head.split("\n", HEADERS_MAX + 1);
  if (lines.length > HEADERS_MAX) {
    throw new GuestReplyError(componentId, `answered with more than ${HEADERS_MAX} headers`);
  }
  return lines.flatMap((line) => {
    const colon = line.indexOf(":");
    return colon === -1 ? [] : [[line.slice(0, colon).trim(), line.slice(colon + 1).trim()] as const];
  });
}

/** The number before the first space; anything else tells a bad gateway. */
function parseStatus(value: string): number {
  const [code = ""] = value.split(" ", 1);
  const status = /^[0-9]{3}$/.test(code) ? Number(code) : 0;
  return status < 200 ? 502 : status;
}
