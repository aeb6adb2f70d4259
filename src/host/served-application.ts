// A loaded Application, served over HTTP: runtime, executors, network and listener put together.
//
// What the command line starts, and what a test starts in its own process.

import type { EngineOptions } from "../engine/mod.ts";
import { SpindleError } from "../errors/mod.ts";
import type { Application, ComponentLimits } from "../manifest/mod.ts";
import {
  BlockedNetworks,
  OutboundHttp,
  OutboundNetwork,
  OutboundSockets,
  readAllowedHosts,
} from "../outbound/mod.ts";
import type { WholeFiles } from "../paths/mod.ts";
import { ApplicationVariables, Builder, type ExecutionContext, environmentProvider } from "../runtime/mod.ts";
import {
  createChain,
  createExecutors,
  describeFailure,
  type HttpExecutor,
  type HttpLimits,
  type HttpLogEntry,
  type HttpRequest,
  HttpTrigger,
  type ListedRoute,
  type ListenAddress,
  type StopOptions,
  type TlsFiles,
} from "../trigger/mod.ts";
import { type Clock, type RandomSource, systemClock, systemRandom } from "../wasi/mod.ts";
import { preparationNotes } from "./preparation-notes.ts";

/** Takes what a guest prints; copies what it keeps. */
export interface OutputSink {
  write(bytes: Uint8Array): void;
}

/** What guests may do beyond what the manifest grants or denies each. */
export interface OutboundOptions {
  /** Networks that no guest may reach, as CIDR; "private" stands for all that is not globally routable. */
  readonly blockNetworks?: readonly string[];
  /** Most time to connect, to the first byte, and between two pieces of the answer. */
  readonly timeoutMs?: number;
}

export interface ServeOptions {
  readonly listen: ListenAddress;
  /** Tries the following ports too if the one in `listen` is taken. */
  readonly findFreePort?: boolean;
  /** Lets other threads of this process listen on the same port, as far as the system has that. */
  readonly reusePort?: boolean;
  readonly tls?: TlsFiles;
  readonly limits?: Partial<HttpLimits>;
  /** Limits of components whose manifest does not say otherwise. */
  readonly componentLimits?: Partial<ComponentLimits>;
  /** Most bytes of all memories of guests together; half of the machine's memory by default. */
  readonly totalMemoryBytesMax?: number;
  /** Tells clients why their request failed, in the body of the answer. */
  readonly debug?: boolean;
  /** Where variables get their values: `SPIN_VARIABLE_GREETING` is that of `greeting`. Empty by default. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Whoever has read the modules when the application was loaded. */
  readonly binaries?: WholeFiles;
  /** Where modules made ready are kept for the next start; nowhere by default. */
  readonly cacheDirectory?: string;
  readonly outbound?: OutboundOptions;
  /** Told before each component is made ready: for those who watch. */
  preparing?(componentId: string, of: { readonly number: number; readonly count: number }): void;
  /** What this thread has of what a process has once. */
  readonly engine?: Pick<EngineOptions, "compiledModules" | "memoriesMax">;
  /** Where a component's output goes. */
  output(componentId: string): { readonly stdout: OutputSink; readonly stderr: OutputSink };
  /** What the operator should read: a request that failed, a guest that was denied something. */
  log(entry: HttpLogEntry): void;
  /** Of this machine by default. */
  readonly clock?: Clock;
  readonly random?: RandomSource;
}

export class ServedApplication implements AsyncDisposable {
  readonly application: Application;
  readonly #trigger: HttpTrigger;
  readonly #context: ExecutionContext<HttpRequest>;
  readonly #network: OutboundNetwork;

  private constructor(parts: {
    readonly application: Application;
    readonly trigger: HttpTrigger;
    readonly context: ExecutionContext<HttpRequest>;
    readonly network: OutboundNetwork;
  }) {
    this.application = parts.application;
    this.#trigger = parts.trigger;
    this.#context = parts.context;
    this.#network = parts.network;
  }

  /**
   * Compiles and links the components of all HTTP triggers, then listens.
   *
   * @throws SpindleError with everything that is wrong; nothing is left open then
   */
  static async start(application: Application, options: ServeOptions): Promise<ServedApplication> {
    checkTriggers(application);
    await using owned = new AsyncDisposableStack();
    const network = owned.use(createNetwork(options));
    const context = owned.use(await createBuilder(application, network, options).build());
    for (const { message, code } of context.warnings)
      options.log({ severity: "warning", message: `${message} [${code}]` });
    for (const message of preparationNotes(context.preparations, options))
      options.log({ severity: "note", message });
    const executors = await createExecutors(
      { context },
      application.triggers.filter(({ type }) => type === "http"),
    );
    const trigger = owned.use(await HttpTrigger.start({ ...options, application, executors }));
    network.attach({
      origin: originOf(trigger),
      chain: createChain({
        executorOf: (componentId) => executorOf(application, executors, componentId),
        failed: (request, error) =>
          options.log({ severity: "error", message: describeFailure(request, error) }),
      }),
    });
    owned.move();
    return new ServedApplication({ application, trigger, context, network });
  }

