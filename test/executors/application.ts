// An application of committed guests with its executors, for tests without a listener.

import { join } from "node:path";
import type { EngineOptions } from "../../src/engine/mod.ts";
import type { Component, ComponentLimits, Trigger } from "../../src/manifest/mod.ts";
import {
  OutboundHttp,
  OutboundNetwork,
  type OutboundNetworkOptions,
  readAllowedHosts,
} from "../../src/outbound/mod.ts";
import { Builder, type ExecutionContext } from "../../src/runtime/mod.ts";
import type { HttpExecutor, HttpReply, HttpRequest } from "../../src/trigger/http/executor.ts";
import { createChain } from "../../src/trigger/http/executors/chain.ts";
import { createExecutors } from "../../src/trigger/http/executors/create-executors.ts";
import { createRoute } from "../../src/trigger/http/route.ts";
import { systemClock, systemRandom } from "../../src/wasi/mod.ts";

export interface GuestOptions {
  /** Below `guests/`, without `.wasm`; or an absolute path. */
  readonly source: string;
  readonly executor?: NonNullable<Trigger["options"]["executor"]>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly allowedHosts?: readonly string[];
  readonly tool?: Component["tool"];
}

export interface ApplicationOptions {
  readonly network?: Omit<OutboundNetworkOptions, "report">;
  readonly engine?: EngineOptions;
  readonly limits?: Partial<ComponentLimits>;
}

export interface TestReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface TestRequest {
  readonly method?: string;
  readonly headers?: readonly string[];
  readonly body?: string | Uint8Array;
  /** The route of the trigger that matched. */
  readonly route?: string;
  readonly pathInfo?: string;
  readonly params?: readonly (readonly [string, string])[];
  readonly signal?: AbortSignal;
}

/** Guests by component id, each with one HTTP trigger. Close it with `using`. */
export class TestApplication implements Disposable {
  readonly context: ExecutionContext<HttpRequest>;
  readonly executors: ReadonlyMap<string, HttpExecutor>;
  readonly network: OutboundNetwork;
  /** What the operator was told about denied requests. */
  readonly reports: readonly string[];
  /** What guests printed, by component id. */
  readonly printed: ReadonlyMap<string, string>;
  /** What called components threw. */
  readonly failures: readonly unknown[];

  private constructor(parts: Omit<TestApplication, "request" | "executor" | typeof Symbol.dispose>) {
    this.context = parts.context;
    this.executors = parts.executors;
    this.network = parts.network;
    this.reports = parts.reports;
    this.printed = parts.printed;
    this.failures = parts.failures;
  }

  static async start(
    guests: Readonly<Record<string, GuestOptions>>,
    options: ApplicationOptions = {},
  ): Promise<TestApplication> {
    const components = Object.entries(guests).map(([id, guest]) => componentOf(id, guest));
    const triggers = Object.entries(guests).map(([id, { executor }]) => ({
      id,
      type: "http",
      componentId: id,
      options: executor === undefined ? {} : { executor },
    }));
    const reports: string[] = [];
    const failures: unknown[] = [];
    const printed = new Map<string, string>();
    const network = new OutboundNetwork({ ...options.network, report: (text) => void reports.push(text) });
    const context = await newBuilder({ components, triggers, network, printed }, options).build();
    const executors = await createExecutors({ context }, triggers);
    const chain = createChain({
      executorOf: (id) => executors.get(id),
      failed: (_request, error) => void failures.push(error),
    });
    network.attach({ origin: "http://127.0.0.1:1", chain });
    return new TestApplication({ context, executors, network, reports, printed, failures });
  }

  /** Sends a request to a component; rejects where the trigger would answer an empty 500. */
  async request(componentId: string, target: string, options: TestRequest = {}): Promise<TestReply> {
    const executor = this.executor(componentId);
    if (executor.bodyMode !== "buffered") throw new Error("These executors take whole bodies");
    const { route = "/...", pathInfo = target.split("?")[0] ?? "", params = [] } = options;
    const match = {
      route: createRoute({ triggerId: componentId, componentId, text: route }),
      pathInfo,
      params,
    };
    const reply = await executor.execute(requestOf(target, options), match, Buffer.from(options.body ?? ""));
    return textOf(reply);
  }

  executor(componentId: string): HttpExecutor {
    const executor = this.executors.get(componentId);
    if (!executor) throw new Error(`No component "${componentId}"`);
    return executor;
  }

  [Symbol.dispose](): void {
    this.context[Symbol.dispose]();
    this.network[Symbol.dispose]();
  }
}

export function requestOf(target: string, options: TestRequest = {}): HttpRequest {
  const [path = "", ...query] = target.split("?");
  return {
    method: options.method ?? "GET",
    target,
    path,
    query: query.length === 0 ? undefined : query.join("?"),
    authority: "example.com",
    scheme: "http",
    httpVersion: "1.1",
    rawHeaders: ["Host", "example.com", ...(options.headers ?? [])],
    clientAddress: "127.0.0.1:4711",
    signal: options.signal ?? new AbortController().signal,
  };
}

function textOf({ status, headers, body }: HttpReply): TestReply {
  const pairs: Record<string, string> = {};
  for (let at = 0; at < headers.length; at += 2) pairs[headers[at] ?? ""] = headers[at + 1] ?? "";
  if (body !== undefined && !(body instanceof Uint8Array)) throw new Error("These executors buffer");
  return { status, headers: pairs, body: Buffer.from(body ?? []).toString() };
}

function componentOf(id: string, guest: GuestOptions): Component {
  const isAbsolute = guest.source.startsWith("/");
  const path = isAbsolute ? guest.source : join(import.meta.dirname, "../../guests", `${guest.source}.wasm`);
  return {
    id,
    description: "",
    source: { path, digest: "", described: guest.source },
    environment: guest.environment ?? {},
    mounts: [],
    allowedOutboundHosts: guest.allowedHosts ?? [],
    variables: {},
    keyValueStores: [],
    sqliteDatabases: [],
    aiModels: [],
    dependencies: {},
    tool: guest.tool ?? {},
  };
}

function newBuilder(
  parts: {
    readonly components: readonly Component[];
    readonly triggers: readonly Trigger[];
    readonly network: OutboundNetwork;
    readonly printed: Map<string, string>;
  },
  options: ApplicationOptions,
): Builder<HttpRequest> {
  const { components, triggers, network, printed } = parts;
  const componentIds = components.map(({ id }) => id);
  return new Builder<HttpRequest>({
    application: {
      metadata: { name: "test", version: "", description: "", authors: [], origin: "" },
      variables: {},
      triggerDefaults: {},
      triggers,
      components,
    },
    ...(options.engine && { engine: options.engine }),
    ...(options.limits && { limits: options.limits }),
    clock: systemClock,
    random: systemRandom,
    output(id) {
      const write = (bytes: Uint8Array) =>
        void printed.set(id, (printed.get(id) ?? "") + Buffer.from(bytes).toString());
      return { stdout: { held: false, write }, stderr: { held: false, write } };
    },
    outbound: (component) =>
      new OutboundHttp(network, {
        id: component.id,
        allowedHosts: readAllowedHosts(component, { componentIds, variable: () => undefined }),
      }),
  });
}
