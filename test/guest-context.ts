// An execution context with one component, for tests of guests without a trigger.

import { resolve } from "node:path";
import type { EngineOptions } from "../src/engine/mod.ts";
import { AllowedHosts, type MountSource } from "../src/manifest/mod.ts";
import { OutboundHttp, OutboundNetwork } from "../src/outbound/mod.ts";
import { Builder, type ExecutionContext } from "../src/runtime/mod.ts";
import type { Clock, RandomSource, StdoutSink } from "../src/wasi/mod.ts";

export const COMPONENT_ID = "guest";

/** Readings of a clock and random bytes, each one more than the one before. */
export class CountedSources {
  readings = 0n;
  readonly clock: Clock = {
    realtimeNs: () => ++this.readings,
    monotonicNs: () => ++this.readings,
    sleep: async (ns) => {
      this.readings += ns;
    },
  };
  readonly random: RandomSource = { fill: (bytes) => void bytes.fill(Number(++this.readings & 0xffn)) };
}

/** Runs the module at `guests/PATH.wasm`, or at an absolute path; it reaches no host and prints to nowhere by default. */
export async function guestContext(
  path: string,
  options: {
    readonly environment?: Readonly<Record<string, string>>;
    readonly mounts?: readonly MountSource[];
    readonly allowedHosts?: readonly string[];
    readonly engine?: EngineOptions;
    readonly sources?: CountedSources;
    readonly stdout?: StdoutSink;
    readonly stderr?: StdoutSink;
    readonly onReplay?: () => void;
  } = {},
): Promise<ExecutionContext<undefined>> {
  const component = {
    id: COMPONENT_ID,
    description: "",
    source: {
      path: resolve(import.meta.dirname, "../guests", path.endsWith(".wasm") ? path : `${path}.wasm`),
      digest: "",
      described: path,
    },
    environment: options.environment ?? {},
    mounts: options.mounts ?? [],
    allowedOutboundHosts: [],
    variables: {},
    keyValueStores: [],
    sqliteDatabases: [],
    aiModels: [],
    dependencies: {},
    tool: {},
  };
  const nowhere = { held: false, write() {} } as const;
  const network = new OutboundNetwork({ report() {} });
  const { clock, random } = options.sources ?? new CountedSources();
  const builder = new Builder<undefined>({
    application: {
      metadata: { name: "test", version: "", description: "", authors: [], origin: "" },
      variables: {},
      triggerDefaults: {},
      triggers: [],
      components: [component],
    },
    componentIds: [COMPONENT_ID],
    clock,
    random,
    ...(options.engine && { engine: options.engine }),
    rewind: () => options.onReplay?.(),
    output: () => ({ stdout: options.stdout ?? nowhere, stderr: options.stderr ?? nowhere }),
    outbound: ({ id }) =>
      new OutboundHttp(network, { id, allowedHosts: AllowedHosts.parse(options.allowedHosts ?? []) }),
  });
  return await builder.build();
}