  /** `http://127.0.0.1:3000`, with the port that was taken. */
  get url(): string {
    return this.#trigger.url;
  }

  /** In the order of matching. */
  get routes(): readonly ListedRoute[] {
    return this.#trigger.routes;
  }

  get trigger(): HttpTrigger {
    return this.#trigger;
  }

  get context(): ExecutionContext<HttpRequest> {
    return this.#context;
  }

  /** Stops listening, lets requests in flight finish as far as `options` allow, and lets go of everything. */
  async stop(options: StopOptions = {}): Promise<void> {
    await this.#trigger.stop(options);
    await this.#context.engine.kept();
    this.#context[Symbol.dispose]();
    this.#network[Symbol.dispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop({ graceMs: 0 });
  }
}

function checkTriggers({ triggers }: Application): void {
  if (triggers.length === 0)
    throw new SpindleError("TRIGGER_MISSING", "Cannot run the application: it has no triggers");
  const others = new Set(triggers.map(({ type }) => type).filter((type) => type !== "http"));
  if (others.size === 0) return;
  const names = [...others].map((type) => `"${type}"`).join(", ");
  throw new SpindleError(
    "TRIGGER_UNSUPPORTED",
    `Cannot run the application: it has triggers of type ${names}, and this version has "http"`,
    { hint: "Run only components with HTTP triggers: `--component-id ID`." },
  );
}

function createNetwork({ log, outbound = {} }: ServeOptions): OutboundNetwork {
  const { blockNetworks, timeoutMs } = outbound;
  return new OutboundNetwork({
    report: (message) => log({ severity: "warning", message }),
    ...(blockNetworks !== undefined && { blocked: blockedNetworks(blockNetworks) }),
    ...(timeoutMs !== undefined && {
      timeouts: { connectMs: timeoutMs, firstByteMs: timeoutMs, betweenBytesMs: timeoutMs },
    }),
  });
}

/** @throws SpindleError OUTBOUND_NETWORK_INVALID */
export function blockedNetworks(names: readonly string[]): BlockedNetworks {
  const networks = names.filter((name) => name !== "private");
  return new BlockedNetworks({ networks, private: networks.length < names.length });
}

function createBuilder(
  application: Application,
  network: OutboundNetwork,
  options: ServeOptions,
): Builder<HttpRequest> {
  const componentIds = application.components.map(({ id }) => id);
  const variables = new ApplicationVariables(application, [environmentProvider(options.environment ?? {})]);
  variables.check();
  const variable = (name: string) => variables.get(name);
  return new Builder<HttpRequest>({
    application,
    variables,
    ...(options.binaries && { binaries: options.binaries }),
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    engine: {
      ...options.engine,
      ...(options.cacheDirectory !== undefined && { cacheDirectory: options.cacheDirectory }),
      ...(options.totalMemoryBytesMax !== undefined && { memoryBytesMax: options.totalMemoryBytesMax }),
    },
    limits: {
      ...(options.limits?.requestTimeMs !== undefined && { wallTimeMs: options.limits.requestTimeMs }),
      ...(options.limits?.afterReplyTimeMs !== undefined && {
        afterReplyTimeMs: options.limits.afterReplyTimeMs,
      }),
      ...options.componentLimits,
    },
    output(componentId) {
      const { stdout, stderr } = options.output(componentId);
      return { stdout: shown(stdout), stderr: shown(stderr) };
    },
    ...(options.preparing && { preparing: options.preparing }),
    outbound(component) {
      const allowedHosts = readAllowedHosts(component, { componentIds, variable });
      return new OutboundHttp(network, { id: component.id, allowedHosts });
    },
    sockets(component) {
      const allowedHosts = readAllowedHosts(component, { componentIds, variable });
      return new OutboundSockets(network, { id: component.id, allowedHosts });
    },
  });
}

/** A sink whose bytes the world sees at once: what is printed in first gear has to wait. */
function shown(sink: OutputSink): { readonly held: false; write(bytes: Uint8Array): void } {
  return { held: false, write: (bytes) => sink.write(bytes) };
}

/** The last trigger of a component says how it is called, whether that has a route or not. */
function executorOf(
  application: Application,
  executors: ReadonlyMap<string, HttpExecutor>,
  componentId: string,
): HttpExecutor | undefined {
  const trigger = application.triggers.findLast((candidate) => candidate.componentId === componentId);
  return trigger && executors.get(trigger.id);
}

/** Where this process reaches its own listener, also if that listens on all addresses. */
function originOf({ url, address }: HttpTrigger): string {
  const loopback = { "0.0.0.0": "127.0.0.1", "::": "[::1]" }[address.host];
  if (loopback === undefined) return url;
  const own = new URL(url);
  own.hostname = loopback;
  return own.origin;
}
