// Tables of either version, whose shape has been checked, to the one form of a manifest.

import { convertAllowedHttpHosts, DATABASE_HOSTS } from "./allowed-http-hosts.ts";
import type { BuildCommand, Json, Variable } from "./application.ts";
import type { Findings, KeyPath } from "./findings.ts";
import { KEBAB_CASE, kebabMistake, toKebabId } from "./identifiers.ts";
import type { Manifest, ManifestComponent, ManifestTrigger } from "./manifest.ts";
import type {
  ComponentTable,
  ComponentTableVersion1,
  ManifestVersion1,
  ManifestVersion2,
  TriggerTable,
  VariableTable,
} from "./schema.ts";

type JsonTable = Readonly<Record<string, Json>>;
type JsonTables = Readonly<Record<string, JsonTable>>;

/** A manifest but for the text that it came from. */
export type ManifestContent = Omit<Manifest, "source">;

/** Reads version 2; `profile` selects the overrides of that name. */
export function readVersion2(
  tables: ManifestVersion2,
  findings: Findings,
  profile: string | undefined,
): ManifestContent {
  const { application } = tables;
  const components = new Map<string, LocatedComponent>();
  for (const [id, table] of Object.entries(tables.component ?? {})) {
    components.set(id, { table, path: ["component", id] });
  }
  const triggers = readTriggers(tables.trigger, components);
  return {
    version: 2,
    application: {
      name: application.name,
      version: application.version ?? "",
      description: application.description ?? "",
      authors: application.authors ?? [],
    },
    targets: jsonOf(application.targets ?? []),
    tool: jsonOf(application.tool ?? {}),
    variables: readVariables(tables.variables),
    triggerDefaults: jsonOf(application.trigger ?? {}),
    triggers,
    components: [...components].map(([id, { table, path }]) => {
      const chosen = applyProfile(table, profile);
      return readComponent({ id, path, table: chosen, hosts: hostsOfVersion2(table, path, findings) });
    }),
  };
}

/** Reads version 1, and the form of Spin 0.1. */
export function readVersion1(tables: ManifestVersion1, findings: Findings): ManifestContent {
  const { type, ...defaults } = tables.trigger;
  const components = tables.component ?? [];
  const ids = components.map(({ id }, index) => convertId(id, ["component", index, "id"], findings));
  return {
    version: 1,
    application: {
      name: tables.name,
      version: tables.version ?? "",
      description: tables.description ?? "",
      authors: tables.authors ?? [],
    },
    targets: [],
    tool: {},
    variables: readVariables(tables.variables),
    triggerDefaults: { [type]: jsonOf(defaults) },
    triggers: components.map(({ trigger }, index) => {
      const id = ids[index] ?? "";
      return {
        path: ["component", index, "trigger"],
        id: `trigger-${id}`,
        type,
        componentId: id,
        options: jsonOf(trigger),
      };
    }),
    components: components.map((table, index) => {
      const path = ["component", index];
      const { config, trigger: _, ...shared } = table;
      return readComponent({
        id: ids[index] ?? "",
        path,
        table: { ...shared, ...(config && { variables: config }) },
        hosts: hostsOfVersion1(table, path, findings),
      });
    }),
  };
}

interface LocatedComponent {
  readonly table: ComponentTable;
  readonly path: KeyPath;
}

function convertId(id: string, path: KeyPath, findings: Findings): string {
  const converted = toKebabId(id);
  const mistake = kebabMistake(converted);
  if (mistake) findings.error(path, mistake);
  return converted;
}

function readVariables(tables: Readonly<Record<string, VariableTable>> = {}): Record<string, Variable> {
  return mapValues(tables, ({ description = "", default: value, secret = false }) => ({
    description,
    ...(value !== undefined && { default: value }),
    secret,
  }));
}

// Triggers.

type TriggersByType = Readonly<Record<string, readonly unknown[] | undefined>>;

interface LocatedTrigger {
  readonly type: string;
  readonly path: KeyPath;
  readonly table: TriggerTable;
}

/** Gives every trigger an id, and moves the components that are written inside triggers to `components`. */
function readTriggers(byType: TriggersByType, components: Map<string, LocatedComponent>): ManifestTrigger[] {
  const tables = Object.entries(byType).flatMap(([type, list = []]) =>
    list.map((table, index): LocatedTrigger => {
      // The tables of all trigger types have these fields, of these types; the rest are options.
      return { type, path: ["trigger", type, index], table: table as TriggerTable };
    }),
  );
  const triggerIds = new FreshIds(new Set(tables.flatMap(({ table }) => table.id || [])));
  const named = tables.map((located) => ({ ...located, id: triggerId(located, triggerIds) }));
  const componentIds = new FreshIds(new Set(components.keys()));
  return named.map((located) => readTrigger(located, componentIds, components));
}

/** Makes ids that nothing has yet. */
class FreshIds {
  readonly #taken: Set<string>;
  readonly #lastNumber = new Map<string, number>();

  constructor(taken: Set<string>) {
    this.#taken = taken;
  }

  /** Takes an id; false if somebody has it. */
  take(id: string): boolean {
    return !this.#taken.has(id) && this.#taken.add(id) !== undefined;
  }

