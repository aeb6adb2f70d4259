// The executor of `wasi:http/incoming-handler`, in 0.2 and its two drafts.
//
// A guest that answers without a wait is answered from memory: its head and its whole body are sent at
// once when it has returned. All others stream: the head is sent when the guest sets its response, the
// body as it writes, and the guest runs on until it returns.

import {
  debugText,
  IncomingRequest,
  type ReceivedRequest,
  type ResponseOutcome,
  ResponseOutparam,
  type ResponseReceiver,
} from "../../../capabilities/mod.ts";
import type { Caller, Invocation, WasmValue } from "../../../engine/mod.ts";
import type { ComponentLimits } from "../../../manifest/mod.ts";
import type { CallOptions, Prepared } from "../../../runtime/mod.ts";
import type {
  ExecutorLimits,
  HttpReply,
  HttpRequest,
  RequestBody,
  RouteMatch,
  StreamedHttpExecutor,
} from "../executor.ts";
import { spinHeaders } from "../spin-headers.ts";
import type { ExportedHandler } from "./exported-handler.ts";
import { GuestReplyError, tooLong } from "./reply-headers.ts";
import { type HttpContext, type HttpExecutionContext, whenReady } from "./run.ts";

export class WasiHttpExecutor implements StreamedHttpExecutor {
  readonly bodyMode = "streamed";
  readonly limits: ExecutorLimits & Pick<ComponentLimits, "responseBytesMax">;
  readonly #context: HttpExecutionContext;
  readonly #componentId: string;
  readonly #handler: ExportedHandler;

  constructor(
    context: HttpExecutionContext,
    component: { readonly id: string; readonly handler: ExportedHandler },
  ) {
    this.limits = context.limits(component.id);
    this.#context = context;
    this.#componentId = component.id;
    this.#handler = component.handler;
  }

  execute(request: HttpRequest, match: RouteMatch, body: RequestBody): HttpReply | Promise<HttpReply> {
    const call = new WasiHttpCall(this.#handler, request, { match, body });
    const prepared = this.#context.prepare(this.#componentId, request, call);
    return whenReady(prepared, () => this.#execute(call, prepared));
  }

  #execute(call: WasiHttpCall, prepared: Prepared<HttpContext>): HttpReply | Promise<HttpReply> {
    let isPending = false;
    try {
      const running = prepared.run(call);
      if (!(running instanceof Promise)) return this.#replyOf(call);
      isPending = true;
      return this.#replyLater(call, running, prepared);
    } catch (error) {
      // In second gear the answer would be on its way by now, and so it is in Spin.
      if (call.outcome?.tag !== "ok") throw error;
      return call.breakOff(error) ? this.#replyOf(call) : this.#replyOf(call, rejected(error));
    } finally {
      if (!isPending) prepared[Symbol.dispose]();
    }
  }

  /** The answer as soon as the guest gives it. The slot is kept until the guest has returned. */
  #replyLater(
    call: WasiHttpCall,
    running: Promise<void>,
    prepared: Prepared<HttpContext>,
  ): Promise<HttpReply> {
    const { promise, resolve, reject } = Promise.withResolvers<HttpReply>();
    const afterwards = this.#ended(call, running, prepared);
    const answer = () => {
      try {
        resolve(this.#replyOf(call, afterwards));
      } catch (error) {
        reject(error);
      }
    };
    call.onOutcome = answer;
    if (call.outcome) answer();
    afterwards.then(() => {
      if (!call.outcome) answer();
    }, reject);
    return promise;
  }

  /** Sees a guest that waits to its end. If it fails, what it had not finished of its answer is broken off. */
  async #ended(call: WasiHttpCall, running: Promise<void>, prepared: Prepared<HttpContext>): Promise<void> {
    using _ = prepared;
    try {
      await running;
      call.close();
    } catch (error) {
      if (!call.breakOff(error)) throw error;
    }
  }

  /** @param afterwards absent if the guest has returned */
  #replyOf({ outcome }: WasiHttpCall, afterwards?: Promise<void>): HttpReply {
    if (!outcome) throw new GuestReplyError(this.#componentId, "returned without an answer");
    if (outcome.tag === "err") {
      throw new GuestReplyError(this.#componentId, `answered with ${debugText(outcome.val)}`);
    }
    const { status, headers, takenBody } = outcome.val;
    const after = afterwards && { afterwards };
    if (!takenBody) return { status, headers: headers.list, body: undefined, ...after };
    const { pipe } = takenBody;
    const { responseBytesMax = Number.POSITIVE_INFINITY } = this.limits;
    const overrun = () => tooLong(this.#componentId, responseBytesMax);
    if (!takenBody.limit(responseBytesMax, overrun)) throw overrun();
    if (!afterwards) takenBody.close();
    const body = pipe.trailers ? pipe : (pipe.whole ?? pipe);
    return { status, headers: headers.list, body, framing: "chunks", ...after };
  }
}

/** A rejection that nobody need look at. */
function rejected(error: unknown): Promise<never> {
  const promise = Promise.reject(error);
  promise.catch(() => undefined);
  return promise;
}

/** One request on its way through the guest, which may be replayed from its start. */
class WasiHttpCall implements Invocation<HttpContext, void>, CallOptions, ReceivedRequest, ResponseReceiver {
  /** The trigger times what comes before the answer and after it; what is between may take as long as the client stays. */
  readonly wallTimeMs = Number.POSITIVE_INFINITY;
  readonly #handler: ExportedHandler;
  readonly #request: HttpRequest;
  readonly #match: RouteMatch;
  readonly #body: RequestBody;
  outcome: ResponseOutcome | undefined = undefined;
  /** Called when the guest answers after it has waited. */
  onOutcome: (() => void) | undefined = undefined;

  constructor(
    handler: ExportedHandler,
    request: HttpRequest,
    { match, body }: { readonly match: RouteMatch; readonly body: RequestBody },
  ) {
    this.#handler = handler;
    this.#request = request;
    this.#match = match;
    this.#body = body;
  }

  get exportName(): string {
    return this.#handler.exportName;
  }

  get entry(): ExportedHandler["entry"] {
    return this.#handler.entry;
  }

  get method(): string {
    return this.#request.method;
  }

  get target(): string {
    return this.#request.target;
  }

  get authority(): string {
    return this.#request.authority;
  }

  get headers(): readonly string[] {
    return [...this.#request.rawHeaders, ...spinHeaders(this.#request, this.#match)];
  }

  /** Made on first use, so it is passed on as late as can be. */
  get signal(): AbortSignal {
    return this.#request.signal;
  }

  lower(caller: Caller<HttpContext>): readonly WasmValue[] {
    this.outcome = undefined;
    const request = new IncomingRequest(this, this.#body);
    return this.#handler.lower(caller, [request, new ResponseOutparam(this)]);
  }

  lift(caller: Caller<HttpContext>, result: WasmValue): void {
    this.#handler.lift(caller, result);
  }

  receive(outcome: ResponseOutcome): void {
    this.outcome = outcome;
    this.onOutcome?.();
  }

  /** Ends what the guest, which has returned, has not finished of its answer. */
  close(): void {
    if (this.outcome?.tag === "ok") this.outcome.val.takenBody?.close();
  }

  /** Breaks off what the guest has not finished of its answer; false: there is nothing of the kind. */
  breakOff(error: unknown): boolean {
    const pipe = this.outcome?.tag === "ok" ? this.outcome.val.takenBody?.pipe : undefined;
    if (!pipe || pipe.isClosed) return false;
    pipe.fail(error instanceof Error ? error : new Error(String(error)));
    return true;
  }
}
