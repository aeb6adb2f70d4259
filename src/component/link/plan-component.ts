// Makes the link plan of a component, with the components that it depends on linked in.
//
// A dependency is instantiated once, before the component that needs it, and its exports are given for
// imports. Both share the imports of the host: a resource of the host is the same type for all of them.

import { MalformedModuleError } from "../../wasm/mod.ts";
import { MalformedComponentError, UnsupportedComponentError } from "../binary/component-error.ts";
import { readComponent } from "../binary/read-component.ts";
import type { ComponentPlan } from "../plan.ts";
import { findOnTrack } from "../wit/interface-name.ts";
import { CompositionError } from "./composition-error.ts";
import { hostProvider, match, provide } from "./declared.ts";
import { exportedItems } from "./exported-items.ts";
import { hasComponentType } from "./has-component-type.ts";
import { type Importer, instantiate } from "./instantiate.ts";
import { PlanBuilder } from "./plan-builder.ts";
import type { Item } from "./scope.ts";
import { wrapModule } from "./wrap-module.ts";

const CORE_HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

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

/**
 * Plans a component, or a core module that describes one.
 *
 * @throws MalformedModuleError for a core module that is none
 * @throws MalformedComponentError
 * @throws UnsupportedComponentError
 */
export function planComponent(bytes: Uint8Array): ComponentPlan {
  return composeComponents(bytes, {});
}

/**
 * Plans a core module as the component that its `component-type` sections describe; `undefined` if it has none.
 *
 * @throws MalformedModuleError
 * @throws MalformedComponentError also if the module does not fit its component type
 * @throws UnsupportedComponentError
 */
export function planCoreModule(bytes: Uint8Array): ComponentPlan | undefined {
  return hasComponentType(bytes) ? composeComponents(bytes, {}) : undefined;
}

/**
 * Plans a component, or a core module that describes one, whose imports of these names other components give.
 *
 * @throws CompositionError for whatever is wrong with a dependency, or between it and the component
 * @throws MalformedModuleError
 * @throws MalformedComponentError
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

interface Part {
  readonly label: string | undefined;
  readonly bytes: Uint8Array;
  readonly dependencies: Dependencies;
}

interface PartExports {
  readonly exports: ReadonlyMap<string, Item>;
  /** Which imports count, if not all do. */
  readonly importNames?: ReadonlySet<string>;
}

class Composition {
  readonly plan = new PlanBuilder();
  readonly importNames = new Set<string>();
  readonly #exports = new Map<Dependency, ReadonlyMap<string, Item>>();

  instantiate({ label, bytes, dependencies }: Part): ReadonlyMap<string, Item> {
    const provider = hostProvider(this.plan, label);
    const missing = new Set(Object.keys(dependencies));
    const hosted = new Set<string>();
    const give: Importer = ({ name, extern, offset }) => {
      const source = Object.hasOwn(dependencies, name) ? dependencies[name] : undefined;
      if (source) {
        missing.delete(name);
        return blaming(source.dependency, () =>
          match(this.plan, extern, this.#given(name, source), { name, offset }),
        );
      }
      hosted.add(name);
      return provide(this.plan, provider, extern, { interface: undefined, name, offset });
    };
    const { exports, importNames = hosted } = this.#instantiate(bytes, give);
    for (const name of missing) {
      const blamed = dependencies[name]?.dependency.label ?? name;
      throw new CompositionError(`The component does not import "${name}"`, blamed, { kind: "import" });
    }
    for (const name of hosted) if (importNames.has(name)) this.importNames.add(name);
    return exports;
  }

  #instantiate(bytes: Uint8Array, give: Importer): PartExports {
    if (!isCoreModule(bytes)) {
      const component = readComponent(bytes);
      return { exports: instantiate(this.plan, { component, outer: undefined, give, checksNested: true }) };
    }
    const wrapped = wrapModule(this.plan, bytes, give);
    if (!wrapped) throw new MalformedComponentError("this is a core module that has no component type", 0);
    return wrapped;
  }

  #given(importName: string, { dependency, exportName = importName }: DependencyExport): Item {
    const exports = this.#exports.get(dependency) ?? this.instantiate({ dependencies: {}, ...dependency });
    this.#exports.set(dependency, exports);
    const item = exports.get(exportName) ?? exports.get(findOnTrack(exportName, exports.keys()) ?? "");
    if (item) return item;
    const has = [...exports.keys()].map((name) => `"${name}"`).join(", ");
    throw new CompositionError(
      `It does not export "${exportName}": it exports ${has || "nothing"}`,
      dependency.label,
      { kind: "export" },
    );
  }
}

/** What is wrong in there is the dependency's fault: its binary, or a type that is not that of the import. */
function blaming<T>({ label }: Dependency, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof MalformedComponentError || error instanceof MalformedModuleError)
      throw new CompositionError(`It does not fit: ${error.reason}`, label, { kind: "type", cause: error });
    if (error instanceof UnsupportedComponentError) {
      throw new CompositionError(`It ${error.reason}`, label, { kind: "unsupported", cause: error });
    }
    throw error;
  }
}

/** What is neither is read as a component, which says what is wrong with it. */
function isCoreModule(bytes: Uint8Array): boolean {
  return CORE_HEADER.every((byte, at) => bytes[at] === byte);
}
