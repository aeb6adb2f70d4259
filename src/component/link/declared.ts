// Types of imports and exports: what a host or a test has to provide for them, and whether an item fits.

import type { AliasDefinition, ExternType } from "../binary/component.ts";
import { MalformedComponentError, UnsupportedComponentError } from "../binary/component-error.ts";
import type { LayoutTable } from "../canonical/layout.ts";
import type { ResourceType, ValueType } from "../types.ts";
import { acceptsModule, coreTypeItem, type ModuleType, resolveModuleType } from "./core-types.ts";
import { ExternItems } from "./names.ts";
import type { PlanBuilder } from "./plan-builder.ts";
import { TypeResolver } from "./resolve-type.ts";
import { type DeclaredType, type FunctionItem, type Item, Scope, type Type } from "./scope.ts";

/** The type of an import or export. */
export type Extern =
  | ({ readonly kind: "core module" } & ModuleType)
  | { readonly kind: "func"; readonly type: FunctionItem["type"] }
  | { readonly kind: "type"; readonly bound: "resource" | Type }
  | DeclaredType;

export interface Place {
  readonly scope: Scope;
  readonly offset: number;
}

/** @throws MalformedComponentError */
export function resolveExtern(layouts: LayoutTable, type: ExternType, { scope, offset }: Place): Extern {
  const resolver = new TypeResolver(layouts, scope, offset);
  switch (type.kind) {
    case "core module":
      return { kind: "core module", ...resolveModuleType(scope.get("core type", type.type, offset), offset) };
    case "func":
      return { kind: "func", type: resolver.func(type.type) };
    case "component":
    case "instance":
      return resolver.declared(type.kind, type.type);
    case "type": {
      const { bound } = type;
      if (bound === "resource") return { kind: "type", bound };
      return { kind: "type", bound: scope.get("type", bound.equal, offset).type };
    }
  }
}

/** The item that an alias stands for. @throws MalformedComponentError */
export function resolveAlias({ sort, target }: AliasDefinition, { scope, offset }: Place): Item {
  switch (target.kind) {
    case "outer":
      return scope.outer(target.scopes, offset).item({ sort, index: target.index }, offset);
    case "export": {
      const item = scope.get("instance", target.instance, offset).exports.get(target.name);
      if (item?.kind === sort) return item;
      throw new MalformedComponentError(`an instance has no ${sort} "${target.name}"`, offset);
    }
    case "core export": {
      const item = scope.get("core instance", target.instance, offset).exports.get(target.name);
      if (item?.kind === sort) return item;
      throw new MalformedComponentError(`a core instance has no ${sort} "${target.name}"`, offset);
    }
  }
}

type Named = { readonly name: string; readonly extern: Extern; readonly offset: number };

/** Gives the items for what a type declares. */
export interface Supply {
  import?(named: Named): Item;
  export(named: Named): Item;
}

/**
 * Goes through a type's declarations, with items for its imports and exports, and returns the exports.
 *
 * @throws MalformedComponentError
 */
export function declare(plan: PlanBuilder, type: DeclaredType, supply: Supply): Map<string, Item> {
  const scope = new Scope(type.scope);
  const imports = new ExternItems("import");
  const exports = new ExternItems("export");
  for (const declaration of type.declarations) {
    const { offset } = declaration;
    plan.step(offset);
    switch (declaration.kind) {
      case "core type":
        scope.add(coreTypeItem(scope, declaration.type, offset));
        break;
      case "type": {
        const definition = declaration.type;
        if (definition.kind === "resource") {
          throw new MalformedComponentError("a type defines a resource", offset);
        }
        scope.add({ kind: "type", type: new TypeResolver(plan.layouts, scope, offset).resolve(definition) });
        break;
      }
      case "alias":
        scope.add(resolveAlias(declaration, { scope, offset }));
        break;
      case "import":
      case "declared export": {
        const { name } = declaration;
        const extern = resolveExtern(plan.layouts, declaration.type, { scope, offset });
        const isImport = declaration.kind === "import";
        const give = isImport ? supply.import : supply.export;
        if (!give) throw new MalformedComponentError("an instance type has an import", offset);
        const item = give({ name, extern, offset });
        (isImport ? imports : exports).add(name, item, offset);
        scope.add(item);
        break;
      }
    }
  }
  return exports.items;
}

/** Makes items for what is not known but by its type. */
export interface Provider {
  /** Which of several composed components imports it; see `ImportedFunction`. */
  readonly importer: string | undefined;
  resource(interfaceName: string, name: string): ResourceType;
  /** Whether modules and components can be provided: a host cannot. */
  readonly providesCode: boolean;
}

/** What a plan's host provides. */
export function hostProvider(plan: PlanBuilder, importer: string | undefined): Provider {
  return {
    importer,
    resource: (interfaceName, name) => plan.importedResource(interfaceName, name),
    providesCode: false,
  };
}

/** Stands for anything that has the right type, and is like nothing else. */
export const anyProvider: Provider = {
  importer: undefined,
  resource: (interfaceName, name) => ({ kind: "imported", interface: interfaceName, name }),
  providesCode: true,
};

