// The HTTP trigger: listens, and turns requests into calls of executors.
//
// Everything that can be wrong with routes, files or the address is found before the first connection.

import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { SpindleError } from "../../errors/mod.ts";
import type { Application } from "../../manifest/mod.ts";
import { type Answer, Dispatcher, type DispatcherCounts } from "./dispatcher.ts";
import type { HttpExecutor } from "./executor.ts";
import type { HttpLogEntry } from "./failure.ts";
import { type HttpTriggerTable, readHttpTriggers, routeBase } from "./http-triggers.ts";
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from "./limits.ts";
import { bind, formatAddress, type ListenAddress } from "./listen-address.ts";
import { Listener, type ListenerOptions, type TlsIdentity } from "./listener.ts";
import type { WholeReply } from "./reply.ts";
import type { Route } from "./route.ts";
import type { ListedRoute, Serving } from "./route-list.ts";
import { RESERVED_PREFIX, Router } from "./router.ts";

export interface HttpTriggerOptions {
  readonly application: Application;
  /** By trigger id: one for each HTTP trigger that has a component. */
  readonly executors: ReadonlyMap<string, HttpExecutor>;
  readonly listen: ListenAddress;
  /** Tries the following ports too if the one in `listen` is taken. */
  readonly findFreePort?: boolean;
  /** Lets other threads of this process listen on the same port, as far as the system has that. */
  readonly reusePort?: boolean;
  readonly tls?: TlsFiles;
  readonly limits?: Partial<HttpLimits>;
  /** Tells clients why their request failed, in the body of the answer. */
  readonly debug?: boolean;
  readonly log: (entry: HttpLogEntry) => void;
}

/** Paths of PEM files. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

export interface StopOptions {
  /** How long requests in flight may still take. */
  readonly graceMs?: number;
  /** Aborted when there is no time to wait any more. */
  readonly signal?: AbortSignal;
}

/** What is open and in progress; all zero when nothing is. */
export interface HttpTriggerCounts extends DispatcherCounts {
  readonly connections: number;
}

const GRACE_MS = 10_000;
/** How long guests that were told to end may take for it. */
const ENDING_MS = 1000;

export class HttpTrigger implements Serving, AsyncDisposable {
  readonly url: string;
  readonly address: ListenAddress;
  readonly routes: readonly ListedRoute[];
  readonly #listener: Listener;
  readonly #dispatcher: Dispatcher;

  private constructor(serving: Serving, parts: { listener: Listener; dispatcher: Dispatcher }) {
    this.url = serving.url;
    this.address = serving.address;
    this.routes = serving.routes;
    this.#listener = parts.listener;
    this.#dispatcher = parts.dispatcher;
  }

  /**
   * Starts to listen.
   *
   * @throws SpindleError MANIFEST_ROUTE_INVALID, HTTP_TRIGGER_INVALID, TLS_FILES_UNUSABLE, PORT_IN_USE,
   * PORTS_ALL_IN_USE or LISTEN_FAILED
   */
  static async start(options: HttpTriggerOptions): Promise<HttpTrigger> {
    const { application, log } = options;
    const tables = readHttpTriggers(application);
    const router = createRouter(application, tables);
    warnOfUnreachable(router, log);
    const limits = { ...DEFAULT_HTTP_LIMITS, ...options.limits };
    const dispatcher = new Dispatcher({
      router,
      answers: findAnswers(router, tables, options.executors),
      wellKnown: wellKnownReplies(application),
      limits,
      debug: options.debug ?? false,
      log,
    });
    const listener = await createListener(dispatcher, options.tls, { limits, log });
    const address = await bind(listener.server, options.listen, options);
    const url = `${listener.scheme}://${formatAddress(address)}`;
    const routes = listRoutes(application, router);
    return new HttpTrigger({ url, address, routes }, { listener, dispatcher });
  }

