// `future-incoming-response` and `incoming-response`: the answer to what a guest has asked of others.

import type { StreamedResponse } from "../../outbound/mod.ts";
import { OutboundError } from "../../outbound/mod.ts";
import { err, ok, type Pollable, type Result, Watchers } from "../../wasi/mod.ts";
import { codeOf, type ErrorCode } from "./error-code.ts";
import { Fields } from "./fields.ts";
import { IncomingBody } from "./incoming-body.ts";

export class IncomingResponse implements Disposable {
  readonly #response: StreamedResponse;
  readonly headers: Fields;
  #isConsumed = false;

  constructor(response: StreamedResponse) {
    this.#response = response;
    this.headers = Fields.received(response.headers);
  }

  get status(): number {
    return this.#response.status;
  }

  consume(): Result<IncomingBody, undefined> {
    if (this.#isConsumed) return err(undefined);
    this.#isConsumed = true;
    const { body } = this.#response;
    return ok(new IncomingBody(body, () => body.cancel()));
  }

  [Symbol.dispose](): void {
    if (!this.#isConsumed) this.#response.body.cancel();
  }
}

type Outcome =
  | { readonly kind: "pending" }
  | { readonly kind: "response"; readonly response: StreamedResponse }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "taken" };

/** Undefined: not yet. `err` without a value: it was taken before. */
type Taken = Result<Result<IncomingResponse, ErrorCode>, undefined> | undefined;

export class FutureIncomingResponse implements Pollable, Disposable {
  readonly #watchers = new Watchers();
  readonly #abort: AbortController;
  #outcome: Outcome = { kind: "pending" };

  /** @param abort ends the request if nobody waits for its answer any more */
  constructor(response: Promise<StreamedResponse>, abort: AbortController) {
    this.#abort = abort;
    response.then(
      (value) => this.#settle({ kind: "response", response: value }),
      (error) => this.#settle({ kind: "failed", error }),
    );
  }

  #settle(outcome: Outcome): void {
    if (this.#outcome.kind === "pending") this.#outcome = outcome;
    else if (outcome.kind === "response") outcome.response.body.cancel();
    this.#watchers.notify();
  }

  /** @throws what no guest can mend: then the guest traps */
  get(): Taken {
    const outcome = this.#outcome;
    if (outcome.kind === "pending") return undefined;
    this.#outcome = { kind: "taken" };
    if (outcome.kind === "taken") return err(undefined);
    if (outcome.kind === "response") return ok(ok(new IncomingResponse(outcome.response)));
    if (outcome.error instanceof OutboundError) return ok(err(codeOf(outcome.error)));
    throw outcome.error;
  }

  isReady(): boolean {
    return this.#outcome.kind !== "pending";
  }

  watch(wake: () => void): () => void {
    return this.#watchers.add(wake);
  }

  [Symbol.dispose](): void {
    const outcome = this.#outcome;
    this.#outcome = { kind: "taken" };
    if (outcome.kind === "pending") this.#abort.abort();
    if (outcome.kind === "response") outcome.response.body.cancel();
  }
}
