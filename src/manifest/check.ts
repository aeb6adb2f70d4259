// What only a whole manifest can tell: references that lead nowhere, duplicates, contradictions.

import type { SemVer } from "semver";

import { didYouMean } from "../errors/mod.ts";
import { isEmptyItem, parseAllowedHost, SERVICE_CHAINING_DOMAIN } from "./allowed-hosts.ts";
import { type DependencyName, parseDependencyName } from "./dependency-name.ts";
import { type Findings, type KeyPath, quote } from "./findings.ts";
import { KEBAB_CASE } from "./identifiers.ts";
import type { ManifestComponent, ManifestTrigger } from "./manifest.ts";
import type { ManifestContent } from "./read-manifest.ts";
import { routeDoubt, routeMistake } from "./route.ts";
import { type ComponentDependency, hostMistake } from "./schema.ts";
import { isTable } from "./shape.ts";
import { expandTemplate, parseTemplate } from "./template.ts";

export function checkManifest(manifest: ManifestContent, findings: Findings): void {
  checkDuplicates(manifest, findings);
  checkReferences(manifest, findings);
  checkBase(manifest, findings);
  checkRoutes(manifest, findings);
  for (const component of manifest.components) {
    checkVariables(manifest, component, findings);
    checkHosts(manifest, component, findings);
    checkDependencies(manifest, component, findings);
  }
}

/** Ids of version 2 components are keys of a table, and ids of version 1 triggers those of components. */
function checkDuplicates({ version, components, triggers }: ManifestContent, findings: Findings): void {
  const kind = version === 1 ? "component" : "trigger";
  const things: readonly { readonly id: string; readonly path: KeyPath }[] =
    version === 1 ? components : triggers;
  const seen = new Set<string>();
  for (const { id, path } of things) {
    if (seen.has(id)) {
      const message = `Duplicate ${kind} id "${id}"`;
      findings.error([...path, "id"], {
        code: "MANIFEST_ID_DUPLICATE",
        message,
        hint: "Give each a name of its own.",
      });
    }
    seen.add(id);
  }
}

function checkReferences({ components, triggers }: ManifestContent, findings: Findings): void {
  const ids = new Set(components.map(({ id }) => id));
  for (const trigger of triggers) {
    for (const { id, path } of referencesOf(trigger)) {
      // An id that cannot be one has been reported where it was read.
      if (ids.has(id) || !KEBAB_CASE.test(id)) continue;
      const message = `Trigger "${trigger.id}" refers to component "${id}", which does not exist`;
      const hint = suggestComponent(id, ids);
      findings.error([...trigger.path, ...path], { code: "MANIFEST_REFERENCE_UNKNOWN", message, hint });
    }
  }
}

/** The components that a trigger names: as its own, by role, and as dependencies by role. */
function referencesOf(trigger: ManifestTrigger): readonly { readonly id: string; readonly path: KeyPath }[] {
  const { componentId, options, dependencies = {} } = trigger;
  const own = componentId === undefined ? [] : [{ id: componentId, path: ["component"] }];
  const byRole = Object.entries(isTable(options.components) ? options.components : {}).flatMap(
    ([role, list]) => [list].flat().map((id, index) => ({ id, path: ["components", role, index] })),
  );
  const inDependencies = Object.entries(dependencies).flatMap(([role, list]) =>
    [list].flat().flatMap((dependency, index) => {
      const id = isTable(dependency) ? dependency.component : undefined;
      return { id, path: ["dependencies", role, index, "component"] };
    }),
  );
  return [...own, ...byRole, ...inDependencies].flatMap(({ id, path }) =>
    typeof id === "string" ? { id, path } : [],
  );
}

function suggestComponent(id: string, known: Iterable<string>): string {
  return didYouMean(id, known) ?? `Define it: [component.${id}]`;
}

function checkBase({ version, triggerDefaults }: ManifestContent, findings: Findings): void {
  const base = triggerDefaults.http?.base;
  if (version !== 2 || base === undefined) return;
  const path = ["application", "trigger", "http", "base"];
  const hint = base === "/" ? "Remove it." : "Put it in front of each route instead.";
  if (base === "/")
    findings.warn(path, { code: "MANIFEST_FIELD_DEPRECATED", message: "`base` is deprecated", hint }, "key");
  else
    findings.error(path, {
      code: "MANIFEST_BASE",
      message: `Base path ${quote(base)} is not supported`,
      hint,
    });
}

