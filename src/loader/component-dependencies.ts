// The components that a component depends on: their binaries, and what of its configuration they may use.

import {
  type ComponentDependency,
  type ComponentSource,
  type Dependency,
  INHERITABLE,
  type Inheritable,
  type ManifestComponent,
} from "../manifest/mod.ts";
import { loadModuleSource, type SourcePlace } from "./module-source.ts";
import type { Report } from "./report.ts";

/** Those that cannot be had are missing from the result, and told to `report`. */
export async function loadDependencies(
  place: SourcePlace,
  component: ManifestComponent,
  report: Report,
): Promise<Readonly<Record<string, Dependency>>> {
  const loaded: Record<string, Dependency> = {};
  for (const [name, dependency] of Object.entries(component.dependencies)) {
    const named = {
      componentId: component.id,
      source: sourceOf(name, dependency),
      at: [...component.path, "dependencies", name],
      hint: "Build the dependency, or correct its `path` in the manifest.",
    };
    const source = await loadModuleSource(place, named, report);
    if (source) loaded[name] = { source, ...optionsOf(dependency) };
  }
  return loaded;
}

/** Whatever is not on disk and has no URL is in a registry. */
function sourceOf(name: string, dependency: ComponentDependency): ComponentSource {
  if (typeof dependency === "string") return { package: name, version: dependency };
  if ("path" in dependency) return dependency.path;
  if ("url" in dependency) return { url: dependency.url, digest: dependency.digest };
  const version = "version" in dependency ? dependency.version : "";
  return { package: ("package" in dependency ? dependency.package : undefined) ?? name, version };
}

function optionsOf(dependency: ComponentDependency): Omit<Dependency, "source"> {
  if (typeof dependency === "string") return { inherits: [] };
  return {
    ...(dependency.export !== undefined && { export: dependency.export }),
    inherits: inheritedBy(dependency.inherit_configuration),
  };
}

function inheritedBy(inherit: boolean | readonly Inheritable[] | undefined): readonly Inheritable[] {
  if (typeof inherit === "object") return inherit;
  return inherit ? INHERITABLE : [];
}
