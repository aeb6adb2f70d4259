// Serves small applications whose components are functions of this process.

import assert from "node:assert/strict";
import type { Application, Json, Trigger } from "../../src/manifest/mod.ts";
import {
  type BufferedHttpExecutor,
  type HttpExecutor,
  type HttpLogEntry,
  type HttpReply,
  HttpTrigger,
  type HttpTriggerOptions,
} from "../../src/trigger/mod.ts";

export type TriggerTable = Omit<Trigger, "type" | "options"> & { readonly [option: string]: Json };

export interface Served extends AsyncDisposable {
  readonly trigger: HttpTrigger;
  readonly address: HttpTrigger["address"];
  readonly log: readonly HttpLogEntry[];
}

/** Serves routes, each with the executor that answers it. */
export async function serveRoutes(
  routes: Readonly<Record<string, HttpExecutor>>,
  options: Partial<HttpTriggerOptions> = {},
): Promise<Served> {
  const triggers = Object.keys(routes).map((route, i) => ({ id: `t${i}`, componentId: `c${i}`, route }));
  const executors = new Map(Object.values(routes).map((executor, i) => [`t${i}`, executor]));
  return serve(createApplication(triggers), { executors, ...options });
}

export async function serve(
  application: Application,
  options: Partial<HttpTriggerOptions> & Pick<HttpTriggerOptions, "executors">,
): Promise<Served> {
  const log: HttpLogEntry[] = [];
  const trigger = await HttpTrigger.start({
    application,
    listen: { host: "127.0.0.1", port: 0 },
    log: (entry) => log.push(entry),
    ...options,
  });
  return {
    trigger,
    address: trigger.address,
    log,
    [Symbol.asyncDispose]: () => trigger[Symbol.asyncDispose](),
  };
}

export function createApplication(tables: readonly TriggerTable[]): Application {
  const ids = new Set(tables.flatMap((table) => table.componentId ?? []));
  return {
    metadata: {
      name: "transcript",
      version: "1.2.3",
      description: "",
      authors: [],
      origin: "file:///spin.toml",
    },
    variables: {},
    triggerDefaults: {},
    triggers: tables.map(({ id, componentId, ...options }) => ({
      id,
      type: "http",
      ...(componentId !== undefined && { componentId }),
      options,
    })),
    components: [...ids].map(createComponent),
  };
}

function createComponent(id: string): Application["components"][number] {
  return {
    id,
    description: id === "wagi" ? "Prints what it sees" : "",
    source: { path: `/${id}.wasm`, digest: "sha256:00", described: `${id}.wasm` },
    environment: {},
    mounts: [],
    allowedOutboundHosts: [],
    variables: {},
    keyValueStores: [],
    sqliteDatabases: [],
    aiModels: [],
    dependencies: {},
    tool: {},
  };
}

export function text(body: string, ...headers: string[]): HttpReply {
  return { status: 200, headers, body: Buffer.from(body) };
}

/** Answers every request with what `execute` says. */
export function executor(execute: BufferedHttpExecutor["execute"]): BufferedHttpExecutor {
  return { bodyMode: "buffered", execute };
}

/** Answers every request with the same text, at once. */
export function constant(body: string): BufferedHttpExecutor {
  return executor(() => text(body));
}

/** Waits until nothing is open or in progress any more. */
export async function settled({ trigger }: Served): Promise<void> {
  const IDLE = { active: 0, waiting: 0, heldBodyBytes: 0, timed: 0 };
  await eventually(() => {
    const { connections: _, ...counts } = trigger.counts;
    assert.deepEqual(counts, IDLE);
  });
}

const ATTEMPTS_MAX = 500;

/** Repeats a check until it passes; what it threw last is thrown if it never does. */
export async function eventually(check: () => void): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      check();
      return;
    } catch (error) {
      if (attempt === ATTEMPTS_MAX) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
