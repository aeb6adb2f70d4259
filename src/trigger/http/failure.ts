// What the log says of a request that failed. A client is told no more than the status, unless somebody debugs.

import { TrapError } from "../../engine/mod.ts";
import { describeError, SpindleError } from "../../errors/mod.ts";
import type { HttpRequest } from "./executor.ts";
import { GuestReplyError } from "./executors/reply-headers.ts";
import { ReplyError } from "./reply.ts";

/** One entry of the log; may have several lines. */
export interface HttpLogEntry {
  readonly severity: "error" | "warning" | "note";
  readonly message: string;
}

/** Targets longer than this are cut in the log. */
const TARGET_LENGTH_MAX = 200;

/**
 * Says which request failed and why; a trap with its component, its export and the Wasm backtrace.
 *
 *     Request GET /a failed: Component "api" trapped in `handle-http-request`: unreachable
 *         at panic (wasm-function[12]:0x1a2)
 */
export function describeFailure(request: HttpRequest, error: unknown): string {
  const { method, target } = request;
  const shown = target.length > TARGET_LENGTH_MAX ? `${target.slice(0, TARGET_LENGTH_MAX)}...` : target;
  return `Request ${method} ${shown} failed: ${describeCause(error)}`;
}

/** The same without the request, as clients are told if somebody debugs. */
export function describeCause(error: unknown): string {
  if (error instanceof TrapError) return describeTrap(error);
  // A stack is for faults of ours; those of a guest or an operator are told by their message.
  if (error instanceof GuestReplyError || error instanceof ReplyError) return messages(error);
  return error instanceof SpindleError ? error.message : describeError(error);
}

/** The message, and that of what caused it. */
function messages({ message, cause }: Error): string {
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}

function describeTrap({ componentId, exportName, reason, message, backtrace }: TrapError): string {
  const what = reason === "trap" ? "trapped" : `was ended (${reason})`;
  const head = `Component "${componentId}" ${what} in \`${exportName}\`: ${message}`;
  return [head, ...backtrace.map((frame) => `    at ${frame}`)].join("\n");
}
