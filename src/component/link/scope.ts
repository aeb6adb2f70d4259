// What the indices of a component stand for, once it is instantiated.
//
// Instantiation is static, so an item is the thing itself, not a description of it: a function that is
// imported and passed on through three components is one item in four index spaces, and so is a resource
// type, which makes two types equal exactly if they are the same.

import type { ExternType as CoreExternType, CoreModule } from "../../wasm/mod.ts";
import type {
  Component,
  CoreModuleDefinition,
  CoreTypeDefinition,
  Declaration,
  ItemIndex,
  Sort,
} from "../binary/component.ts";
import { MalformedComponentError, type UnsupportedComponentError } from "../binary/component-error.ts";
import type { CoreSource, LiftedFunction } from "../plan.ts";
import type { FunctionType, ResourceType, ValueType } from "../types.ts";

/** Everything that an index may stand for. `kind` is the sort of the index. */
export type Item =
  | CoreItem
  | CoreInstanceItem
  | ModuleItem
  | { readonly kind: "core type"; readonly type: CoreTypeDefinition; readonly scope: Scope }
  | FunctionItem
  | TypeItem
  | ComponentItem
  | InstanceItem
  | { readonly kind: "value" };

type CoreExternTypeOf<K> = Extract<CoreExternType, { readonly kind: K }>;
export type CoreItem = {
  readonly [K in CoreExternType["kind"]]: {
    readonly kind: `core ${K}`;
    readonly type: CoreExternTypeOf<K>;
    /** Where it comes from. Called when it is used: only what is used becomes part of the plan. */
    source(): CoreSource;
  };
}[CoreExternType["kind"]];

export interface CoreInstanceItem {
  readonly kind: "core instance";
  readonly exports: ReadonlyMap<string, CoreItem>;
}

export interface ModuleItem {
  readonly kind: "core module";
  readonly imports: CoreModule["imports"];
  readonly exports: readonly CoreExport[];
  /** Absent for a module of which no more than the type is known. */
  readonly definition?: CoreModuleDefinition;
}

export type CoreExport = CoreExternType & { readonly name: string };

export interface FunctionItem {
  readonly kind: "func";
  readonly type: FunctionType | UnsupportedComponentError;
  readonly origin: FunctionOrigin;
}

/** One object for each function; its identity tells functions apart. */
export type FunctionOrigin =
  | {
      readonly kind: "import";
      readonly interface: string | undefined;
      readonly name: string;
      readonly importer: string | undefined;
    }
  | { readonly kind: "lift"; lift(): LiftedFunction };

export interface TypeItem {
  readonly kind: "type";
  readonly type: Type;
}

export type Type =
  | { readonly kind: "value"; readonly value: ValueType }
  | { readonly kind: "func"; readonly func: FunctionType }
  | { readonly kind: "resource"; readonly resource: ResourceType }
  | DeclaredType
  /** A type that holds something we have not got. It is an error only if it is used. */
  | { readonly kind: "unsupported"; readonly error: UnsupportedComponentError };

/** The type of a component or instance: what it declares, and the scope that its outer aliases look into. */
export interface DeclaredType {
  readonly kind: "component" | "instance";
  readonly declarations: readonly Declaration[];
  readonly scope: Scope;
}

export interface ComponentItem {
  readonly kind: "component";
  readonly source:
    | { readonly kind: "definition"; readonly component: Component; readonly scope: Scope | undefined }
    /** A component of which no more than the type is known. */
    | { readonly kind: "declared"; readonly type: DeclaredType };
}

export interface InstanceItem {
  readonly kind: "instance";
  readonly exports: ReadonlyMap<string, Item>;
}

export type ItemOf<S extends Sort> = Extract<Item, { readonly kind: S }>;

/** The index spaces of a component, or of a type that declares things. */
export class Scope {
  readonly #outer: Scope | undefined;
  readonly #spaces = new Map<Sort, Item[]>();

  constructor(outer: Scope | undefined) {
    this.#outer = outer;
  }

  add(item: Item): void {
    const space = this.#spaces.get(item.kind);
    if (space) space.push(item);
    else this.#spaces.set(item.kind, [item]);
  }

  /** @throws MalformedComponentError */
  get<S extends Sort>(sort: S, index: number, offset: number): ItemOf<S> {
    const space = this.#spaces.get(sort);
    const item = space?.[index];
    if (item === undefined) {
      throw new MalformedComponentError(`${sort} ${index} of ${space?.length ?? 0}`, offset);
    }
    // An item is only ever added to the space of its kind.
    return item as ItemOf<S>;
  }

  item({ sort, index }: ItemIndex, offset: number): Item {
    return this.get(sort, index, offset);
  }

  /** @throws MalformedComponentError */
  outer(scopes: number, offset: number): Scope {
    let scope: Scope | undefined = this;
    for (let left = scopes; left > 0 && scope; left--) scope = scope.#outer;
    if (!scope) throw new MalformedComponentError(`there are not ${scopes} scopes around`, offset);
    return scope;
  }
}

export function isCoreItem(item: Item): item is CoreItem {
  switch (item.kind) {
    case "core func":
    case "core table":
    case "core memory":
    case "core global":
    case "core tag":
      return true;
    default:
      return false;
  }
}

/** The item that has a core type of its kind. */
export function coreItem(type: CoreExternType, source: () => CoreSource): CoreItem {
  // Both kinds are taken from the same type.
  return { kind: `core ${type.kind}`, type, source } as CoreItem;
}
