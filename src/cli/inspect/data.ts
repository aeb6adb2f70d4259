// The result of an inspection as data, for programs. docs/cli.md says which fields are there to stay.

import type { InspectedComponent } from "../../host/mod.ts";
import type { Application } from "../../manifest/mod.ts";
import { chosenHandler } from "./handler.ts";

export function inspectionData(application: Application, components: readonly InspectedComponent[]): object {
  const { name, version } = application.metadata;
  return { name, version, components: components.map(componentData) };
}

function componentData(inspected: InspectedComponent): object {
  const { component, triggers, limits, binary, spinAbi, problems, warnings } = inspected;
  const handler = chosenHandler(inspected);
  const { generation } = spinAbi.version;
  return {
    id: component.id,
    source: component.source.described,
    digest: component.source.digest,
    kind: binary.kind,
    bytes: binary.bytes,
    producers: binary.producers,
    handler: handler && {
      ...handler,
      ...(handler.executor === "spin-http" && { generation, isGenerationKnown: spinAbi.isKnown }),
    },
    handlers: binary.handlers,
    slots: { areRecyclable: binary.freshReasons.length === 0, freshReasons: binary.freshReasons },
    modules: binary.modules,
    imports: binary.imports,
    exports: binary.exports,
    triggers: triggers.map(({ id, type, options }) => ({ id, type, ...options })),
    // Values may be secret.
    permissions: {
      mounts: component.mounts.map(({ guestPath, hostPath, kind, access }) => ({
        guestPath,
        hostPath,
        kind,
        access,
      })),
      allowedOutboundHosts: component.allowedOutboundHosts,
      environment: Object.keys(component.environment),
      variables: Object.keys(component.variables),
      keyValueStores: component.keyValueStores,
      sqliteDatabases: component.sqliteDatabases,
      aiModels: component.aiModels,
      dependencies: Object.entries(component.dependencies).map(([name, { source, inherits }]) => ({
        name,
        source: source.described,
        inherits,
      })),
    },
    limits,
    problems: problems.map(({ code, message, hint }) => ({ code, message, hint })),
    warnings: warnings.map(({ code, message, hint }) => ({ code, message, hint })),
  };
}
