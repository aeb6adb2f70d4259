// Links a component with the components that it depends on, by names: see `dependencies` in spin.toml.
//
// A dependency is named after an import (`ns:package/interface@version`, `plain-name`) or after a package,
// and then gives every import that is of it. Versions match on the same track of semver.

import { readFile } from "node:fs/promises";
import {
  type ComponentPlan,
  CompositionError,
  composeComponents,
  type Dependencies,
  type Dependency as Part,
  planComponent,
  planCoreModule,
  trackOf,
} from "../component/mod.ts";
import type { Component, Dependency } from "../manifest/mod.ts";
import { isComponent } from "../wasm/mod.ts";

export interface Binary {
  readonly bytes: Buffer;
  /** With the bytes of each. */
  readonly dependencies: Readonly<Record<string, Dependency & { readonly bytes: Uint8Array }>>;
}

export async function readBinary({ source, dependencies }: Component): Promise<Binary> {
  const read: Record<string, Binary["dependencies"][string]> = {};
  for (const [name, dependency] of Object.entries(dependencies))
    read[name] = { ...dependency, bytes: await readFile(dependency.source.path) };
  return { bytes: await readFile(source.path), dependencies: read };
}

/**
 * The link plan of a component, or of a core module that is run as one; `undefined` for other core modules.
 *
 * @throws CompositionError if a dependency cannot give what it is named for
 * @throws MalformedModuleError, MalformedComponentError or UnsupportedComponentError
 */
export function planBinary({ bytes, dependencies }: Binary): ComponentPlan | undefined {
  const plan = isComponent(bytes) ? planComponent(bytes) : planCoreModule(bytes);
  const names = Object.keys(dependencies);
  const [first] = names;
  if (first === undefined) return plan;
  if (!plan) throw new CompositionError("A core module cannot have dependencies", first);
  return composeComponents(bytes, assign(importNames(plan), dependencies));
}

function importNames({ imports }: ComponentPlan): readonly string[] {
  return [...new Set(imports.map((item) => item.interface ?? item.name))];
}

/** Which dependency gives each import. One that is named for nothing that is imported is a mistake. */
function assign(names: readonly string[], dependencies: Binary["dependencies"]): Dependencies {
  const given: Record<string, Dependencies[string]> = {};
  for (const [label, { bytes, export: exportName }] of Object.entries(dependencies)) {
    const matching = names.filter((name) => isNamed(name, label));
    if (matching.length === 0)
      throw new CompositionError(`The component imports nothing of "${label}"`, label);
    // One object, so that all imports get the exports of one instance.
    const dependency: Part = { label, bytes };
    for (const name of matching)
      given[name] = { dependency, ...(exportName !== undefined && { exportName }) };
  }
  return given;
}

/** Which of the dependencies gives an import; `undefined`: none. */
export function dependencyOf(
  importName: string,
  dependencies: Readonly<Record<string, unknown>>,
): string | undefined {
  return Object.keys(dependencies).find((label) => isNamed(importName, label));
}

/** Whether an import is what a dependency is named after. */
function isNamed(importName: string, dependencyName: string): boolean {
  const imported = trackOf(importName);
  const wanted = trackOf(dependencyName);
  const isSameName = wanted.name.includes("/")
    ? imported.name === wanted.name
    : imported.name === wanted.name || imported.name.startsWith(`${wanted.name}/`);
  return isSameName && (wanted.version === undefined || wanted.track === imported.track);
}
