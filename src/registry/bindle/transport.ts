// Exchanges with one HTTP server: connections that are kept, time-outs, redirects, and attempts that are repeated.
//
// An attempt goes from the request to the last byte of the answer, so that an answer that breaks off is
// asked for again. `node:http` rather than fetch(): it takes certificate authorities without a package,
// and is faster for many small requests.

import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";

import { systemCodeOf } from "./system-error.ts";

export interface TransportOptions {
  readonly tls?: TlsTrust;
  readonly patience?: Partial<Patience>;
  /** Variables such as `HTTPS_PROXY` and `NO_PROXY`; without it, no proxy is used. */
  readonly proxyEnvironment?: NodeJS.ProcessEnv;
}

export interface TlsTrust {
  /** Certificate authorities in PEM, in place of those of the system. */
  readonly ca?: string;
  /** Accept any certificate. */
  readonly insecure?: boolean;
}

/** How long to wait, and how often to try again. */
export interface Patience {
  readonly attempts: number;
  /** Before the second attempt; twice as long before each further one. */
  readonly backOffMs: number;
  readonly connectMs: number;
  /** Without a byte in either direction. */
  readonly silenceMs: number;
  /** For one attempt, however steadily it trickles. */
  readonly attemptMs: number;
}

export interface Abortable {
  readonly signal: AbortSignal;
}

export interface TransportRequest extends Abortable {
  readonly method: "GET" | "HEAD" | "POST" | "DELETE";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
}

export interface RequestBody {
  readonly size: number;
  /** Called once for each attempt. What it throws ends the exchange. */
  open(): AsyncIterable<Uint8Array>;
}

/** Why there was no answer that could be used; the message is the state that was found. */
export class TransportError extends Error {
  /** "answer": something answered, but not as a server of ours would. */
  readonly kind: "unreachable" | "answer";
  readonly hint: string | undefined;
  /** Whether another attempt may end better, and when: undefined if not. */
  readonly retryAfterMs: number | undefined;

  constructor(kind: TransportError["kind"], state: string, options: TransportErrorOptions = {}) {
    super(state, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.hint = options.hint;
    this.retryAfterMs = options.retryAfterMs;
  }
}

interface TransportErrorOptions {
  readonly hint?: string;
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

const PATIENCE: Patience = {
  attempts: 4,
  backOffMs: 500,
  connectMs: 10_000,
  silenceMs: 30_000,
  attemptMs: 15 * 60_000,
};
/** Connections to a server at once. Requests beyond that wait for one. */
export const CONNECTIONS_MAX = 16;
/** A server that says `Retry-After` is given this long at most. */
const RETRY_AFTER_MS_MAX = 30_000;
const REDIRECTS_MAX = 10;
/** Read of an answer that says why not. */
const ERROR_BYTES_MAX = 64 * 1024;
const TEMPORARY_STATUSES = [408, 429, 500, 502, 503, 504];

export class Transport implements Disposable {
  readonly #patience: Patience;
  readonly #agents: { readonly "http:": http.Agent; readonly "https:": https.Agent };

  constructor(options: TransportOptions) {
    this.#patience = { ...PATIENCE, ...options.patience };
    const { ca, insecure } = options.tls ?? {};
    const pool = {
      keepAlive: true,
      maxSockets: CONNECTIONS_MAX,
      ...(options.proxyEnvironment && { proxyEnv: options.proxyEnvironment }),
    };
    this.#agents = {
      "http:": new http.Agent(pool),
      "https:": new https.Agent({
        ...pool,
        ...(ca !== undefined && { ca }),
        ...(insecure && { rejectUnauthorized: false }),
      }),
    };
  }

