// Makes the link plan of a component, with the components that it depends on linked in.
//
// A dependency is instantiated once, before the component that needs it, and its exports are given for
// imports. Both share the imports of the host: a resource of the host is the same type for all of them.

import { readComponent } from "../binary/read-component.ts";
import type { ComponentPlan } from "../plan.ts";
import { findOnTrack } from "../wit/interface-name.ts";
import { hostProvider, match, provide } from "./declared.ts";
import { exportedItems } from "./exported-items.ts";
import { type Importer, instantiate } from "./instantiate.ts";
import { PlanBuilder } from "./plan-builder.ts";
import type { Item } from "./scope.ts";

/** A component that gives another what it imports. */
export interface Dependency {
  /** Which imports of the host are its own; see `ImportedFunction.importer`. */
  readonly label: string;
  readonly bytes: Uint8Array;
  /** What satisfies its own imports, other than the host. */
  readonly dependencies?: Dependencies;
}

/** By the name of the import, as it is in the component. */
export type Dependencies = Readonly<Record<string, DependencyExport>>;

export interface DependencyExport {
  /** The same object for several imports is instantiated once. */
  readonly dependency: Dependency;
  /** Which export to give. Without it: the one of the import's name, or else of another version of it that fits. */
  readonly exportName?: string;
}

/** A dependency does not have what it is to give, or the component does not import what it is to be given. */
export class CompositionError extends Error {
  override readonly name = "CompositionError";
  readonly importName: string;

  constructor(reason: string, importName: string) {
    super(reason);
    this.importName = importName;
  }
}

/**
 * @throws MalformedComponentError
 * @throws UnsupportedComponentError
 */
export function planComponent(bytes: Uint8Array): ComponentPlan {
  return composeComponents(bytes, {});
}

/**
 * Plans a component whose imports of these names are given by other components.
 *
 * @throws CompositionError
 * @throws MalformedComponentError also if an export has another type than the import it is given for
 * @throws UnsupportedComponentError
 */
export function composeComponents(bytes: Uint8Array, dependencies: Dependencies): ComponentPlan {
  const composition = new Composition();
  const exports = composition.instantiate({ label: undefined, bytes, dependencies });
  return composition.plan.build({
    importNames: [...composition.importNames],
    exports: exportedItems(composition.plan, exports),
  });
}

class Composition {
  readonly plan = new PlanBuilder();
  readonly importNames = new Set<string>();
  readonly #exports = new Map<Dependency, ReadonlyMap<string, Item>>();

  instantiate(part: {
    readonly label: string | undefined;
    readonly bytes: Uint8Array;
    readonly dependencies: Dependencies;
  }): ReadonlyMap<string, Item> {
    const provider = hostProvider(this.plan, part.label);
    const missing = new Set(Object.keys(part.dependencies));
    const give: Importer = ({ name, extern, offset }) => {
      const source = Object.hasOwn(part.dependencies, name) ? part.dependencies[name] : undefined;
      if (source) {
        missing.delete(name);
        return match(this.plan, extern, this.#given(name, source), { name, offset });
      }
      this.importNames.add(name);
      return provide(this.plan, provider, extern, { interface: undefined, name, offset });
    };
    const component = readComponent(part.bytes);
    const exports = instantiate(this.plan, { component, outer: undefined, give, checksNested: true });
    for (const name of missing) throw new CompositionError(`The component does not import "${name}"`, name);
    return exports;
  }

  #given(importName: string, { dependency, exportName = importName }: DependencyExport): Item {
    const exports = this.#exports.get(dependency) ?? this.instantiate({ dependencies: {}, ...dependency });
    this.#exports.set(dependency, exports);
    const item = exports.get(exportName) ?? exports.get(findOnTrack(exportName, exports.keys()) ?? "");
    if (item) return item;
    const has = [...exports.keys()].map((name) => `"${name}"`).join(", ");
    throw new CompositionError(
      `The dependency "${dependency.label}" does not export "${exportName}": it exports ${has || "nothing"}`,
      importName,
    );
  }
}
