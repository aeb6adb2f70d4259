// An execution context with one component, for tests of guests without a trigger.

import { join } from "node:path";
import { AllowedHosts, type MountSource } from "../src/manifest/mod.ts";
import { OutboundHttp, OutboundNetwork } from "../src/outbound/mod.ts";
import { Builder, type ExecutionContext } from "../src/runtime/mod.ts";

export const COMPONENT_ID = "guest";

/** Runs the module at `guests/PATH.wasm`; it may reach no host, and prints to nowhere. */
export async function guestContext(
  path: string,
  options: {
    readonly environment?: Readonly<Record<string, string>>;
    readonly mounts?: readonly MountSource[];
  } = {},
): Promise<ExecutionContext<undefined>> {
  const component = {
    id: COMPONENT_ID,
    description: "",
    source: { path: join(import.meta.dirname, `../guests/${path}.wasm`), digest: "", described: path },
    environment: options.environment ?? {},
    mounts: options.mounts ?? [],
    allowedOutboundHosts: [],
    variables: {},
    keyValueStores: [],
    sqliteDatabases: [],
    aiModels: [],
    dependencies: {},
    dependenciesInheritConfiguration: false,
    tool: {},
  };
  const nowhere = { held: false, write() {} } as const;
  const network = new OutboundNetwork({ report() {} });
  let ticks = 0n;
  const builder = new Builder<undefined>({
    application: {
      metadata: { name: "test", version: "", description: "", authors: [], origin: "" },
      variables: {},
      triggerDefaults: {},
      triggers: [],
      components: [component],
    },
    componentIds: [COMPONENT_ID],
    clock: { realtimeNs: () => ++ticks, monotonicNs: () => ++ticks, sleep: () => Promise.resolve() },
    random: { fill: (bytes) => void bytes.fill(Number(++ticks)) },
    output: () => ({ stdout: nowhere, stderr: nowhere }),
    outbound: ({ id }) => new OutboundHttp(network, { id, allowedHosts: AllowedHosts.parse([]) }),
  });
  return await builder.build();
}
