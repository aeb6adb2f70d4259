// The manifest that goes into a bindle: modules are named by digests, files by groups of parcels.

import { parse, stringify } from "smol-toml";
import * as v from "valibot";

import {
  type Manifest,
  type ManifestComponent,
  type ManifestTrigger,
  manifestVersion1,
} from "../../manifest/mod.ts";
import { isTable, type Table, tomlText } from "./toml-text.ts";

/** What a component becomes in a bindle. */
export interface BindleComponent {
  /** As the manifest has it, in which version 1 is free. */
  readonly id: string;
  /** Of its module: 64 hexadecimal digits. */
  readonly digest: string;
}

export interface RewrittenManifests {
  /** What Spin 0.1 to 0.10 read; undefined if the application has what they have not. */
  readonly version1: string | undefined;
  /** What an application that was written in version 2 needs besides. */
  readonly version2: string | undefined;
  readonly components: readonly BindleComponent[];
  /** What the invoice has to say of the application: in version 1 also what is said to be empty. */
  readonly description: string | undefined;
  readonly authors: readonly string[] | undefined;
}

export function groupOf(componentId: string): string {
  return `files-${componentId}`;
}

/** `digests` are those of the modules, by the ids of the components. */
export function rewriteManifest(
  manifest: Manifest,
  digests: ReadonlyMap<string, string>,
): RewrittenManifests {
  const ids = idsOf(manifest);
  const components = manifest.components.map(({ id }, index) => {
    const digest = digests.get(id);
    if (digest === undefined) throw new Error(`component ${id} has no module`);
    return { id: ids[index] ?? id, digest };
  });
  if (manifest.version === 1) {
    const { description, authors } = tablesOf(manifest);
    const version1 = tomlText(rewriteVersion1(manifest, components));
    return { version1, version2: undefined, components, description, authors };
  }
  const older = asVersion1(manifest, components);
  const { description, authors } = manifest.application;
  return {
    description: description === "" ? undefined : description,
    authors: authors.length === 0 ? undefined : authors,
    version1: older && tomlText(older),
    version2: stringify(rewriteVersion2(manifest, components)),
    components,
  };
}

// Version 1.

type Version1 = v.InferOutput<(typeof manifestVersion1)[keyof typeof manifestVersion1]>;

/** The tables as they were written: what a Manifest has is converted already. */
function tablesOf({ source, triggerDefaults }: Manifest): Version1 {
  const [type] = Object.keys(triggerDefaults);
  const kind = type === "http" || type === "redis" ? type : "other";
  return v.parse(manifestVersion1[kind], parse(source.text));
}

/** The ids that groups are named by. */
function idsOf(manifest: Manifest): readonly string[] {
  if (manifest.version === 2) return manifest.components.map(({ id }) => id);
  return (tablesOf(manifest).component ?? []).map(({ id }) => id);
}

/** Fields in the order in which Spin wrote them; those after `environment` came with later versions. */
function rewriteVersion1(manifest: Manifest, components: readonly BindleComponent[]): Table {
  const tables = tablesOf(manifest);
  return withoutAbsent({
    trigger: withBase(tables.trigger),
    variables: tables.variables,
    component: (tables.component ?? []).map((table, index) =>
      withoutAbsent({
        source: components[index]?.digest,
        id: table.id,
        description: table.description,
        files: table.files && groupOf(table.id),
        allowedHttpHosts: table.allowed_http_hosts,
        allowedOutboundHosts: table.allowed_outbound_hosts,
        keyValueStores: table.key_value_stores,
        sqliteDatabases: table.sqlite_databases,
        aiModels: table.ai_models,
        environment: table.environment,
        trigger: withExecutor(table.trigger),
        config: table.config,
      }),
    ),
  });
}

// Version 2.

function rewriteVersion2(manifest: Manifest, components: readonly BindleComponent[]): Table {
  const { tool, triggerDefaults, variables } = manifest;
  return {
    application: { trigger: triggerDefaults, tool },
    variables: mapValues(variables, rewriteVariable),
    trigger: mapValues(Object.groupBy(manifest.triggers, byType), (triggers = []) =>
      triggers.map(rewriteTrigger),
    ),
    component: Object.fromEntries(
      manifest.components.map((component, index) => [
        component.id,
        rewriteComponent(component, components[index]?.digest ?? ""),
      ]),
    ),
  };
}

