// Brings each request to what answers it, and the reply back, within the limits.
//
// The straight path: route, take a place, execute, reply. A request without a body whose executor
// answers at once takes it within one call, without a promise, a timer or a listener. All else makes
// the request its connection's current one, and requests sent ahead on that connection wait for it.

import { BytePipe } from "../../bytes/mod.ts";
import { SlotsExhaustedError, TrapError } from "../../engine/mod.ts";
import { Admission, type Lane } from "./admission.ts";
import type { Arrival, Connection } from "./connection.ts";
import { Deadlines } from "./deadlines.ts";
import { Exchange, type Task } from "./exchange.ts";
import type { ExecutorLimits, HttpExecutor, HttpReply } from "./executor.ts";
import { describeCause, describeFailure, type HttpLogEntry } from "./failure.ts";
import type { HttpLimits } from "./limits.ts";
import { Refusals } from "./refusals.ts";
import { isPiecewise, isWhole, type PiecewiseReply, sendReply, type WholeReply } from "./reply.ts";
import { collectBody, discardBody, openBody } from "./request-body.ts";
import { isAuthority, parseTarget } from "./request-target.ts";
import type { Route } from "./route.ts";
import { RESERVED_PREFIX, type Router } from "./router.ts";
import { streamReply } from "./stream-reply.ts";

/** What answers a route: an executor, or a reply that is always the same. */
export type Answer =
  | { readonly kind: "executor"; readonly executor: HttpExecutor }
  | { readonly kind: "static"; readonly reply: WholeReply };

export interface DispatcherOptions {
  readonly router: Router;
  /** One for each route of the router. */
  readonly answers: ReadonlyMap<Route, Answer>;
  /** Replies below the reserved prefix, by the rest of the path. */
  readonly wellKnown: ReadonlyMap<string, WholeReply>;
  readonly limits: HttpLimits;
  /** Tells clients why their request failed, in the body. */
  readonly debug: boolean;
  readonly log: (entry: HttpLogEntry) => void;
}