  /**
   * Sends a request until there is an answer that is not temporary, and gives what `read` makes of it.
   *
   * @throws TransportError, what `read` or the body throws, or the reason of the signal
   */
  async exchange<T>(request: TransportRequest, read: (answer: IncomingMessage) => Promise<T>): Promise<T> {
    const { attempts, backOffMs } = this.#patience;
    for (let attempt = 1; ; attempt++) {
      const attempting = attempt < attempts ? "not last" : "last";
      try {
        return await this.#attempt(request, { read, attempting });
      } catch (error) {
        request.signal.throwIfAborted();
        const afterMs = error instanceof TransportError ? error.retryAfterMs : undefined;
        if (afterMs === undefined || attempting === "last") throw error;
        const waitMs = Math.max(backOffMs * 2 ** (attempt - 1), Math.min(afterMs, RETRY_AFTER_MS_MAX));
        await delay(waitMs, undefined, { signal: request.signal });
      }
    }
  }

  async #attempt<T>(
    request: TransportRequest,
    {
      read,
      attempting,
    }: { readonly read: (answer: IncomingMessage) => Promise<T>; readonly attempting: "last" | "not last" },
  ): Promise<T> {
    using deadline = new Deadline(this.#patience.attemptMs);
    const signal = AbortSignal.any([request.signal, deadline.signal]);
    try {
      using answer = await this.#follow({ ...request, signal }, deadline);
      // The last answer is read, since it may say why.
      if (attempting === "not last") refuseTemporary(answer.message);
      return await read(answer.message);
    } catch (error) {
      throw deadline.passed ?? toTransportError(error);
    }
  }

  /** Follows redirects by hand, so that a circle of them is told apart, and credentials stay with their server. */
  async #follow(request: TransportRequest, deadline: Deadline): Promise<ReceivedAnswer> {
    let { url, headers } = request;
    const visited = new Set<string>();
    while (visited.size <= REDIRECTS_MAX) {
      visited.add(url.href);
      const answer = await this.#send({ ...request, url, headers }, deadline);
      const next = redirectOf(answer.message, { from: url, method: request.method });
      if (next === undefined) return answer;
      answer[Symbol.dispose]();
      if (visited.has(next.href))
        throw new TransportError("answer", `it redirects in a circle, to ${next.href}`);
      if (next.origin !== url.origin) headers = withoutAuthorization(headers);
      url = next;
    }
    throw new TransportError("answer", `it redirects more than ${REDIRECTS_MAX} times`);
  }

  /** One request; repeated at once if the connection was a kept one that the server has closed meanwhile. */
  async #send(request: TransportRequest, deadline: Deadline): Promise<ReceivedAnswer> {
    for (;;) {
      const outgoing = this.#begin(request, deadline);
      try {
        return await answerTo(outgoing, request);
      } catch (error) {
        const isStale = outgoing.reusedSocket && systemCodeOf(error) === "ECONNRESET";
        if (!isStale || request.signal.aborted) throw error;
      }
    }
  }

  #begin({ method, url, headers, body, signal }: TransportRequest, deadline: Deadline): http.ClientRequest {
    const { connectMs, silenceMs } = this.#patience;
    const options = {
      method,
      signal,
      headers: { ...headers, ...(body && { "content-length": String(body.size) }) },
    };
    const outgoing =
      url.protocol === "https:"
        ? https.request(url, { ...options, agent: this.#agents["https:"] })
        : http.request(url, { ...options, agent: this.#agents["http:"] });
    outgoing.setTimeout(silenceMs, () => deadline.pass("it has sent nothing for too long"));
    outgoing.once("socket", (socket) => {
      if (!socket.connecting) return;
      const timer = setTimeout(() => deadline.pass("it does not answer"), connectMs);
      for (const event of ["connect", "close"]) socket.once(event, () => clearTimeout(timer));
    });
    return outgoing;
  }

  [Symbol.dispose](): void {
    this.#agents["http:"].destroy();
    this.#agents["https:"].destroy();
  }
}

/** An answer; when it is disposed of, what has not been read of it is not waited for. */
interface ReceivedAnswer extends Disposable {
  readonly message: IncomingMessage;
}

function answerTo(outgoing: http.ClientRequest, { body }: TransportRequest): Promise<ReceivedAnswer> {
  return new Promise((resolve, reject) => {
    outgoing.once("response", (message) => {
      resolve({
        message,
        [Symbol.dispose]() {
          // A connection can be kept only if both sides have said all they had to say.
          if (!message.complete || !outgoing.writableFinished) outgoing.destroy();
        },
      });
    });
    // Stays: a server that has answered may still break the connection while it is sent the rest.
    outgoing.on("error", reject);
    if (body) pipeline(body.open(), outgoing).catch(reject);
    else outgoing.end();
  });
}

function redirectOf(
  { statusCode = 0, headers: { location } }: IncomingMessage,
  { from, method }: { readonly from: URL; readonly method: string },
): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(statusCode) || location === undefined) return undefined;
  const to = URL.parse(location, from);
  if (to === null || !["http:", "https:"].includes(to.protocol) || to.username !== "") {
    throw new TransportError("answer", `it redirects to "${location}", which is no HTTP URL`);
  }
  if (from.protocol === "https:" && to.protocol === "http:") {
    throw new TransportError("answer", `it redirects to ${to.href}, which is not encrypted`);
  }
  const keepsMethod = statusCode === 307 || statusCode === 308;
  if (method !== "GET" && method !== "HEAD" && !keepsMethod) {
    throw new TransportError("answer", `it redirects to ${to.href}`, { hint: "Use the server's own URL." });
  }
  return to;
}

