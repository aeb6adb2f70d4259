// Instantiates components, on paper: goes through their definitions in order, and adds what they make to a plan.
//
// Facts: "Canonical definitions" in design/mvp/Explainer.md, WebAssembly/component-model.

import type {
  CanonDefinition,
  CanonOptions,
  Component,
  CoreArgument,
  Definition,
  NamedItem,
} from "../binary/component.ts";
import { MalformedComponentError, UnsupportedComponentError } from "../binary/component-error.ts";
import type { Builtin, CanonicalOptions, CoreImport, CoreRef, CoreSource } from "../plan.ts";
import type { ResourceType } from "../types.ts";
import { type CoreSignature, coreSignature, type Direction } from "./core-signature.ts";
import { acceptsCore, coreTypeItem, sameCoreFunction } from "./core-types.ts";
import {
  anyProvider,
  declare,
  type Extern,
  match,
  provide,
  resolveAlias,
  resolveExtern,
} from "./declared.ts";
import { addNamed, ExternItems } from "./names.ts";
import type { PlanBuilder } from "./plan-builder.ts";
import { TypeResolver } from "./resolve-type.ts";
import {
  type ComponentItem,
  type CoreInstanceItem,
  type CoreItem,
  coreItem,
  type DeclaredType,
  type FunctionItem,
  type Item,
  type ItemOf,
  isCoreItem,
  type ModuleItem,
  Scope,
} from "./scope.ts";

/** Gives the item for an import. */
export type Importer = (named: {
  readonly name: string;
  readonly extern: Extern;
  readonly offset: number;
}) => Item;

export interface Instantiation {
  readonly component: Component;
  /** The scope around the component. */
  readonly outer: Scope | undefined;
  readonly give: Importer;
  /** The component instance that makes this one, if the host does not. */
  readonly parent?: number;
  /** Whether components within are checked even if nothing instantiates them. */
  readonly checksNested: boolean;
}

/**
 * @throws MalformedComponentError
 * @throws UnsupportedComponentError
 */
export function instantiate(plan: PlanBuilder, instantiation: Instantiation): ReadonlyMap<string, Item> {
  const { offset, definitions } = instantiation.component;
  return plan.deeper(offset, () => {
    const instance = new ComponentInstance(
      plan,
      instantiation,
      plan.addComponentInstance(instantiation.parent, offset),
    );
    for (const definition of definitions) instance.define(definition);
    return instance.exports;
  });
}

/** A resource type while it has no name yet: the first under which it is exported becomes its own. */
type DefinedResource = Extract<ResourceType, { readonly kind: "defined" }>;

class ComponentInstance {
  readonly #exports = new ExternItems("export");
  readonly #imports = new ExternItems("import");
  readonly #plan: PlanBuilder;
  readonly #instantiation: Instantiation;
  readonly #number: number;
  readonly #scope: Scope;

  constructor(plan: PlanBuilder, instantiation: Instantiation, number: number) {
    this.#plan = plan;
    this.#instantiation = instantiation;
    this.#number = number;
    this.#scope = new Scope(instantiation.outer);
  }

  get exports(): ReadonlyMap<string, Item> {
    return this.#exports.items;
  }

  define(definition: Definition): void {
    this.#plan.step(definition.offset);
    this.#scope.add(this.#item(definition));
  }

