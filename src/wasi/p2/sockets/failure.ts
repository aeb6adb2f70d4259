// What can go wrong with a socket, in the words of wasi:sockets.

import { err, ok, type Result } from "../interfaces.ts";

/** `error-code`, in its order. */
export const ERROR_CODES = [
  "unknown",
  "access-denied",
  "not-supported",
  "invalid-argument",
  "out-of-memory",
  "timeout",
  "concurrency-conflict",
  "not-in-progress",
  "would-block",
  "invalid-state",
  "new-socket-limit",
  "address-not-bindable",
  "address-in-use",
  "remote-unreachable",
  "connection-refused",
  "connection-reset",
  "connection-aborted",
  "datagram-too-large",
  "name-unresolvable",
  "temporary-resolver-failure",
  "permanent-resolver-failure",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** Thrown where a guest is to be told. Not an `Error`: nobody needs its stack. */
export class SocketFailure {
  readonly code: ErrorCode;

  constructor(code: ErrorCode) {
    this.code = code;
  }
}

const CODES_OF_SYSTEM: ReadonlyMap<string, ErrorCode> = new Map([
  ["EACCES", "access-denied"],
  ["EPERM", "access-denied"],
  ["EADDRINUSE", "address-in-use"],
  ["EADDRNOTAVAIL", "address-not-bindable"],
  ["ETIMEDOUT", "timeout"],
  ["ECONNREFUSED", "connection-refused"],
  ["ECONNRESET", "connection-reset"],
  ["ECONNABORTED", "connection-aborted"],
  ["EINVAL", "invalid-argument"],
  ["EHOSTUNREACH", "remote-unreachable"],
  ["EHOSTDOWN", "remote-unreachable"],
  ["ENETUNREACH", "remote-unreachable"],
  ["ENETDOWN", "remote-unreachable"],
  ["EMSGSIZE", "datagram-too-large"],
  ["ENOMEM", "out-of-memory"],
  ["ENOBUFS", "out-of-memory"],
  ["EMFILE", "new-socket-limit"],
  ["ENFILE", "new-socket-limit"],
  ["EAFNOSUPPORT", "not-supported"],
  ["ENOTSUP", "not-supported"],
  ["ENOTFOUND", "name-unresolvable"],
  ["ENODATA", "name-unresolvable"],
  ["EAI_AGAIN", "temporary-resolver-failure"],
  ["ESERVFAIL", "temporary-resolver-failure"],
  ["EAI_FAIL", "permanent-resolver-failure"],
]);

/** What an error of Node's sockets and look-ups is to a guest. */
export function codeOf(error: unknown): ErrorCode {
  if (error instanceof SocketFailure) return error.code;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return CODES_OF_SYSTEM.get(code) ?? "unknown";
}

/** Runs a function and returns what it returns, or the error code of the failure that it throws. */
export function answer<T>(run: () => T): Result<T, ErrorCode> {
  try {
    return ok(run());
  } catch (thrown) {
    if (thrown instanceof SocketFailure) return err(thrown.code);
    throw thrown;
  }
}
