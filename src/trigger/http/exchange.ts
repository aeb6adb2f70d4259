// One request and its reply, from the head of the one to the last byte of the other.
//
// Executors see it as an HttpRequest. It holds no timers and no listeners of its own, and it makes an
// AbortSignal only for those who ask, because most requests are over before anybody could.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { BytePipe } from "../../bytes/mod.ts";
import type { Lane } from "./admission.ts";
import type { Arrival, Connection } from "./connection.ts";
import type { Deadlines } from "./deadlines.ts";
import type { HttpExecutor, HttpRequest, RouteMatch } from "./executor.ts";
import type { RequestTarget } from "./request-target.ts";

/**
 * - receiving: its body is buffered
 * - waiting: for a place
 * - working: its executor has it, and nothing of the reply is sent
 * - sending: the head of the reply is sent
 * - over: the reply is complete, or the client has left; the executor may still be at work
 */
export type Phase = "new" | "receiving" | "waiting" | "working" | "sending" | "over";

/** What is to be done with a request: its executor, the lane it waits in, the route it came by. */
export interface Task {
  readonly executor: HttpExecutor;
  readonly lane: Lane<Exchange>;
  /** Where its time is kept. */
  readonly working: Deadlines<Exchange>;
  /** The same, once its reply is given. */
  readonly trailing: Deadlines<Exchange>;
  readonly match: RouteMatch;
}

export class Exchange implements HttpRequest {
  readonly connection: Connection<Exchange>;
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  readonly target: string;
  readonly path: string;
  readonly query: string | undefined;
  readonly httpVersion: string;
  readonly rawHeaders: readonly string[];
  /** Of the target or the `Host` header; undefined if both are missing, differ, or there are several. */
  readonly statedAuthority: string | undefined;
  /** The `content-length`; undefined for a body in chunks, and for none. */
  readonly declaredBytes: number | undefined;
  readonly hasBody: boolean;
  phase: Phase = "new";
  task: Task | undefined = undefined;
  /** Bytes of the body that are kept for this request. */
  heldBytes = 0;
  /** The whole body, for an executor that takes it so. */
  body: Uint8Array = EMPTY_BYTES;
  /** The body as it arrives, for an executor that takes it so. */
  bodyPipe: BytePipe | undefined = undefined;
  /** Called once when a reply that is being sent is cut short. */
  onCut: (() => void) | undefined = undefined;
  #isInvitationDue: boolean;
  #abort: AbortController | undefined = undefined;
  #abortReason: Error | undefined = undefined;

  constructor(connection: Connection<Exchange>, arrival: Arrival, target: RequestTarget = NO_TARGET) {
    const { incoming, response } = arrival;
    this.connection = connection;
    this.#isInvitationDue = arrival.expectsContinue;
    this.incoming = incoming;
    this.response = response;
    // Requests always have a method; the field's type is shared with responses.
    this.method = incoming.method ?? "";
    this.target = target.target;
    this.path = target.path;
    this.query = target.query;
    this.httpVersion = incoming.httpVersion;
    this.rawHeaders = incoming.rawHeaders;
    const { host, hosts, length, isChunked } = readHeaders(incoming.rawHeaders);
    this.statedAuthority = hosts > 1 ? undefined : agreed(target.authority, host);
    this.declaredBytes = isChunked ? undefined : length;
    this.hasBody = isChunked || (length ?? 0) > 0;
  }

  get authority(): string {
    return this.statedAuthority ?? "";
  }

  get scheme(): "http" | "https" {
    return this.connection.scheme;
  }

  get clientAddress(): string {
    return this.connection.clientAddress;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#abortReason !== undefined) this.#abort.abort(this.#abortReason);
    }
    return this.#abort.signal;
  }

  /** The client waits to be asked for the body. */
  get isInvitationDue(): boolean {
    return this.#isInvitationDue;
  }

  /** Lets a client that asked first send its body. Once the reply has begun, that is its invitation. */
  invite(): void {
    if (!this.#isInvitationDue || this.response.headersSent) return;
    this.#isInvitationDue = false;
    this.response.writeContinue();
  }

  get isAborted(): boolean {
    return this.#abortReason !== undefined;
  }

  /** Tells the executor that nobody wants the reply any more. */
  abort(reason: Error): void {
    if (this.#abortReason !== undefined) return;
    this.#abortReason = reason;
    this.#abort?.abort(reason);
    this.bodyPipe?.fail(reason);
  }
}

const NO_TARGET: RequestTarget = { target: "/", path: "/", query: undefined, authority: undefined };

const EMPTY_BYTES = new Uint8Array(0);

interface HeaderFacts {
  host: string | undefined;
  /** How many there are; several are for nobody to choose from (RFC 9112, 3.2). */
  hosts: number;
  length: number | undefined;
  isChunked: boolean;
}

/** Reads what the trigger itself must know. The parser has refused lengths that contradict each other. */
function readHeaders(headers: readonly string[]): HeaderFacts {
  const facts: HeaderFacts = { host: undefined, hosts: 0, length: undefined, isChunked: false };
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? "";
    // Comparing lengths first spares nearly all headers the rest.
    if (name.length === "host".length) {
      if (name.toLowerCase() !== "host") continue;
      facts.host = headers[i + 1];
      facts.hosts++;
    } else if (name.length === "content-length".length) {
      if (name.toLowerCase() === "content-length") facts.length = Number(headers[i + 1]);
    } else if (name.length === "transfer-encoding".length) {
      if (name.toLowerCase() === "transfer-encoding") facts.isChunked = true;
    }
  }
  return facts;
}

function agreed(ofTarget: string | undefined, header: string | undefined): string | undefined {
  // A client from outside may not name a component as the host; Spin takes such a header away.
  const host = header !== undefined && INTERNAL_HOST.test(header) ? undefined : header;
  if (ofTarget === undefined || host === undefined) return ofTarget ?? host;
  return ofTarget.toLowerCase() === host.toLowerCase() ? host : undefined;
}

const INTERNAL_HOST = /\.spin\.internal(:[0-9]*)?$/i;
