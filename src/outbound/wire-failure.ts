// What goes wrong on the wire, in the words of this room; and the timer that makes some of it.

import { OutboundError, type OutboundFault } from "./outbound-error.ts";

/** What the peer is expected to do next. */
type Phase = "connect" | "answer" | "go-on";

const FAULTS = { connect: "connect-timeout", answer: "read-timeout", "go-on": "read-timeout" } as const;

/** Calls back with an error unless it is stopped, or started for the next phase, in time. */
export class PhaseTimer {
  readonly #expired: (error: OutboundError) => void;
  #timeout: NodeJS.Timeout | undefined;

  constructor(expired: (error: OutboundError) => void) {
    this.#expired = expired;
  }

  start(ms: number, phase: Phase): void {
    this.stop();
    const what = phase === "go-on" ? "go on with its answer" : phase;
    const expire = () =>
      this.#expired(new OutboundError(FAULTS[phase], `The peer took longer than ${ms} ms to ${what}`));
    this.#timeout = setTimeout(expire, ms);
  }

  stop(): void {
    clearTimeout(this.#timeout);
  }
}

export function interrupted(signal: AbortSignal): OutboundError {
  return new OutboundError("connection", "The call ended before its request", { cause: signal.reason });
}

export function describe(error: unknown): OutboundError {
  if (error instanceof OutboundError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new OutboundError(faultOf(error), `The request failed: ${reason}`, { cause: error });
}

export function isClosedByPeer(error: unknown): boolean {
  const code = systemCode(error);
  return code === "ECONNRESET" || code === "EPIPE";
}

/** What the look-up of a name says if there is no address for it. */
const NAME_CODES: ReadonlySet<string> = new Set(["ENOTFOUND", "EAI_AGAIN", "EAI_NODATA", "ENODATA"]);
/** Of certificates, by OpenSSL and by Node. */
const TLS_CODES = /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|EPROTO$)/;
const REFUSED_CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "EADDRNOTAVAIL",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);

function faultOf(error: unknown): OutboundFault {
  const code = systemCode(error) ?? "";
  if (NAME_CODES.has(code)) return "name-unknown";
  if (REFUSED_CODES.has(code)) return "connection-refused";
  return TLS_CODES.test(code) ? "tls" : "connection";
}

function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