function checkRoutes({ triggers }: ManifestContent, findings: Findings): void {
  for (const { type, path, options } of triggers) {
    const { route } = options;
    // What is an error has been reported where it was read.
    if (type !== "http" || typeof route !== "string" || routeMistake(route)) continue;
    const doubt = routeDoubt(route);
    if (doubt) findings.warn([...path, "route"], doubt);
  }
}

function checkVariables(manifest: ManifestContent, component: ManifestComponent, findings: Findings): void {
  const field = manifest.version === 1 ? "config" : "variables";
  for (const [name, template] of Object.entries(component.variables)) {
    for (const unknown of unknownVariables(template, manifest)) {
      findings.error([...component.path, field, name], unknownVariable(unknown, manifest));
    }
  }
}

function unknownVariables(template: string, { variables }: ManifestContent): readonly string[] {
  const names = (parseTemplate(template) ?? []).flatMap((part) =>
    part.kind === "variable" ? part.name : [],
  );
  return names.filter((name) => name !== "" && !Object.hasOwn(variables, name));
}

function unknownVariable(name: string, { variables }: ManifestContent) {
  const message = `Variable "${name}" is not defined`;
  const hint =
    didYouMean(name, Object.keys(variables)) ?? `Define it: [variables] ${name} = { default = "..." }`;
  return { code: "MANIFEST_REFERENCE_UNKNOWN", message, hint } as const;
}

/**
 * Hosts with templates are checked with the defaults of their variables, if all have one. An unknown
 * variable is only a warning: the application runs, but its outbound calls are denied.
 */
function checkHosts(manifest: ManifestContent, component: ManifestComponent, findings: Findings): void {
  for (const [index, item] of component.allowedOutboundHosts.entries()) {
    const parts = parseTemplate(item) ?? [];
    const path = [...component.path, "allowed_outbound_hosts", index];
    if (!parts.some(({ kind }) => kind === "variable")) {
      checkChained(manifest, component, { item, path }, findings);
      continue;
    }
    for (const name of unknownVariables(item, manifest)) findings.warn(path, unknownVariable(name, manifest));
    const defaultOf = (name: string) =>
      Object.hasOwn(manifest.variables, name) ? manifest.variables[name]?.default : undefined;
    const expanded = expandTemplate(parts, defaultOf);
    const mistake = expanded === undefined || isEmptyItem(expanded) ? undefined : hostMistake(item, expanded);
    if (mistake) findings.error(path, mistake);
  }
}

/** Spin takes these as they are. To call a component that is not there ends the caller. */
function checkChained(
  { components, triggers }: ManifestContent,
  { id }: ManifestComponent,
  { item, path }: { readonly item: string; readonly path: KeyPath },
  findings: Findings,
): void {
  const called = chainedComponent(item);
  if (called === undefined) return;
  const ids = components.map((component) => component.id);
  const target = ids.find((each) => each.toLowerCase() === called);
  const isServed = triggers.some(({ type, componentId }) => type === "http" && componentId === target);
  if (target !== undefined && isServed) return;
  const doubt = target
    ? {
        message: `Component "${id}" may call component "${target}", which has no HTTP trigger`,
        hint: `Add one with \`route = { private = true }\` and \`component = "${target}"\`.`,
      }
    : {
        message: `Component "${id}" may call component "${called}", which does not exist`,
        hint: suggestComponent(called, ids),
      };
  findings.warn(path, { code: "MANIFEST_REFERENCE_UNKNOWN", ...doubt });
}

/** `api` of `http://api.spin.internal`; undefined for all that names no single component. */
function chainedComponent(item: string): string | undefined {
  const suffix = `.${SERVICE_CHAINING_DOMAIN}`;
  // What is an error has been reported where it was read.
  if (isEmptyItem(item) || hostMistake(item, item)) return undefined;
  const { host } = parseAllowedHost(item);
  return host.kind === "literal" && host.host.endsWith(suffix)
    ? host.host.slice(0, -suffix.length)
    : undefined;
}

// Dependencies.

function checkDependencies(
  manifest: ManifestContent,
  component: ManifestComponent,
  findings: Findings,
): void {
  const path = [...component.path, "dependencies"];
  const names = Object.keys(component.dependencies);
  for (const [name, dependency] of Object.entries(component.dependencies)) {
    checkDependency(manifest, { component, name, dependency, path: [...path, name] }, findings);
  }
  checkDisjoint(names, path, findings);
}

interface NamedDependency {
  readonly component: ManifestComponent;
  readonly name: string;
  readonly dependency: ComponentDependency;
  readonly path: KeyPath;
}