/** What is in progress; all zero when nothing is. */
export interface DispatcherCounts {
  /** Requests that executors work on; also those that nobody waits for any more. */
  readonly active: number;
  readonly waiting: number;
  readonly heldBodyBytes: number;
  /** Requests that have a deadline running. */
  readonly timed: number;
}

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #limits: HttpLimits;
  readonly #admission: Admission<Exchange>;
  readonly #endpoints = new Map<Route, Endpoint>();
  readonly #receiving: Deadlines<Exchange>;
  readonly #waiting: Deadlines<Exchange>;
  /** By their duration: components may have times of their own. */
  readonly #working = new Map<number, Deadlines<Exchange>>();
  /** Those whose reply is given, and whose executor is still at work. */
  readonly #trailing = new Map<number, Deadlines<Exchange>>();
  readonly #refusals: Refusals;
  #heldBodyBytes = 0;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: DispatcherOptions) {
    const { limits } = options;
    this.#options = options;
    this.#limits = limits;
    this.#admission = new Admission(limits, (exchange) => this.#admitted(exchange));
    this.#receiving = new Deadlines(limits.bodyTimeMs, (exchange) => this.#refuse(exchange, BODY_TOO_SLOW));
    this.#waiting = new Deadlines(limits.waitTimeMs, (exchange) => this.#waitedTooLong(exchange));
    this.#refusals = new Refusals(options.log);
    this.#createEndpoints();
  }

  get counts(): DispatcherCounts {
    const deadlines = [this.#receiving, this.#waiting, ...this.#working.values(), ...this.#trailing.values()];
    return {
      active: this.#admission.active,
      waiting: this.#admission.waiting,
      heldBodyBytes: this.#heldBodyBytes,
      timed: deadlines.reduce((sum, { size }) => sum + size, 0),
    };
  }

  /** Waits until no executor is at work. */
  async idle(): Promise<void> {
    if (this.#admission.active === 0) return;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
  }

  /** Ends executors that are still at work though their reply is given. */
  endTrailing(reason: string): void {
    for (const trailing of this.#trailing.values())
      for (const exchange of trailing.clear()) exchange.abort(new Error(reason));
  }

  /** Takes a request whose head has arrived. */
  receive(connection: Connection<Exchange>, arrival: Arrival): void {
    connection.requests++;
    if (connection.farewell !== undefined) return;
    if (connection.current === undefined) this.#serve(connection, arrival);
    else if (connection.ahead.length < this.#limits.pipelinedMax) connection.ahead.push(arrival);
    else connection.socket.destroy();
  }

  /** Ends what is in progress on a connection that is closed or about to be. */
  cutOff(connection: Connection<Exchange>, reason: string): void {
    const exchange = connection.current;
    connection.current = undefined;
    connection.ahead.length = 0;
    if (exchange === undefined || exchange.phase === "over") return;
    const wasWorking = exchange.phase === "working" || exchange.phase === "sending";
    this.#forget(exchange);
    if (!wasWorking) this.#release(exchange);
    exchange.phase = "over";
    exchange.abort(new Error(reason));
    exchange.onCut?.();
  }

  /** Ends the request whose body cannot be parsed, and says whether it was one. */
  breakOff(connection: Connection<Exchange>): boolean {
    const exchange = connection.current;
    if (exchange === undefined || exchange.incoming.complete) return false;
    const wasWorking = exchange.phase === "working";
    exchange.abort(new Error("the body is malformed"));
    if (exchange.phase === "sending" || exchange.phase === "over") connection.socket.destroy();
    else if (wasWorking) this.#reply(exchange, BAD_REQUEST);
    else this.#refuse(exchange, BAD_REQUEST);
    return true;
  }

  #serve(connection: Connection<Exchange>, arrival: Arrival): void {
    const target = parseTarget(arrival.incoming.url ?? "");
    const exchange = new Exchange(connection, arrival, target);
    const { path, rawHeaders } = exchange;
    if (target === undefined) this.#reply(exchange, BAD_REQUEST);
    else if (rawHeaders.length > 2 * this.#limits.headersMax) this.#reply(exchange, HEAD_TOO_LARGE);
    else if (path.startsWith(RESERVED_PREFIX)) this.#replyReserved(exchange);
    else this.#route(exchange);
  }

  #replyReserved(exchange: Exchange): void {
    const name = exchange.path.slice(RESERVED_PREFIX.length);
    this.#reply(exchange, this.#options.wellKnown.get(name) ?? NOT_FOUND);
  }

  #route(exchange: Exchange): void {
    const match = this.#options.router.match(exchange.path);
    if (match === undefined) {
      this.#reply(exchange, NOT_FOUND);
      return;
    }
    const endpoint = this.#endpointOf(match.route);
    if (!isAuthority(exchange.authority)) this.#reply(exchange, NO_HOST);
    else if (endpoint.kind === "static") this.#reply(exchange, endpoint.reply);
    else {
      const { executor, lane, working, trailing } = endpoint;
      this.#assign(exchange, { executor, lane, working, trailing, match });
    }
  }

  #assign(exchange: Exchange, task: Task): void {
    exchange.task = task;
    if (!exchange.hasBody) this.#admit(exchange, task);
    else if (task.executor.bodyMode === "buffered") this.#collect(exchange, task);
    else this.#open(exchange, task);
  }

  #open(exchange: Exchange, task: Task): void {
    this.#hold(exchange, "receiving");
    openBody(exchange, {
      stallTimeMs: this.#limits.stallTimeMs,
      opened: (body) => {
        if (exchange.phase !== "receiving") return;
        exchange.bodyPipe = body;
        this.#admit(exchange, task);
      },
    });
  }

  #collect(exchange: Exchange, task: Task): void {
    const { bodyBytesMax, heldBodyBytesMax } = this.#limits;
    if ((exchange.declaredBytes ?? 0) > bodyBytesMax) {
      this.#reply(exchange, BODY_TOO_LARGE);
      return;
    }
    this.#hold(exchange, "receiving");
    this.#receiving.add(exchange);
    exchange.invite();
    collectBody(exchange, {
      accept: (bytes) => {
        exchange.heldBytes += bytes;
        this.#heldBodyBytes += bytes;
        if (exchange.heldBytes > bodyBytesMax) this.#refuse(exchange, BODY_TOO_LARGE);
        else if (this.#heldBodyBytes > heldBodyBytesMax)
          this.#refuseForNow(exchange, `bodies of ${heldBodyBytesMax} bytes are held already`);
        return exchange.phase === "receiving";
      },
      done: (body) => {
        this.#receiving.delete(exchange);
        exchange.body = body;
        this.#admit(exchange, task);
      },
    });
  }

  #admit(exchange: Exchange, task: Task): void {
    if (this.#admission.enter(task.lane)) {
      this.#work(exchange, task);
      return;
    }
    const refused = this.#admission.wait(task.lane, exchange);
    if (refused !== exchange) {
      this.#hold(exchange, "waiting");
      this.#waiting.add(exchange);
    }
    if (refused !== undefined) this.#refuseForNow(refused, "as many wait as may");
  }

  /** Starts a request that waited; its place has been taken for it. */
  #admitted(exchange: Exchange): void {
    this.#waiting.delete(exchange);
    if (exchange.task !== undefined) this.#work(exchange, exchange.task);
  }

  #work(exchange: Exchange, task: Task): void {
    exchange.phase = "working";
    let reply: HttpReply | Promise<HttpReply>;
    try {
      reply = this.#execute(exchange, task);
    } catch (error) {
      this.#leave(exchange, task);
      this.#fail(exchange, error);
      return;
    }
    if (reply instanceof Promise) this.#await(exchange, task, reply);
    else this.#answer(exchange, task, reply);
  }

  #execute(exchange: Exchange, { executor, match }: Task): HttpReply | Promise<HttpReply> {
    if (executor.bodyMode === "buffered") return executor.execute(exchange, match, exchange.body);
    return executor.execute(exchange, match, exchange.bodyPipe ?? EMPTY_BODY);
  }

  #await(exchange: Exchange, task: Task, reply: Promise<HttpReply>): void {
    this.#hold(exchange, "working");
    task.working.add(exchange);
    reply.then(
      (value) => {
        task.working.delete(exchange);
        this.#answer(exchange, task, value);
      },
      (error) => {
        task.working.delete(exchange);
        this.#leave(exchange, task);
        this.#fail(exchange, error);
      },
    );
  }

  #answer(exchange: Exchange, task: Task, reply: HttpReply): void {
    if (isPiecewise(reply)) {
      this.#stream(exchange, task, reply);
    } else if (isWhole(reply)) {
      this.#leaveAfter(exchange, task, reply);
      this.#reply(exchange, reply);
    }
  }

  /** Gives up the place of a request whose reply is given, once its executor has nothing more to do. */
  #leaveAfter(exchange: Exchange, task: Task, { afterwards }: HttpReply): void {
    if (afterwards === undefined) {
      this.#leave(exchange, task);
      return;
    }
    task.trailing.add(exchange);
    const leave = () => {
      task.trailing.delete(exchange);
      this.#leave(exchange, task);
    };
    afterwards.then(leave, (error) => {
      leave();
      if (!exchange.isAborted) this.#logFailure(exchange, error);
    });
  }

  #logFailure(exchange: Exchange, error: unknown): void {
    this.#options.log({ severity: "error", message: describeFailure(exchange, error) });
  }

  #trailedTooLong(exchange: Exchange): void {
    const { afterReplyTimeMs = this.#limits.afterReplyTimeMs } = exchange.task?.executor.limits ?? {};
    const error = new Error(`it went on for more than ${afterReplyTimeMs} ms after its reply`);
    this.#logFailure(exchange, error.message);
    exchange.abort(error);
  }

  /** The place is held until the last byte is taken: the executor is at work as long. */
  #stream(exchange: Exchange, task: Task, reply: PiecewiseReply): void {
    if (exchange.phase !== "over") this.#hold(exchange, "working");
    streamReply(exchange, reply, this.#limits).then(
      () => {
        this.#leaveAfter(exchange, task, reply);
        if (exchange.phase !== "over") this.#finish(exchange);
      },
      (error) => {
        this.#leaveAfter(exchange, task, reply);
        this.#fail(exchange, error);
      },
    );
  }

  /** Answers a request that failed, if anybody still waits for it. */
  #fail(exchange: Exchange, error: unknown): void {
    // What was told to stop has stopped; how, does not matter.
    if (exchange.isAborted) return;
    if (error instanceof SlotsExhaustedError) {
      this.#refusals.add(error.message);
      this.#reply(exchange, this.#explained(BUSY, error.message));
      return;
    }
    this.#logFailure(exchange, error);
    // A reply that has begun can only be cut short.
    if (exchange.phase === "sending") this.#cutShort(exchange);
    else this.#reply(exchange, this.#explained(isOverdue(error) ? TOO_SLOW : FAILED, describeCause(error)));
  }

  /** The reply as clients get it; only for those who debug it says why. */
  #explained(reply: WholeReply, reason: string): WholeReply {
    if (!this.#options.debug) return reply;
    const headers = [...reply.headers, "content-type", "text/plain; charset=utf-8"];
    return { ...reply, headers, body: Buffer.from(`${reason}\n`) };
  }

  /** Sends what there is of a reply, and closes the connection without its end. */
  #cutShort(exchange: Exchange): void {
    const { connection, response } = exchange;
    exchange.phase = "over";
    connection.current = undefined;
    response.uncork();
    connection.part();
  }

  #waitedTooLong(exchange: Exchange): void {
    if (exchange.task !== undefined) this.#admission.cancel(exchange.task.lane, exchange);
    this.#refuseForNow(exchange, `they waited for ${this.#limits.waitTimeMs} ms`);
  }

  /** Answers in the executor's place. Its own place it keeps until it has ended. */
  #workedTooLong(exchange: Exchange): void {
    const limits = exchange.task?.executor.limits;
    const error = new Error(`it took longer than ${limits?.wallTimeMs ?? this.#limits.requestTimeMs} ms`);
    this.#logFailure(exchange, error.message);
    exchange.abort(error);
    this.#reply(exchange, this.#explained(TOO_SLOW, error.message));
  }

  /** Refuses a request that might be taken later. */
  #refuseForNow(exchange: Exchange, reason: string): void {
    this.#refusals.add(reason);
    this.#refuse(exchange, this.#explained(BUSY, reason));
  }

  /** Answers a request that has not come to an executor. */
  #refuse(exchange: Exchange, reply: WholeReply): void {
    this.#forget(exchange);
    this.#release(exchange);
    this.#reply(exchange, reply);
  }

  #reply(exchange: Exchange, reply: WholeReply): void {
    if (exchange.phase === "over") return;
    try {
      sendReply(exchange, reply);
    } catch (error) {
      this.#fail(exchange, error);
      return;
    }
    this.#finish(exchange);
  }

  /** Ends an exchange whose reply is given in full, though the client may still have to take it. */
  #finish(exchange: Exchange): void {
    const { connection, response } = exchange;
    exchange.phase = "over";
    exchange.bodyPipe?.fail(REPLY_GIVEN);
    exchange.bodyPipe?.cancel();
    if (exchange.hasBody && !exchange.incoming.complete) discardBody(exchange);
    if (connection.socket.writableLength === 0) {
      this.#next(exchange);
      return;
    }
    connection.current = exchange;
    const { promise, resolve } = Promise.withResolvers<void>();
    response.once("close", resolve);
    void connection.expect(promise, this.#limits.stallTimeMs).then(() => this.#next(exchange));
  }

  /** Goes on with what the client has sent ahead. */
  #next({ connection }: Exchange): void {
    connection.current = undefined;
    if (connection.isClosing) drop(connection);
    while (connection.ahead.length > 0 && connection.current === undefined) {
      const arrival = connection.ahead.shift();
      if (arrival !== undefined) this.#serve(connection, arrival);
    }
    if (connection.current === undefined && connection.farewell !== undefined) connection.close();
  }

  #hold(exchange: Exchange, phase: "receiving" | "waiting" | "working"): void {
    exchange.phase = phase;
    exchange.connection.current = exchange;
  }

  /** Stops all clocks, and gives up the place in the queue. */
  #forget(exchange: Exchange): void {
    this.#receiving.delete(exchange);
    this.#waiting.delete(exchange);
    exchange.task?.working.delete(exchange);
    if (exchange.task !== undefined) this.#admission.cancel(exchange.task.lane, exchange);
  }

  #leave(exchange: Exchange, task: Task): void {
    this.#admission.leave(task.lane);
    if (exchange.heldBytes > 0) this.#release(exchange);
    if (this.#idle !== undefined && this.#admission.active === 0) this.#idle.resolve();
  }

  #release(exchange: Exchange): void {
    this.#heldBodyBytes -= exchange.heldBytes;
    exchange.heldBytes = 0;
  }

  #endpointOf(route: Route): Endpoint {
    const endpoint = this.#endpoints.get(route);
    if (endpoint === undefined) throw new Error(`route "${route.text}" has no endpoint`);
    return endpoint;
  }

  /** Routes of one component share a lane. */
  #createEndpoints(): void {
    const lanes = new Map<string | undefined, Lane<Exchange>>();
    for (const [route, answer] of this.#options.answers) {
      if (answer.kind === "static") {
        this.#endpoints.set(route, answer);
        continue;
      }
      const {
        wallTimeMs = this.#limits.requestTimeMs,
        afterReplyTimeMs = this.#limits.afterReplyTimeMs,
        weight = 1,
      }: Partial<ExecutorLimits> = answer.executor.limits ?? {};
      const lane = lanes.get(route.componentId) ?? this.#admission.createLane(weight);
      lanes.set(route.componentId, lane);
      this.#endpoints.set(route, {
        ...answer,
        lane,
        working: shared(this.#working, wallTimeMs, (exchange) => this.#workedTooLong(exchange)),
        trailing: shared(this.#trailing, afterReplyTimeMs, (exchange) => this.#trailedTooLong(exchange)),
      });
    }
  }
}

