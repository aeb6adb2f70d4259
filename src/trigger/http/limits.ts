// What the HTTP trigger accepts at most, and for how long it waits.

/** Bytes, counts and milliseconds. docs/http.md has the flag and the answer of each. */
export interface HttpLimits {
  /** Request line and headers together. Over: 431. */
  readonly headBytesMax: number;
  /** Over: 431. Spin's server refuses more than 100 headers too. */
  readonly headersMax: number;
  /** From the first byte of a head (or from connecting) to its last. Over: 408. */
  readonly headTimeMs: number;
  /** A body that is buffered for its executor; a streamed one is not limited. Over: 413. */
  readonly bodyBytesMax: number;
  /** From a request's head to the end of a body that is buffered. Over: 408. */
  readonly bodyTimeMs: number;
  /** All buffered bodies together, so that many large ones cannot fill the memory. Over: 503. */
  readonly heldBodyBytesMax: number;
  /** Requests that executors work on at once; more have to wait. */
  readonly activeMax: number;
  /** Requests that wait for a place. Over: 503. */
  readonly waitingMax: number;
  /** How long one waits. Over: 503. */
  readonly waitTimeMs: number;
  /** From the executor's start to the head of its reply. Over: 504, and the guest is told. */
  readonly requestTimeMs: number;
  /** From the end of a reply to the end of the guest, which may have more to do. Over: the guest is ended. */
  readonly afterReplyTimeMs: number;
  /** Open connections; further ones are closed as they come. */
  readonly connectionsMax: number;
  /** How long a connection may stay open between two requests. */
  readonly idleTimeMs: number;
  /** How long we wait for a client that neither sends nor takes what it should. */
  readonly stallTimeMs: number;
  /** Requests that a client may send ahead on one connection; over: it is closed. */
  readonly pipelinedMax: number;
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  headBytesMax: 64 * 1024,
  headersMax: 100,
  headTimeMs: 10_000,
  bodyBytesMax: 10 * 1024 * 1024,
  bodyTimeMs: 60_000,
  heldBodyBytesMax: 256 * 1024 * 1024,
  activeMax: 1000,
  waitingMax: 1000,
  waitTimeMs: 5000,
  requestTimeMs: 30_000,
  afterReplyTimeMs: 30_000,
  connectionsMax: 10_000,
  idleTimeMs: 75_000,
  stallTimeMs: 30_000,
  pipelinedMax: 100,
};