  get counts(): HttpTriggerCounts {
    return { connections: this.#listener.connections, ...this.#dispatcher.counts };
  }

  /**
   * Stops listening, closes idle connections at once, and the others when their request is answered.
   * Called a second time, or when `signal` aborts, or when the grace is over, it closes them all, and
   * guests are told; for them to end it waits a moment longer.
   */
  async stop({ graceMs = GRACE_MS, signal }: StopOptions = {}): Promise<void> {
    await this.#listener.drain({ graceMs, signal });
    this.#dispatcher.endTrailing("the server is stopping");
    await Promise.race([this.#dispatcher.idle(), sleep(ENDING_MS, undefined, { ref: false })]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop({ graceMs: 0 });
  }
}

function createRouter(application: Application, tables: readonly HttpTriggerTable[]): Router {
  const base = routeBase(application);
  const sources = tables.flatMap(({ id, componentId, route }) =>
    route === undefined ? [] : [{ triggerId: id, componentId, text: route, base }],
  );
  return new Router(sources);
}

function warnOfUnreachable(router: Router, log: HttpTriggerOptions["log"]): void {
  for (const { replaced, effective } of router.duplicates) {
    const reason =
      replaced.text === effective.text
        ? `${nameOf(effective)} has it too`
        : `"${effective.text}" of ${nameOf(effective)} takes the same requests`;
    const message = `Route "${replaced.text}" of ${nameOf(replaced)} is never used: ${reason}`;
    log({ severity: "warning", message });
  }
  for (const route of router.routes) {
    if (!route.matched.startsWith(RESERVED_PREFIX)) continue;
    const message = `Route "${route.text}" of ${nameOf(route)} is never used: Spindle answers below ${RESERVED_PREFIX}`;
    log({ severity: "warning", message });
  }
}

function nameOf({ componentId, triggerId }: Route): string {
  return componentId === undefined ? `trigger "${triggerId}"` : `component "${componentId}"`;
}

/** Of several triggers of one component the last one's executor serves all, as in Spin. */
function findAnswers(
  router: Router,
  tables: readonly HttpTriggerTable[],
  executors: ReadonlyMap<string, HttpExecutor>,
): ReadonlyMap<Route, Answer> {
  const byTrigger = new Map(tables.map((table) => [table.id, table]));
  const lastTrigger = new Map(tables.map(({ componentId, id }) => [componentId, id]));
  return new Map(
    router.routes.map((route): [Route, Answer] => {
      const reply = byTrigger.get(route.triggerId)?.staticReply;
      if (reply !== undefined) return [route, { kind: "static", reply }];
      const executor = executors.get(lastTrigger.get(route.componentId) ?? route.triggerId);
      if (executor === undefined) throw new Error(`trigger "${route.triggerId}" has no executor`);
      return [route, { kind: "executor", executor }];
    }),
  );
}

function wellKnownReplies({ metadata }: Application): ReadonlyMap<string, WholeReply> {
  const { name, version } = metadata;
  const info = JSON.stringify({ name, ...(version !== "" && { version }) }, undefined, 2);
  return new Map([
    ["health", { status: 200, headers: [], body: Buffer.from("OK") }],
    ["info", { status: 200, headers: ["content-type", "application/json"], body: Buffer.from(info) }],
  ]);
}

async function createListener(
  dispatcher: Dispatcher,
  files: TlsFiles | undefined,
  options: Omit<ListenerOptions, "tls">,
): Promise<Listener> {
  if (files === undefined) return new Listener(dispatcher, { ...options, tls: undefined });
  const tls = { cert: await readPem(files.certificate), key: await readPem(files.key) };
  try {
    return new Listener(dispatcher, { ...options, tls });
  } catch (cause) {
    throw tlsUnusable(`"${files.certificate}" and "${files.key}": they are not a pair of PEM files`, cause);
  }
}

async function readPem(path: string): Promise<TlsIdentity["cert"]> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw tlsUnusable(`"${path}": it cannot be read`, cause);
  }
}

function tlsUnusable(found: string, cause: unknown): SpindleError {
  return new SpindleError("TLS_FILES_UNUSABLE", `Cannot serve HTTPS with ${found}`, { cause });
}

function listRoutes(application: Application, router: Router): ListedRoute[] {
  const descriptions = new Map(application.components.map(({ id, description }) => [id, description]));
  return router.routes.map(({ componentId, triggerId, listed, isWildcard }) => ({
    id: componentId ?? triggerId,
    path: listed,
    isWildcard,
    description: (componentId !== undefined && descriptions.get(componentId)) || "",
  }));
}
