// `outgoing-response`: what a guest answers.

import { err, ok, type Result } from "../../wasi/mod.ts";
import type { Fields } from "./fields.ts";
import { HELD_BYTES_MAX, OutgoingBody, statedLength } from "./outgoing-body.ts";

const STATUS_MIN = 100;
const STATUS_MAX = 999;

export class OutgoingResponse implements Disposable {
  readonly headers: Fields;
  #status = 200;
  #body: OutgoingBody | undefined;

  /** Takes the headers: they cannot be changed any more. */
  constructor(headers: Fields) {
    this.headers = headers.freeze();
  }

  get status(): number {
    return this.#status;
  }

  setStatus(status: number): Result<undefined, undefined> {
    if (status < STATUS_MIN || status > STATUS_MAX) return err(undefined);
    this.#status = status;
    return ok();
  }

  /** The body, if the guest has asked for it. */
  get takenBody(): OutgoingBody | undefined {
    return this.#body;
  }

  /** Errors: it was taken before, or the `content-length` is no number. */
  body(): Result<OutgoingBody, undefined> {
    const length = statedLength(this.headers);
    if (this.#body || length === "invalid") return err(undefined);
    this.headers.held?.add(HELD_BYTES_MAX);
    this.#body = new OutgoingBody("response", length);
    return ok(this.#body);
  }

  /** To be called when the message is let go of unsent: nobody reads its body then. */
  [Symbol.dispose](): void {
    this.#body?.pipe.cancel();
    if (this.#body) this.headers.held?.remove(HELD_BYTES_MAX);
    this.headers.release();
  }
}
