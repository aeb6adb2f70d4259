// Plans a binary, whatever it is, with the components that it depends on: see `dependencies` in spin.toml.
//
// A dependency is named after an import (`ns:package/interface@version`, `plain-name`) or after a package,
// and then gives every import that is of it. Versions match on the same track of semver.

import { isComponent } from "../../wasm/mod.ts";
import type { ComponentPlan } from "../plan.ts";
import { trackOf } from "../wit/interface-name.ts";
import { CompositionError } from "./composition-error.ts";
import {
  composeComponents,
  type Dependencies,
  type Dependency,
  planComponent,
  planCoreModule,
} from "./plan-component.ts";

export interface Binary {
  readonly bytes: Uint8Array;
  /** By the names that the manifest has for them. */
  readonly dependencies: Readonly<Record<string, BinaryDependency>>;
}

export interface BinaryDependency {
  readonly bytes: Uint8Array;
  /** The export to use, if its name differs from that of the import. */
  readonly export?: string;
}

/**
 * The link plan of a component, or of a core module that is run as one; `undefined` for other core modules.
 *
 * @throws CompositionError if a dependency cannot give what it is named for
 * @throws MalformedModuleError, MalformedComponentError or UnsupportedComponentError
 */
export function planBinary({ bytes, dependencies }: Binary): ComponentPlan | undefined {
  const plan = isComponent(bytes) ? planComponent(bytes) : planCoreModule(bytes);
  const [first] = Object.keys(dependencies);
  if (first === undefined) return plan;
  if (!plan) {
    throw new CompositionError("A core module imports nothing from components", first, { kind: "import" });
  }
  return composeComponents(bytes, assign(importNames(plan), dependencies));
}

/** Which of the dependencies gives an import, by its name; `undefined`: none. */
export function dependencyOf(importName: string, dependencies: Iterable<string>): string | undefined {
  for (const name of dependencies) if (isNamed(importName, name)) return name;
  return undefined;
}

function importNames({ importNames: all, imports }: ComponentPlan): readonly string[] {
  return [...new Set([...all, ...imports.map((item) => item.interface ?? item.name)])];
}

/** Which dependency gives each import. One that is named for nothing that is imported is a mistake. */
function assign(names: readonly string[], dependencies: Binary["dependencies"]): Dependencies {
  const given: Record<string, Dependencies[string]> = {};
  for (const [label, { bytes, export: exportName }] of Object.entries(dependencies)) {
    const matching = names.filter((name) => isNamed(name, label));
    if (matching.length === 0) throw new CompositionError(unnamed(names), label, { kind: "import" });
    // One object, so that all imports get the exports of one instance.
    const dependency: Dependency = { label, bytes };
    for (const name of matching)
      given[name] = { dependency, ...(exportName !== undefined && { exportName }) };
  }
  return given;
}

/** Imports of the host that every component has are no help. */
function unnamed(names: readonly string[]): string {
  const own = names.filter((name) => !name.startsWith("wasi:"));
  const list = own.map((name) => `"${name}"`).join(", ");
  return `The component has no import of that name${list === "" ? "" : `: it imports ${list}`}`;
}

/** Whether an import is what a dependency is named after. */
function isNamed(importName: string, dependencyName: string): boolean {
  const imported = trackOf(importName);
  const wanted = trackOf(dependencyName);
  const isSameName =
    imported.name === wanted.name ||
    (!wanted.name.includes("/") && imported.name.startsWith(`${wanted.name}/`));
  return isSameName && (wanted.version === undefined || wanted.track === imported.track);
}