  #item(definition: Definition): Item {
    const { offset } = definition;
    const scope = this.#scope;
    switch (definition.kind) {
      case "core module":
        return this.#plan.module(definition);
      case "core instantiate":
        return this.#instantiateModule(
          scope.get("core module", definition.module, offset),
          definition.args,
          offset,
        );
      case "core exports":
        return this.#coreInstance(definition.exports, offset);
      case "core type":
        return coreTypeItem(scope, definition.type, offset);
      case "component":
        if (this.#instantiation.checksNested) check(this.#plan, definition.component, scope);
        return { kind: "component", source: { kind: "definition", component: definition.component, scope } };
      case "instantiate": {
        const args = this.#named(definition.args, offset);
        const component = scope.get("component", definition.component, offset);
        return {
          kind: "instance",
          exports: instantiateItem(this.#plan, component, { args, parent: this.#number, offset }),
        };
      }
      case "exports":
        return { kind: "instance", exports: this.#inline(definition.exports, offset) };
      case "alias":
        return resolveAlias(definition, { scope, offset });
      case "type":
        return { kind: "type", type: this.#type(definition.type, offset) };
      case "lift":
      case "lower":
      case "resource-new":
      case "resource-drop":
      case "resource-rep":
      case "unsupported canon":
        return this.#canon(definition, offset);
      case "start":
        throw new UnsupportedComponentError("a start function", offset);
      case "value":
        throw new UnsupportedComponentError("a value definition", offset);
      case "import":
        return this.#import(definition, offset);
      case "export":
        return this.#export(definition, offset);
    }
  }

  #named(named: readonly NamedItem[], offset: number): Map<string, Item> {
    const items = new Map<string, Item>();
    for (const { name, item } of named)
      addNamed(items, { name, item: this.#scope.item(item, offset) }, offset);
    return items;
  }

  #inline(exports: readonly NamedItem[], offset: number): ReadonlyMap<string, Item> {
    const named = new ExternItems("export");
    for (const { name, item } of exports) named.add(name, this.#scope.item(item, offset), offset);
    return named.items;
  }

  #coreInstance(exports: readonly NamedItem[], offset: number): CoreInstanceItem {
    const items = new Map<string, CoreItem>();
    for (const { name, item: index } of exports) {
      const item = this.#scope.item(index, offset);
      if (!isCoreItem(item))
        throw new MalformedComponentError(`a core instance exports a ${item.kind}`, offset);
      addNamed(items, { name, item }, offset);
    }
    return { kind: "core instance", exports: items };
  }

  #instantiateModule(module: ModuleItem, args: readonly CoreArgument[], offset: number): CoreInstanceItem {
    const given = new Map<string, CoreInstanceItem>();
    for (const { name, instance } of args) {
      addNamed(given, { name, item: this.#scope.get("core instance", instance, offset) }, offset);
    }
    const imports = module.imports.map((wanted): CoreImport => {
      const item = given.get(wanted.module)?.exports.get(wanted.name);
      const full = `"${wanted.module}" "${wanted.name}"`;
      if (!item) throw new MalformedComponentError(`nothing is given for the core import ${full}`, offset);
      const source = item.source();
      if (!acceptsCore(wanted, item.type)) {
        throw new MalformedComponentError(
          `what is given for the core import ${full} has another type`,
          offset,
        );
      }
      return { module: wanted.module, name: wanted.name, source };
    });
    const instance = this.#plan.instantiate(module.definition?.bytes ?? NO_BYTES, imports, offset);
    return coreInstanceItem(module, instance);
  }

  #type(
    definition: Extract<Definition, { readonly kind: "type" }>["type"],
    offset: number,
  ): ItemOf<"type">["type"] {
    if (definition.kind !== "resource") {
      const type = new TypeResolver(this.#plan.layouts, this.#scope, offset).resolve(definition);
      const isDeclared = type.kind === "component" || type.kind === "instance";
      if (isDeclared && this.#instantiation.checksNested) checkDeclared(this.#plan, type, offset);
      return type;
    }
    const resource: DefinedResource = { kind: "defined", name: undefined, owner: this.#number };
    if (definition.destructor === undefined) return { kind: "resource", resource };
    const destructor = this.#coreFunction(definition.destructor, { params: ["i32"], results: [] }, offset);
    return { kind: "resource", resource: { ...resource, destructor: this.#plan.ref(destructor, offset) } };
  }

  #coreFunction(index: number, type: CoreSignature["type"], offset: number): ItemOf<"core func"> {
    const item = this.#scope.get("core func", index, offset);
    if (!sameCoreFunction(item.type.type, type)) {
      throw new MalformedComponentError(`core func ${index} is not of type ${signatureText(type)}`, offset);
    }
    return item;
  }

  #canon(definition: CanonDefinition, offset: number): Item {
    switch (definition.kind) {
      case "lift":
        return this.#lift(definition, offset);
      case "lower":
        return this.#lower(definition, offset);
      case "resource-new":
      case "resource-rep":
      case "resource-drop":
        return this.#resourceFunction(definition, offset);
      case "unsupported canon":
        return coreItem({ kind: "func", type: { params: [], results: [] } }, () => {
          throw new UnsupportedComponentError(`canon ${definition.name}`, offset);
        });
    }
  }

  #lift(definition: Extract<CanonDefinition, { readonly kind: "lift" }>, offset: number): FunctionItem {
    const declared = new TypeResolver(this.#plan.layouts, this.#scope, offset).func(definition.type);
    const type = this.#unsupportedOption(definition.options, offset) ?? declared;
    const core = this.#scope.get("core func", definition.coreFunction, offset);
    if (type instanceof UnsupportedComponentError) return { kind: "func", type, origin: notLifted(type) };
    const signature = coreSignature(this.#plan.layouts, type, "lift");
    if (!sameCoreFunction(core.type.type, signature.type)) {
      throw new MalformedComponentError(
        `what is lifted is not of type ${signatureText(signature.type)}`,
        offset,
      );
    }
    const options = this.#options(definition.options, { signature, direction: "lift" }, offset);
    const lift = () => ({
      core: this.#plan.ref(core, offset),
      type,
      options: options(),
      componentInstance: this.#number,
    });
    return { kind: "func", type, origin: { kind: "lift", lift } };
  }

  #lower(definition: Extract<CanonDefinition, { readonly kind: "lower" }>, offset: number): CoreItem {
    const callee = this.#scope.get("func", definition.function, offset);
    const error = this.#unsupportedOption(definition.options, offset);
    const type = error ?? callee.type;
    if (type instanceof UnsupportedComponentError) {
      return coreItem({ kind: "func", type: { params: [], results: [] } }, () => {
        throw type;
      });
    }
    const signature = coreSignature(this.#plan.layouts, type, "lower");
    const options = this.#options(definition.options, { signature, direction: "lower" }, offset);
    const source = once(() =>
      this.#plan.lower({ type, options: options(), componentInstance: this.#number }, callee),
    );
    return coreItem({ kind: "func", type: signature.type }, source);
  }

  #unsupportedOption(
    { memory, unsupported }: CanonOptions,
    offset: number,
  ): UnsupportedComponentError | undefined {
    const [option] = unsupported;
    if (option !== undefined) return new UnsupportedComponentError(`the canon option ${option}`, offset);
    const is64 = memory !== undefined && this.#scope.get("core memory", memory, offset).type.type.is64;
    return is64 ? new UnsupportedComponentError("a 64-bit memory", offset) : undefined;
  }

  /** Checks the options, and returns what makes them: only what is used becomes part of the plan. */
  #options(
    options: CanonOptions,
    { signature, direction }: { readonly signature: CoreSignature; readonly direction: Direction },
    offset: number,
  ): () => CanonicalOptions {
    const memory =
      options.memory === undefined ? undefined : this.#scope.get("core memory", options.memory, offset);
    const realloc =
      options.realloc === undefined ? undefined : this.#coreFunction(options.realloc, REALLOC, offset);
    const postReturn =
      options.postReturn === undefined
        ? undefined
        : this.#coreFunction(options.postReturn, { params: signature.type.results, results: [] }, offset);
    if (postReturn && direction === "lower") {
      throw new MalformedComponentError("a lowered function has a post-return", offset);
    }
    if (!memory && (realloc || signature.needsMemory)) {
      throw new MalformedComponentError("a canon has no memory, and needs one", offset);
    }
    if (!realloc && signature.needsRealloc) {
      throw new MalformedComponentError("a canon has no realloc, and needs one", offset);
    }
    const ref = (item: ItemOf<"core func" | "core memory">): CoreRef => this.#plan.ref(item, offset);
    return () => ({
      stringEncoding: options.stringEncoding,
      ...(memory ? { memory: ref(memory) } : {}),
      ...(realloc ? { realloc: ref(realloc) } : {}),
      ...(postReturn ? { postReturn: ref(postReturn) } : {}),
    });
  }

  #resourceFunction(
    { kind, resource: index }: Extract<CanonDefinition, { readonly resource: number }>,
    offset: number,
  ): CoreItem {
    const resource = new TypeResolver(this.#plan.layouts, this.#scope, offset).resource(index);
    const isOwn = resource.kind === "defined" && resource.owner === this.#number;
    if (kind !== "resource-drop" && !isOwn) {
      throw new MalformedComponentError(`${kind} of a resource that the component does not define`, offset);
    }
    const builtin: Builtin = { kind, resource, componentInstance: this.#number };
    const type: CoreSignature["type"] = { params: ["i32"], results: kind === "resource-drop" ? [] : ["i32"] };
    return coreItem({ kind: "func", type }, () => ({ kind: "builtin", builtin }));
  }

  #import({ name, type }: Extract<Definition, { readonly kind: "import" }>, offset: number): Item {
    const extern = resolveExtern(this.#plan.layouts, type, { scope: this.#scope, offset });
    const item = this.#instantiation.give({ name, extern, offset });
    this.#imports.add(name, item, offset);
    return item;
  }

  #export(
    { name, item: index, type }: Extract<Definition, { readonly kind: "export" }>,
    offset: number,
  ): Item {
    const given = this.#scope.item(index, offset);
    if (isCoreItem(given) || given.kind === "core type" || given.kind === "core instance") {
      throw new MalformedComponentError(`"${name}" exports a ${given.kind}`, offset);
    }
    const place = { scope: this.#scope, offset };
    const item = type
      ? match(this.#plan, resolveExtern(this.#plan.layouts, type, place), given, { name, offset })
      : given;
    nameResource(item, name);
    this.#exports.add(name, item, offset);
    return item;
  }
}

const REALLOC: CoreSignature["type"] = { params: ["i32", "i32", "i32", "i32"], results: ["i32"] };
/** For a module of which only the type is known: no plan that has it is used. */
const NO_BYTES = new Uint8Array();

/** A component that is instantiated by another. */
function instantiateItem(
  plan: PlanBuilder,
  { source }: ComponentItem,
  context: { readonly args: ReadonlyMap<string, Item>; readonly parent: number; readonly offset: number },
): ReadonlyMap<string, Item> {
  const { args, parent, offset } = context;
  const give: Importer = ({ name, extern }) => match(plan, extern, args.get(name), { name, offset });
  switch (source.kind) {
    case "definition":
      return instantiate(plan, {
        component: source.component,
        outer: source.scope,
        give,
        parent,
        checksNested: false,
      });
    case "declared":
      return plan.deeper(offset, () =>
        declare(plan, source.type, {
          import: give,
          export: ({ name, extern, offset: at }) =>
            provide(plan, anyProvider, extern, { interface: undefined, name, offset: at }),
        }),
      );
  }
}

/** Checks a component as if it had been instantiated with anything that has the right types. */
function check(plan: PlanBuilder, component: Component, outer: Scope): void {
  const rehearsal = plan.rehearsal();
  const give: Importer = ({ name, extern, offset }) =>
    provide(rehearsal, anyProvider, extern, { interface: undefined, name, offset });
  try {
    instantiate(rehearsal, { component, outer, give, checksNested: true });
  } catch (error) {
    // It counts only if the component is instantiated in earnest.
    if (!(error instanceof UnsupportedComponentError)) throw error;
  }
}

/** Checks a type of a component or instance even if nothing is of that type. */
function checkDeclared(plan: PlanBuilder, type: DeclaredType, offset: number): void {
  const rehearsal = plan.rehearsal();
  const give: Importer = ({ name, extern, offset: at }) =>
    provide(rehearsal, anyProvider, extern, { interface: undefined, name, offset: at });
  plan.deeper(offset, () => declare(rehearsal, type, { import: give, export: give }));
}

export function coreInstanceItem(module: Pick<ModuleItem, "exports">, instance: number): CoreInstanceItem {
  const exports = module.exports.map((type): [string, CoreItem] => {
    const ref = { instance, name: type.name };
    return [type.name, coreItem(type, () => ({ kind: "export", ref }))];
  });
  return { kind: "core instance", exports: new Map(exports) };
}

function notLifted(error: UnsupportedComponentError): FunctionItem["origin"] {
  return {
    kind: "lift",
    lift: () => {
      throw error;
    },
  };
}

function nameResource(item: Item, name: string): void {
  if (item.kind !== "type" || item.type.kind !== "resource") return;
  const { resource } = item.type;
  if (resource.kind !== "defined" || resource.name !== undefined) return;
  // The plan is being made, and nobody else has seen the resource yet.
  const unnamed: { name: string | undefined } = resource;
  unnamed.name = name;
}

function once(make: () => CoreSource): () => CoreSource {
  let made: CoreSource | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function signatureText({ params, results }: CoreSignature["type"]): string {
  return `(${params.join(", ")}) -> (${results.join(", ")})`;
}