function checkDependency(manifest: ManifestContent, named: NamedDependency, findings: Findings): void {
  const { component, name, dependency, path } = named;
  const parsed = parseDependencyName(name);
  const table = typeof dependency === "string" ? undefined : dependency;
  const hasOnlyVersion = table === undefined || ("version" in table && table.package === undefined);
  if (parsed?.kind === "plain" && hasOnlyVersion) {
    const message = `Dependency "${name}" must specify a package name`;
    findings.error(
      path,
      { code: "MANIFEST_DEPENDENCY", message, hint: 'Add `package = "namespace:name"`.' },
      "key",
    );
  }
  if (parsed?.kind === "package" && parsed.interfaceName === undefined && table?.export !== undefined) {
    const message = `Dependency "${name}" is a whole package, which no single export can satisfy`;
    const hint = `Remove \`export\`, or name an interface: "${name}/interface".`;
    findings.error([...path, "export"], { code: "MANIFEST_DEPENDENCY", message, hint }, "key");
  }
  if (
    table?.inherit_configuration !== undefined &&
    component.dependenciesInheritConfiguration !== undefined
  ) {
    const message = "`inherit_configuration` and `dependencies_inherit_configuration` exclude each other";
    const hint = "Remove one of the two.";
    findings.error(
      [...path, "inherit_configuration"],
      { code: "MANIFEST_FIELD_CONFLICT", message, hint },
      "key",
    );
  }
  if (table && "component" in table) checkComponentDependency(manifest, table.component, named, findings);
}

function checkComponentDependency(
  { components }: ManifestContent,
  id: string,
  { component, path }: NamedDependency,
  findings: Findings,
): void {
  const target = components.find((candidate) => candidate.id === id);
  const at = [...path, "component"];
  if (!target) {
    const ids = components.map((candidate) => candidate.id);
    const hint = suggestComponent(id, ids);
    const message = `Component "${component.id}" depends on component "${id}", which does not exist`;
    findings.error(at, { code: "MANIFEST_REFERENCE_UNKNOWN", message, hint });
    return;
  }
  const own = ownResources(target);
  if (own.length === 0) return;
  const message = `Component "${id}" cannot be a dependency of "${component.id}": it has resources or permissions of its own: ${own.join(", ")}`;
  findings.error(at, { code: "MANIFEST_DEPENDENCY", message });
}

/** What a dependency may not have, because it runs with the permissions of who depends on it. */
function ownResources(component: ManifestComponent): readonly string[] {
  const counts = {
    ai_models: component.aiModels.length,
    allowed_outbound_hosts: component.allowedOutboundHosts.length,
    dependencies: Object.keys(component.dependencies).length,
    environment: Object.keys(component.environment).length,
    files: component.files.length,
    key_value_stores: component.keyValueStores.length,
    sqlite_databases: component.sqliteDatabases.length,
    variables: Object.keys(component.variables).length,
  };
  return Object.entries(counts).flatMap(([field, count]) => (count > 0 ? field : []));
}

/** No import may be satisfied by two dependencies. */
function checkDisjoint(names: readonly string[], path: KeyPath, findings: Findings): void {
  const seen: { readonly name: string; readonly parsed: DependencyName }[] = [];
  for (const name of names) {
    const parsed = parseDependencyName(name);
    if (!parsed) continue;
    const other = seen.find((candidate) => overlap(candidate.parsed, parsed));
    if (other) {
      const message = `Dependency "${name}" conflicts with "${other.name}": both can satisfy the same import`;
      findings.error([...path, name], { code: "MANIFEST_DEPENDENCY", message }, "key");
    }
    seen.push({ name, parsed });
  }
}

function overlap(one: DependencyName, other: DependencyName): boolean {
  if (one.kind === "plain" || other.kind === "plain" || one.packageName !== other.packageName) return false;
  const sameVersion =
    !one.version || !other.version || semverTrack(one.version) === semverTrack(other.version);
  const sameInterface =
    one.interfaceName === undefined ||
    other.interfaceName === undefined ||
    one.interfaceName === other.interfaceName;
  return sameVersion && sameInterface;
}

/** Versions of one track can stand for each other: 1.x, 0.2.x; each pre-release is a track of its own. */
function semverTrack({ major, minor, patch, prerelease }: SemVer): string {
  if (prerelease.length > 0) return `${major}.${minor}.${patch}-${prerelease.join(".")}`;
  if (major > 0) return `${major}`;
  return minor > 0 ? `0.${minor}` : `0.0.${patch}`;
}