/** Where a provided item is: in an instance, or on its own. */
export interface Path {
  readonly interface: string | undefined;
  readonly name: string;
  readonly offset: number;
}

/** The interface of what a component imports by itself. */
const ROOT_INTERFACE = "$root";

/** @throws UnsupportedComponentError for code that a host cannot provide */
export function provide(plan: PlanBuilder, provider: Provider, extern: Extern, path: Path): Item {
  switch (extern.kind) {
    case "func": {
      const { interface: interfaceName, name } = path;
      const origin = { kind: "import", interface: interfaceName, name, importer: provider.importer } as const;
      return { kind: "func", type: extern.type, origin };
    }
    case "type":
      if (extern.bound !== "resource") return { kind: "type", type: extern.bound };
      return {
        kind: "type",
        type: { kind: "resource", resource: provider.resource(path.interface ?? ROOT_INTERFACE, path.name) },
      };
    case "instance":
      return { kind: "instance", exports: provideInstance(plan, provider, extern, path) };
    case "core module":
      if (!provider.providesCode) throw new UnsupportedComponentError("an imported module", path.offset);
      return extern;
    case "component":
      if (!provider.providesCode) throw new UnsupportedComponentError("an imported component", path.offset);
      return { kind: "component", source: { kind: "declared", type: extern } };
  }
}

function provideInstance(
  plan: PlanBuilder,
  provider: Provider,
  type: DeclaredType,
  path: Path,
): Map<string, Item> {
  // An instance in an instance has no name in WIT; hosts that are not WIT's see a path.
  const interfaceName = path.interface === undefined ? path.name : `${path.interface}/${path.name}`;
  return plan.deeper(path.offset, () =>
    declare(plan, type, {
      export: ({ name, extern, offset }) =>
        provide(plan, provider, extern, { interface: interfaceName, name, offset }),
    }),
  );
}

/**
 * Returns the item as its type lets it be seen: with no more exports than those that are declared.
 *
 * @throws MalformedComponentError if it does not fit
 */
export function match(
  plan: PlanBuilder,
  extern: Extern,
  item: Item | undefined,
  path: { readonly name: string; readonly offset: number },
): Item {
  const { name, offset } = path;
  if (item === undefined) throw new MalformedComponentError(`nothing is given for "${name}"`, offset);
  if (item.kind !== extern.kind) {
    throw new MalformedComponentError(`"${name}" is a ${item.kind}, not a ${extern.kind}`, offset);
  }
  const misfit = (): never => {
    throw new MalformedComponentError(`the ${extern.kind} given for "${name}" has another type`, offset);
  };
  switch (extern.kind) {
    case "func":
      // The kinds are the same.
      if (!sameFunction(plan.layouts, extern.type, (item as FunctionItem).type)) misfit();
      return item;
    case "core module":
      if (item.kind === "core module" && !acceptsModule(extern, item)) misfit();
      return item;
    case "type":
      if (item.kind === "type" && !sameType(plan.layouts, extern.bound, item.type)) misfit();
      return item;
    case "instance":
      return item.kind === "instance" ? matchInstance(plan, extern, item.exports, path) : misfit();
    case "component":
      // What it needs and what it gives is compared where it is instantiated.
      return item;
  }
}

function matchInstance(
  plan: PlanBuilder,
  type: DeclaredType,
  given: ReadonlyMap<string, Item>,
  path: { readonly name: string; readonly offset: number },
): Item {
  const exports = plan.deeper(path.offset, () =>
    declare(plan, type, {
      export: ({ name, extern }) =>
        match(plan, extern, given.get(name), { name: `${path.name}" "${name}`, offset: path.offset }),
    }),
  );
  return { kind: "instance", exports };
}

function sameType(layouts: LayoutTable, bound: "resource" | Type, type: Type): boolean {
  if (bound === "resource") return type.kind === "resource";
  switch (bound.kind) {
    case "value":
      return type.kind === "value" && sameValue(layouts, bound.value, type.value);
    case "func":
      return type.kind === "func" && sameFunction(layouts, bound.func, type.func);
    case "resource":
      return type.kind === "resource" && type.resource === bound.resource;
    default:
      return type.kind === bound.kind;
  }
}

/** Parameters are compared with their names. A function that holds something we have not got is an error where it is used, not here. */
export function sameFunction(
  layouts: LayoutTable,
  a: FunctionItem["type"],
  b: FunctionItem["type"],
): boolean {
  if (a === b) return true;
  if (a instanceof UnsupportedComponentError || b instanceof UnsupportedComponentError) return true;
  return (
    a.params.length === b.params.length &&
    a.params.every(({ name, type }, at) => {
      const other = b.params[at];
      return other?.name === name && sameValue(layouts, type, other.type);
    }) &&
    sameValue(layouts, a.result, b.result)
  );
}

function sameValue(layouts: LayoutTable, a: ValueType | undefined, b: ValueType | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && layouts.of(a) === layouts.of(b));
}