function withoutAuthorization(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { authorization: _, ...others } = headers;
  return others;
}

function refuseTemporary({ statusCode = 0, headers }: IncomingMessage): void {
  if (!TEMPORARY_STATUSES.includes(statusCode)) return;
  const retryAfterMs = Number(headers["retry-after"] ?? 0) * 1000 || 0;
  throw new TransportError("answer", `it answered ${statusCode}`, { retryAfterMs });
}

/**
 * Reads an answer to its end, into memory.
 *
 * @throws TransportError if it is larger than `bytesMax`
 */
export async function readBytes(answer: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new TransportError("answer", `its answer is larger than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

/** Reads the beginning of an answer that says why something failed. */
export async function readSomeBytes(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= ERROR_BYTES_MAX) break;
  }
  return Buffer.concat(chunks, bytes);
}

/** What the system says, in words. All of these may be otherwise a moment later. */
const TEMPORARY_STATES: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "it closed the connection in the middle",
  EPIPE: "it closed the connection in the middle",
  EAI_AGAIN: "its name cannot be looked up",
  EHOSTUNREACH: "there is no way to it",
  ENETUNREACH: "there is no way to it",
  ETIMEDOUT: "it does not answer",
};

/** What the network did, in words; errors of anything else stay what they are. */
function toTransportError(error: unknown): unknown {
  const code = systemCodeOf(error);
  if (code === undefined || !(error instanceof Error)) return error;
  const hint = "Check that the server runs, and its URL.";
  const temporary = TEMPORARY_STATES[code];
  if (temporary !== undefined) {
    return new TransportError("unreachable", temporary, { hint, retryAfterMs: 0, cause: error });
  }
  if (code === "ENOTFOUND") {
    return new TransportError("unreachable", "no host has this name", { hint, cause: error });
  }
  if (code.startsWith("HPE_"))
    return new TransportError("answer", "it does not speak HTTP", { cause: error });
  if (code === "EPROTO" || code.startsWith("ERR_SSL_")) {
    return new TransportError("unreachable", "it does not speak TLS", {
      hint: "Check whether its URL begins with http:// or https://.",
      cause: error,
    });
  }
  if (!/CERT|^UNABLE_TO_|^INVALID_CA$|^INVALID_PURPOSE$/.test(code)) return error;
  // After a semicolon comes what to tell Node, which is no concern of the user.
  const [reason] = error.message.split(";", 1);
  return new TransportError("unreachable", `its certificate is not trusted: ${reason}`, {
    hint: "Name the certificate authority with `--ca`.",
    cause: error,
  });
}

/** Aborts an attempt that takes too long, in one way or another, and knows in which. */
class Deadline implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #passed: TransportError | undefined;

  constructor(milliseconds: number) {
    this.#timer = setTimeout(() => this.pass("it takes too long"), milliseconds);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get passed(): TransportError | undefined {
    return this.#passed;
  }

  pass(state: string): void {
    this.#passed ??= new TransportError("unreachable", state, { retryAfterMs: 0 });
    this.#controller.abort();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
