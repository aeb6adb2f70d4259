// `incoming-request` and `response-outparam`: what the handler of a guest is called with.

import type { BytePipe } from "../../bytes/mod.ts";
import { err, ok, type Result } from "../../wasi/mod.ts";
import type { ErrorCode } from "./error-code.ts";
import { Fields } from "./fields.ts";
import { IncomingBody } from "./incoming-body.ts";
import { HTTP, type Method, methodOf, type Scheme } from "./method.ts";
import type { OutgoingResponse } from "./outgoing-response.ts";

/** A request as its trigger has it. Texts hold one character per byte. */
export interface ReceivedRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly authority: string;
  /** Name, value, name, value, ... Asked for once, if at all. */
  readonly headers: readonly string[];
}

export class IncomingRequest {
  readonly #request: ReceivedRequest;
  readonly #body: BytePipe;
  #fields: Fields | undefined;
  #isConsumed = false;

  constructor(request: ReceivedRequest, body: BytePipe) {
    this.#request = request;
    this.#body = body;
  }

  get method(): Method {
    return methodOf(this.#request.method);
  }

  get pathWithQuery(): string {
    return this.#request.target;
  }

  get scheme(): Scheme {
    return HTTP;
  }

  get authority(): string {
    return this.#request.authority;
  }

  get headers(): Fields {
    this.#fields ??= Fields.received(this.#request.headers);
    return this.#fields;
  }

  consume(): Result<IncomingBody, undefined> {
    if (this.#isConsumed) return err(undefined);
    this.#isConsumed = true;
    // Whoever gave the request takes care of what is left of its body: a replay may want it yet.
    return ok(new IncomingBody(this.#body, () => {}));
  }
}

/** What a guest answers: a response, or why there is none. */
export type ResponseOutcome = Result<OutgoingResponse, ErrorCode>;

/** Whoever waits for the answer of a guest. */
export interface ResponseReceiver {
  receive(outcome: ResponseOutcome): void;
}

/** Takes the answer. The component model sees to it that it is given at most once. */
export class ResponseOutparam {
  readonly #receiver: ResponseReceiver;

  constructor(receiver: ResponseReceiver) {
    this.#receiver = receiver;
  }

  set(outcome: ResponseOutcome): void {
    this.#receiver.receive(outcome);
  }
}
