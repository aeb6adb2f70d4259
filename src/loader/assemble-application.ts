// An application from its manifest and its parts, wherever those are: beside the manifest, or in a bindle.

import path from "node:path";

import { type Diagnostic, didYouMean, SpindleError } from "../errors/mod.ts";
import type {
  Application,
  Component,
  Dependency,
  Manifest,
  ManifestComponent,
  ManifestTrigger,
  ModuleSource,
  MountSource,
  Trigger,
} from "../manifest/mod.ts";
import { checkDependencies } from "./check-dependencies.ts";
import { Limiter, settleAll } from "./limiter.ts";
import { checkMachine, machineMemoryBytes } from "./machine.ts";
import { Report } from "./report.ts";

/** A manifest, and where what it names is. */
export interface FoundApplication {
  readonly manifest: Manifest;
  /** The directory that paths are relative to; where there is none, nothing can be built. */
  readonly root?: string;
  readonly origin: string;
  readonly warnings: readonly Diagnostic[];
  /** Nobody wrote the manifest, so mistakes have no place in it. */
  readonly isSynthetic: boolean;
}

/** Gets the parts of components ready. What is wrong with them goes to the report. */
export interface Parts {
  /** Undefined if it cannot be had. */
  source(component: ManifestComponent, report: Report): Promise<ModuleSource | undefined>;
  mounts(component: ManifestComponent, report: Report): Promise<readonly MountSource[]>;
  dependencies(component: ManifestComponent, report: Report): Promise<Readonly<Record<string, Dependency>>>;
}

export interface LoadedApplication {
  readonly application: Application;
  readonly warnings: readonly Diagnostic[];
}

/** Sources that are read, downloaded or assembled at once. */
const SOURCES_AT_ONCE = 4;

/** Throws one SpindleError with everything that is wrong. */
export async function assembleApplication(
  found: FoundApplication,
  parts: Parts,
  environment: Readonly<Record<string, string>> = {},
): Promise<LoadedApplication> {
  const { manifest, root, origin } = found;
  const sources = new Limiter(SOURCES_AT_ONCE);
  const results = await settleAll(
    manifest.components.map(async (component) => {
      const report = new Report(found.isSynthetic ? undefined : manifest);
      checkMachine(component, machineMemoryBytes(), report);
      const loaded = await sources.run(async () => {
        const source = await parts.source(component, report);
        const mounts = await parts.mounts(component, report);
        const dependencies = await parts.dependencies(component, report);
        if (source) await checkDependencies(component, { source, dependencies }, report);
        return source && assemble({ component, source, mounts, dependencies, root, environment });
      });
      return { loaded, report };
    }),
  );
  const diagnostics = [...found.warnings, ...results.flatMap(({ report }) => report.diagnostics)];
  if (results.some(({ report }) => report.hasErrors)) throw SpindleError.collect(diagnostics);
  const application: Application = {
    metadata: { ...manifest.application, origin },
    variables: manifest.variables,
    triggerDefaults: manifest.triggerDefaults,
    triggers: manifest.triggers.map(toTrigger),
    components: results.flatMap(({ loaded }) => loaded ?? []),
  };
  return { application, warnings: diagnostics };
}

/** The manifest with these components and what triggers them; all, if none is named. */
export function choose(manifest: Manifest, ids: readonly string[] = []): Manifest {
  if (ids.length === 0) return manifest;
  const { components, triggers } = manifest;
  const known = new Set(components.map(({ id }) => id));
  const unknown = ids.filter((id) => !known.has(id));
  if (unknown.length > 0) throw SpindleError.collect(unknown.map((id) => unknownComponent(id, known)));
  return {
    ...manifest,
    components: components.filter(({ id }) => ids.includes(id)),
    triggers: triggers.filter(({ componentId }) => componentId !== undefined && ids.includes(componentId)),
  };
}

function unknownComponent(id: string, known: ReadonlySet<string>): Diagnostic {
  const hint = didYouMean(id, known) ?? `The components are: ${[...known].join(", ")}.`;
  return { code: "COMPONENT_UNKNOWN", severity: "error", message: `There is no component "${id}"`, hint };
}

function toTrigger({ id, type, componentId, dependencies, options }: ManifestTrigger): Trigger {
  return {
    id,
    type,
    ...(componentId !== undefined && { componentId }),
    ...(dependencies && { dependencies }),
    options,
  };
}

interface Assembly extends Pick<Component, "source" | "mounts" | "dependencies" | "environment"> {
  readonly component: ManifestComponent;
  readonly root: string | undefined;
}

function assemble({ component, source, mounts, dependencies, root, environment }: Assembly): Component {
  return {
    id: component.id,
    description: component.description,
    source,
    environment: { ...component.environment, ...environment },
    mounts,
    allowedOutboundHosts: component.allowedOutboundHosts,
    variables: component.variables,
    keyValueStores: component.keyValueStores,
    sqliteDatabases: component.sqliteDatabases,
    aiModels: component.aiModels,
    dependencies,
    ...(component.build &&
      root !== undefined && {
        build: { ...component.build, workdir: path.resolve(root, component.build.workdir) },
      }),
    tool: component.tool,
  };
}