const byType = ({ type }: ManifestTrigger): string => type;

/** Without a default, a variable is required, and must say so. */
function rewriteVariable({ default: value, ...rest }: Manifest["variables"][string]): Table {
  return { ...rest, ...(value === undefined ? { required: true } : { default: value }) };
}

function rewriteTrigger({ id, componentId, options }: ManifestTrigger): Table {
  return { id, ...(componentId !== undefined && { component: componentId }), ...options };
}

function rewriteComponent(component: ManifestComponent, digest: string): Table {
  return {
    source: digest,
    description: component.description,
    files: component.files.length > 0 ? [groupOf(component.id)] : [],
    allowed_outbound_hosts: component.allowedOutboundHosts,
    key_value_stores: component.keyValueStores,
    sqlite_databases: component.sqliteDatabases,
    ai_models: component.aiModels,
    ...(component.dependenciesInheritConfiguration !== undefined && {
      dependencies_inherit_configuration: component.dependenciesInheritConfiguration,
    }),
    environment: component.environment,
    variables: component.variables,
    tool: component.tool,
  };
}

// Version 2 as Spin 0.1 would have had it.

/** Undefined if Spin 0.1 has no words for it. */
function asVersion1(manifest: Manifest, components: readonly BindleComponent[]): Table | undefined {
  const { triggers, triggerDefaults } = manifest;
  const [{ type = "" } = {}] = triggers;
  const address = triggerDefaults.redis?.address;
  const isPlain =
    Object.keys(manifest.variables).length === 0 &&
    manifest.components.every(isPlainComponent) &&
    triggers.length === components.length &&
    triggers.every((trigger) => trigger.type === type && isPlainTrigger(trigger)) &&
    (type === "http" || (type === "redis" && address !== undefined));
  if (!isPlain) return undefined;
  const triggerOf = new Map(triggers.map(({ componentId, options }) => [componentId, options]));
  if (triggerOf.size !== triggers.length) return undefined;
  return {
    trigger: type === "http" ? { type, base: "/" } : { type, address },
    component: manifest.components.map(({ id, files, environment }, index) =>
      withoutAbsent({
        source: components[index]?.digest,
        id,
        files: files.length > 0 ? groupOf(id) : undefined,
        environment: Object.keys(environment).length > 0 ? environment : undefined,
        trigger: withExecutor(withOlderType(triggerOf.get(id) ?? {})),
      }),
    ),
  };
}

/** Whether it has nothing but a module, an environment and files. A description is not needed to run it. */
function isPlainComponent(component: ManifestComponent): boolean {
  const { allowedOutboundHosts, keyValueStores, sqliteDatabases, aiModels, variables } = component;
  const lists = [allowedOutboundHosts, keyValueStores, sqliteDatabases, aiModels];
  return lists.every((list) => list.length === 0) && Object.keys(variables).length === 0;
}

/** Whether a component answers it, at a public route or a channel of the one server. */
function isPlainTrigger({ type, componentId, options }: ManifestTrigger): boolean {
  const known = type === "http" ? ["route", "executor"] : ["channel"];
  const isKnown = Object.keys(options).every((name) => known.includes(name));
  return isKnown && componentId !== undefined && typeof (options.route ?? options.channel) === "string";
}

/** "http" is what "spin" was called later. */
function withOlderType({ executor, ...options }: ManifestTrigger["options"]): Table {
  if (executor === undefined) return options;
  const isHttp = isTable(executor) && executor.type === "http";
  return { ...options, executor: isHttp ? { type: "spin" } : executor };
}

// Spin wrote what it had read, with what it had added.

function withBase(trigger: Table): Table {
  return trigger.type === "http" ? { type: "http", base: "/", ...trigger } : trigger;
}

function withExecutor(trigger: Table): Table {
  const { executor } = trigger;
  if (!isTable(executor) || executor.type !== "wagi") return trigger;
  // biome-ignore lint/suspicious/noTemplateCurlyInString: these are variables of Spin.
  const wagi = { type: "wagi", entrypoint: "_start", argv: "${SCRIPT_NAME} ${ARGS}", ...executor };
  return { ...trigger, executor: wagi };
}

function withoutAbsent(table: Table): Table {
  return Object.fromEntries(Object.entries(table).filter(([, value]) => value !== undefined));
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