/** The deadlines of that length, which all components that have it share. */
function shared(
  all: Map<number, Deadlines<Exchange>>,
  durationMs: number,
  expire: (exchange: Exchange) => void,
): Deadlines<Exchange> {
  const deadlines = all.get(durationMs) ?? new Deadlines<Exchange>(durationMs, expire);
  all.set(durationMs, deadlines);
  return deadlines;
}

type Endpoint =
  | (Answer & { readonly kind: "executor" } & Pick<Task, "lane" | "trailing" | "working">)
  | (Answer & { readonly kind: "static" });

/** Takes no more of what the client sends. */
function drop(connection: Connection<Exchange>): void {
  connection.ahead.length = 0;
  connection.part();
}

/** Ended: nobody can change it. */
const EMPTY_BODY = BytePipe.of(new Uint8Array(0));

function empty(status: number, ...headers: string[]): WholeReply {
  return { status, headers, body: undefined };
}

/** For whoever still reads the body then. */
const REPLY_GIVEN = new Error("the reply is given, and the rest of the body is not read");

const BAD_REQUEST = empty(400, "connection", "close");
/** RFC 9112, 3.2. */
const NO_HOST: WholeReply = {
  status: 400,
  headers: ["content-type", "text/plain; charset=utf-8", "connection", "close"],
  body: Buffer.from("The request names no host, or none that is valid: it needs one `Host` header\n"),
};
const NOT_FOUND = empty(404);
const BODY_TOO_SLOW = empty(408, "connection", "close");
const BODY_TOO_LARGE = empty(413);
const HEAD_TOO_LARGE = empty(431, "connection", "close");
const FAILED = empty(500);
const BUSY = empty(503, "retry-after", "1");
const TOO_SLOW = empty(504);

/** Whether a guest was ended because its time was up. */
function isOverdue(error: unknown): boolean {
  return error instanceof TrapError && error.reason === "deadline";
}
