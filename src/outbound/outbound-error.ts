// Why a request that a guest asked for got no answer.

export type OutboundFault =
  /** The allow-list of the component has no entry for it. */
  | "destination-not-allowed"
  /** Every address of the host lies in a blocked network. */
  | "destination-blocked"
  | "invalid-url"
  /** A method, header name or header value that HTTP cannot carry. */
  | "invalid-request"
  | "too-many-requests"
  | "too-many-redirects"
  /** No connection in time. */
  | "connect-timeout"
  /** No answer in time, or not the next piece of it. */
  | "read-timeout"
  /** No address for the name. */
  | "name-unknown"
  | "connection-refused"
  | "tls"
  /** What else ends a connection, or an answer that is not HTTP. */
  | "connection"
  | "response-too-large";

/** Thrown by `OutboundHttp`; a capability maps `fault` to the error of its own ABI. */
export class OutboundError extends Error {
  override readonly name = "OutboundError";
  readonly fault: OutboundFault;

  constructor(fault: OutboundFault, message: string, options?: { readonly cause: unknown }) {
    super(message, options);
    this.fault = fault;
  }
}
