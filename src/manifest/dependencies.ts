// The last step of reading a manifest: dependencies in the form that needs no look at other components.

import type { ManifestComponent } from "./manifest.ts";
import type { ComponentDependency, ComponentSource } from "./schema.ts";

/** Replaces dependencies on components by the sources of these, and says for each what it inherits. */
export function resolveDependencies(components: readonly ManifestComponent[]): readonly ManifestComponent[] {
  const sources = new Map(components.map(({ id, source }) => [id, source]));
  return components.map((component) => {
    const entries = Object.entries(component.dependencies).map(([name, dependency]) => {
      const inherited = component.dependenciesInheritConfiguration ? inheritAll(dependency) : dependency;
      return [name, resolve(inherited, sources)] as const;
    });
    return { ...component, dependencies: Object.fromEntries(entries) };
  });
}

/** A bare version requirement cannot say what it inherits, and inherits nothing. */
function inheritAll(dependency: ComponentDependency): ComponentDependency {
  return typeof dependency === "string" ? dependency : { ...dependency, inherit_configuration: true };
}

function resolve(
  dependency: ComponentDependency,
  sources: ReadonlyMap<string, ComponentSource>,
): ComponentDependency {
  if (typeof dependency === "string" || !("component" in dependency)) return dependency;
  const { component, ...rest } = dependency;
  const source = sources.get(component);
  if (typeof source === "string") return { path: source, ...rest };
  if (source && "url" in source) return { ...source, ...rest };
  if (source && "package" in source) return { ...source, version: `=${source.version}`, ...rest };
  return dependency;
}
