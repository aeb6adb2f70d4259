// What the components of an Application are, and whether they would start: found by making each ready, as
// `ServedApplication` does, and calling none.

import { readFile } from "node:fs/promises";
import { SpinAbis, type SpinAbiVersion } from "../capabilities/mod.ts";
import { type Diagnostic, SpindleError } from "../errors/mod.ts";
import {
  type Application,
  type Component,
  type ComponentLimits,
  componentLimits,
  DEFAULT_COMPONENT_LIMITS,
  type Trigger,
} from "../manifest/mod.ts";
import { OutboundHttp, OutboundNetwork, readAllowedHosts } from "../outbound/mod.ts";
import { Builder, type Inspection, inspectBinary } from "../runtime/mod.ts";
import { createExecutors, type HttpRequest } from "../trigger/mod.ts";
import { systemClock, systemRandom } from "../wasi/mod.ts";

export interface InspectOptions {
  /** Where modules made ready are kept, as for `ServedApplication`. */
  readonly cacheDirectory?: string;
}

export interface InspectedComponent {
  readonly component: Component;
  readonly triggers: readonly Trigger[];
  readonly limits: ComponentLimits;
  readonly binary: Inspection;
  /** The host that a guest of the legacy Spin ABI would find, and whether anything but the default says so. */
  readonly spinAbi: { readonly version: SpinAbiVersion; readonly isKnown: boolean };
  /** What keeps it from starting. */
  readonly problems: readonly Diagnostic[];
  readonly warnings: readonly Diagnostic[];
}

/**
 * Inspects each component, one after the other: they may be large.
 *
 * @throws SpindleError if the binaries cannot be read, with the mistakes of all
 */
export async function inspectApplication(
  application: Application,
  options: InspectOptions = {},
): Promise<InspectedComponent[]> {
  const inspected: InspectedComponent[] = [];
  const unreadable: Diagnostic[] = [];
  for (const component of application.components) {
    try {
      inspected.push(await inspectComponent(application, component, options));
    } catch (error) {
      if (!(error instanceof SpindleError)) throw error;
      unreadable.push(...error.diagnostics);
    }
  }
  if (unreadable.length > 0) throw SpindleError.collect(unreadable);
  return inspected;
}

async function inspectComponent(
  application: Application,
  component: Component,
  options: InspectOptions,
): Promise<InspectedComponent> {
  using network = new OutboundNetwork({ report() {} });
  const builder = createBuilder(application, component, { ...options, network });
  using _engine = builder.engine;
  const linkers = { modules: builder.linker, components: await builder.componentLinker() };
  const binary = await inspectBinary({ engine: builder.engine, linkers }, component);
  const abis = new SpinAbis([component]);
  abis.inspect(component.id, await readFile(component.source.path));
  const { version, isKnown } = abis.of(component.id);
  const triggers = application.triggers.filter(({ componentId }) => componentId === component.id);
  return {
    component,
    triggers,
    limits: componentLimits(component, DEFAULT_COMPONENT_LIMITS),
    binary,
    spinAbi: { version, isKnown },
    ...(await rehearse(builder, triggers)),
  };
}

/** Makes the component ready, and looks for executors of its triggers. */
async function rehearse(
  builder: Builder<HttpRequest>,
  triggers: readonly Trigger[],
): Promise<Pick<InspectedComponent, "problems" | "warnings">> {
  try {
    using context = await builder.build();
    await createExecutors(
      { context },
      triggers.filter(({ type }) => type === "http"),
    );
    return { problems: [], warnings: context.warnings };
  } catch (error) {
    if (!(error instanceof SpindleError)) throw error;
    return { problems: error.diagnostics, warnings: [] };
  }
}

function createBuilder(
  application: Application,
  { id }: Component,
  { cacheDirectory, network }: InspectOptions & { readonly network: OutboundNetwork },
): Builder<HttpRequest> {
  const componentIds = application.components.map((each) => each.id);
  const variable = (name: string) => application.variables[name]?.default;
  const nowhere = { held: false, write() {} } as const;
  return new Builder<HttpRequest>({
    application,
    componentIds: [id],
    clock: systemClock,
    random: systemRandom,
    ...(cacheDirectory !== undefined && { engine: { cacheDirectory } }),
    output: () => ({ stdout: nowhere, stderr: nowhere }),
    outbound(component) {
      const allowedHosts = readAllowedHosts(component, { componentIds, variable });
      return new OutboundHttp(network, { id: component.id, allowedHosts });
    },
  });
}