  /** Takes the first free one of `stem1`, `stem2`, ... */
  count(stem: string): string {
    for (let number = (this.#lastNumber.get(stem) ?? 0) + 1; ; number++) {
      if (!this.take(`${stem}${number}`)) continue;
      this.#lastNumber.set(stem, number);
      return `${stem}${number}`;
    }
  }
}

function triggerId({ type, table }: LocatedTrigger, ids: FreshIds): string {
  if (table.id) return table.id;
  const natural = `${table.component}-${type}-trigger`;
  return typeof table.component === "string" && ids.take(natural) ? natural : ids.count(`${type}-trigger`);
}

function readTrigger(
  { id, type, path, table }: LocatedTrigger & { readonly id: string },
  ids: FreshIds,
  components: Map<string, LocatedComponent>,
): ManifestTrigger {
  const { id: _, component, components: roles, dependencies, ...options } = table;
  const isSingle = (component === undefined ? 0 : 1) + Object.values(roles ?? {}).flat().length === 1;
  const natural = `${id}-component`;
  const idOf = (spec: string | ComponentTable, at: KeyPath): string => {
    if (typeof spec === "string") return spec;
    const isNatural = isSingle && KEBAB_CASE.test(natural) && ids.take(natural);
    const inlineId = isNatural ? natural : ids.count("inline-component");
    components.set(inlineId, { table: spec, path: at });
    return inlineId;
  };
  const roleIds = Object.entries(roles ?? {}).map(([role, specs]) => {
    const at = [...path, "components", role];
    const list = Array.isArray(specs)
      ? specs.map((spec, index) => idOf(spec, [...at, index]))
      : [idOf(specs, at)];
    return [role, list] as const;
  });
  return {
    path,
    id,
    type,
    ...(component !== undefined && { componentId: idOf(component, [...path, "component"]) }),
    ...(dependencies && { dependencies: jsonOf<JsonTable>(dependencies) }),
    options: { ...jsonOf<JsonTable>(options), ...(roles && { components: Object.fromEntries(roleIds) }) },
  };
}

// Components.

interface ReadableComponent {
  readonly id: string;
  readonly path: KeyPath;
  readonly table: Omit<ComponentTable, "source"> & { readonly source: ManifestComponent["source"] };
  readonly hosts: readonly string[];
}

function readComponent({ id, path, table, hosts }: ReadableComponent): ManifestComponent {
  return {
    path,
    id,
    description: table.description ?? "",
    source: table.source,
    environment: table.environment ?? {},
    files: table.files ?? [],
    excludeFiles: table.exclude_files ?? [],
    allowedOutboundHosts: hosts,
    variables: table.variables ?? {},
    keyValueStores: table.key_value_stores ?? [],
    sqliteDatabases: table.sqlite_databases ?? [],
    aiModels: table.ai_models ?? [],
    ...(table.targets && { targets: jsonOf(table.targets) }),
    ...(table.build && { build: readBuild(table.build) }),
    tool: jsonOf(table.tool ?? {}),
    dependencies: table.dependencies ?? {},
    ...(table.dependencies_inherit_configuration !== undefined && {
      dependenciesInheritConfiguration: table.dependencies_inherit_configuration,
    }),
    profiles: Object.keys(table.profile ?? {}),
  };
}

function readBuild({ command, workdir, watch }: NonNullable<ComponentTable["build"]>): BuildCommand {
  return { commands: [command].flat(), workdir: workdir ?? "", watch: watch ?? [] };
}

/** `source` and the build command are replaced, environment and dependencies are added to. */
function applyProfile(table: ComponentTable, profile: string | undefined): ComponentTable {
  const overrides = profile === undefined ? undefined : table.profile?.[profile];
  if (!overrides) return table;
  return {
    ...table,
    ...(overrides.source !== undefined && { source: overrides.source }),
    environment: { ...table.environment, ...overrides.environment },
    dependencies: { ...table.dependencies, ...overrides.dependencies },
    ...(overrides.build && { build: { ...table.build, ...overrides.build } }),
  };
}

function hostsOfVersion2(table: ComponentTable, path: KeyPath, findings: Findings): readonly string[] {
  const hosts = table.allowed_outbound_hosts ?? [];
  if (!table.allowed_http_hosts) return hosts;
  const field = [...path, "allowed_http_hosts"];
  const converted = convertAllowedHttpHosts(table.allowed_http_hosts, field, findings);
  if (converted.length === 0) return hosts;
  const all = [...hosts, ...converted];
  const hint = `Replace it with \`allowed_outbound_hosts = ${JSON.stringify(all)}\`.`;
  findings.warn(
    field,
    { code: "MANIFEST_FIELD_DEPRECATED", message: "`allowed_http_hosts` is deprecated", hint },
    "key",
  );
  return all;
}

function hostsOfVersion1(
  table: ComponentTableVersion1,
  path: KeyPath,
  findings: Findings,
): readonly string[] {
  const http = convertAllowedHttpHosts(
    table.allowed_http_hosts ?? [],
    [...path, "allowed_http_hosts"],
    findings,
  );
  return [...(table.allowed_outbound_hosts ?? DATABASE_HOSTS), ...http];
}

// Values.

function mapValues<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

/**
 * The JSON of values as TOML has them: dates become texts. NaN and infinity have been refused before.
 * The caller names the type, which it knows from the shape that the values were read with.
 */
function jsonOf<T extends Json | JsonTable | JsonTables>(values: unknown): T {
  // TOML has nothing in it but tables, lists, texts, numbers, booleans and dates.
  return JSON.parse(JSON.stringify(values)) as T;
}
