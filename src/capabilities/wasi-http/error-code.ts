// The errors of wasi:http, and those of other rooms in its words.

import { OutboundError, type OutboundFault } from "../../outbound/mod.ts";

/** `error-code`: the name of the case, and its payload where it has one. */
export interface ErrorCode {
  readonly tag: string;
  readonly val?: unknown;
}

/** What went wrong with a stream of a body; `http-error-code` finds the code in here. */
export class HttpFailure extends Error {
  override readonly name = "HttpFailure";
  readonly code: ErrorCode;

  constructor(code: ErrorCode) {
    super(debugText(code));
    this.code = code;
  }
}

export const URI_INVALID: ErrorCode = { tag: "HTTP-request-URI-invalid" };
export const PROTOCOL_ERROR: ErrorCode = { tag: "HTTP-protocol-error" };

/** What Spin says of names that nobody knows (`crates/factor-outbound-http/src/wasi.rs` at v4.0.2). */
const DNS_ERROR: ErrorCode = { tag: "DNS-error", val: { rcode: "address not available", infoCode: 0 } };

export function bodySizeError(kind: "request" | "response", written: number): ErrorCode {
  return { tag: `HTTP-${kind}-body-size`, val: BigInt(written) };
}

/** The code of what failed a body or an exchange. */
export function codeOf(error: unknown): ErrorCode {
  if (error instanceof HttpFailure) return error.code;
  return error instanceof OutboundError ? codeOfFault(error.fault) : PROTOCOL_ERROR;
}

function codeOfFault(fault: OutboundFault): ErrorCode {
  switch (fault) {
    case "destination-not-allowed":
      return { tag: "HTTP-request-denied" };
    case "destination-blocked":
      return { tag: "destination-IP-prohibited" };
    case "invalid-url":
      return URI_INVALID;
    case "too-many-requests":
      return { tag: "connection-limit-reached" };
    case "name-unknown":
      return DNS_ERROR;
    case "connection-refused":
      return { tag: "connection-refused" };
    case "connect-timeout":
      return { tag: "connection-timeout" };
    case "read-timeout":
      return { tag: "connection-read-timeout" };
    case "tls":
      return { tag: "TLS-protocol-error" };
    case "response-too-large":
      return { tag: "HTTP-response-body-size" };
    case "invalid-request":
    case "too-many-redirects":
    case "connection":
      return PROTOCOL_ERROR;
  }
}

/**
 * The code as Rust prints it, which is what guests of the first draft and log files get to see:
 * `ErrorCode::HttpRequestDenied`.
 */
export function debugText({ tag }: ErrorCode): string {
  const words = tag.split("-").map((word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase());
  return `ErrorCode::${words.join("")}`;
}
