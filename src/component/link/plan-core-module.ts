// Makes the plan that runs a core module as the component which its `component-type` sections describe.
//
// It is as if `wasm-tools component new` had wrapped the module, with two differences. What the module
// imports beside its world stays a core import of the host: preview 1 of WASI is served directly, where an
// adapter would stand. And nothing stands between the module and its imports: their options name the
// memory and the allocator of the very instance that imports them.

import {
  type FunctionType as CoreFunctionType,
  type CoreModule,
  type Export,
  type ExternType,
  type Import,
  ModuleBuilder,
  readModule,
} from "../../wasm/mod.ts";
import { MalformedComponentError, UnsupportedComponentError } from "../binary/component-error.ts";
import type { CanonicalOptions, ComponentPlan, CoreRef, CoreSource, StringEncoding } from "../plan.ts";
import type { ResourceType } from "../types.ts";
import { readWorlds, type World } from "./component-type.ts";
import { type CoreNames, namesOfExports, readImportNames, type WorldImport } from "./core-names.ts";
import { type CoreSignature, coreSignature, type Direction } from "./core-signature.ts";
import { sameCoreFunction } from "./core-types.ts";
import { declare, type Extern, hostProvider, provide } from "./declared.ts";
import { exportedItems } from "./exported-items.ts";
import { functionType, PlanBuilder } from "./plan-builder.ts";
import type { DeclaredType, FunctionItem, Item, TypeItem } from "./scope.ts";
import { versionTrack } from "./version-track.ts";

/**
 * Returns `undefined` for a module that has no `component-type` section.
 *
 * @throws MalformedModuleError
 * @throws MalformedComponentError also if the module does not fit its component type
 * @throws UnsupportedComponentError
 */
export function planCoreModule(bytes: Uint8Array): ComponentPlan | undefined {
  const module = readModule(bytes);
  const plan = new PlanBuilder();
  const worlds = readWorlds(plan, module.customSections);
  return worlds.length === 0 ? undefined : new WrappedModule(plan, { bytes, module }).plan(worlds);
}

/** The only core instance but for helpers, and the only component instance. */
const INSTANCE = 0;
const COMPONENT_INSTANCE = 0;
const REALLOC: CoreFunctionType = { params: ["i32", "i32", "i32", "i32"], results: ["i32"] };
const DESTRUCTOR: CoreFunctionType = { params: ["i32"], results: [] };
const INITIALIZER: CoreFunctionType = { params: [], results: [] };
/** Sections of a start function that is the first function. */
const START_FIRST = [8, 1, 0];

interface ImportedItem {
  /** The name under which the world imports it, or the interface that has it. */
  readonly importName: string;
  readonly item: Item;
  readonly stringEncoding: StringEncoding;
}

type Named = { readonly name: string; readonly extern: Extern; readonly offset: number };

class WrappedModule {
  readonly #plan: PlanBuilder;
  readonly #bytes: Uint8Array;
  readonly #module: CoreModule;
  readonly #names: CoreNames;
  readonly #coreExports: ReadonlyMap<string, Export>;
  /** By the track of their interface, and the name in it. */
  readonly #imported = new Map<string, Map<string, ImportedItem>>();
  readonly #importNames = new Set<string>();
  readonly #exported = new Map<string, Item>();
  readonly #resources = new Map<string, TypeItem>();

  constructor(
    plan: PlanBuilder,
    { bytes, module }: { readonly bytes: Uint8Array; readonly module: CoreModule },
  ) {
    this.#plan = plan;
    this.#bytes = bytes;
    this.#module = module;
    this.#names = namesOfExports(module.exports);
    this.#coreExports = new Map(module.exports.map((item) => [item.name, item]));
  }

  plan(worlds: readonly World[]): ComponentPlan {
    this.#plan.addComponentInstance(0);
    for (const world of worlds) this.#addWorld(world);
    const imports = this.#module.imports.map((item) => {
      const { module, name } = item;
      return { module, name, source: this.#source(item) };
    });
    this.#plan.instantiate(this.#bytes, imports, 0);
    this.#initialize();
    const exports = exportedItems(this.#plan, this.#exported);
    return this.#plan.build({ importNames: [...this.#importNames], exports });
  }

  /** A reactor's initialiser runs when it is instantiated: it is the start function of a module that has nothing else. */
  #initialize(): void {
    const name = this.#names.initialize;
    const ref = this.#exportedFunction(name, INITIALIZER);
    if (!ref) return;
    const starter = new ModuleBuilder();
    starter.importFunction("", name, INITIALIZER);
    const bytes = Uint8Array.of(...starter.build(), ...START_FIRST);
    this.#plan.instantiate(bytes, [{ module: "", name, source: { kind: "export", ref } }], 0);
  }

  #addWorld({ type, stringEncoding }: World): void {
    const provider = hostProvider(this.#plan, undefined);
    declare(this.#plan, type, {
      import: ({ name, extern, offset }) => {
        const item = provide(this.#plan, provider, extern, { interface: undefined, name, offset });
        this.#addImport(name, item, stringEncoding);
        return item;
      },
      export: (named) => {
        const item = this.#export(named, { interface: undefined, stringEncoding });
        this.#exported.set(named.name, merged(this.#exported.get(named.name), item));
        return item;
      },
    });
  }

  /** Sections may each know a part of an interface. */
  #addImport(name: string, item: Item, stringEncoding: StringEncoding): void {
    const interfaceName = item.kind === "instance" ? name : undefined;
    const items = item.kind === "instance" ? item.exports : new Map([[name, item]]);
    const known = this.#interface(interfaceName) ?? new Map<string, ImportedItem>();
    this.#imported.set(importKey(interfaceName), known);
    for (const [key, entry] of items) {
      if (!known.has(key)) known.set(key, { importName: name, item: entry, stringEncoding });
    }
  }

  #interface(name: string | undefined): Map<string, ImportedItem> | undefined {
    return this.#imported.get(importKey(name));
  }

  #source(item: Import): CoreSource {
    const wanted = readImportNames(item.module, item.name);
    const source = wanted.isOfExport ? this.#exportedResource(wanted) : this.#importedItem(item, wanted);
    if (source) return source;
    if (wanted.isOfExport || wanted.interface === undefined || this.#interface(wanted.interface)) {
      throw new UnsupportedComponentError(`the core import "${item.module}" "${item.name}"`, 0);
    }
    return { kind: "host", module: item.module, name: item.name };
  }

  #importedItem(
    core: Import,
    { interface: interfaceName, name, operation }: WorldImport,
  ): CoreSource | undefined {
    const found = this.#interface(interfaceName)?.get(name);
    if (found) this.#importNames.add(found.importName);
    if (found?.item.kind === "func" && operation === undefined) {
      return this.#lower(core, found.item, found.stringEncoding);
    }
    if (found?.item.kind === "type" && operation === "resource-drop")
      return resourceSource(found.item, operation);
    return undefined;
  }

  #exportedResource({ interface: interfaceName, name, operation }: WorldImport): CoreSource | undefined {
    const resource = this.#resources.get(resourceKey(interfaceName, name));
    return resource && operation && resourceSource(resource, operation);
  }

  #lower(core: Import, callee: FunctionItem, stringEncoding: StringEncoding): CoreSource {
    const type = functionType(callee);
    const signature = coreSignature(this.#plan.layouts, type, "lower");
    if (core.kind !== "func" || !sameCoreFunction(core.type, signature.type)) {
      throw misfit(`imports "${core.module}" "${core.name}" with another type than its component type`);
    }
    const options = this.#options(signature, { direction: "lower", stringEncoding });
    return this.#plan.lower({ type, options, componentInstance: COMPONENT_INSTANCE }, callee);
  }

  #options(
    signature: CoreSignature,
    { direction, stringEncoding }: { readonly direction: Direction; readonly stringEncoding: StringEncoding },
  ): CanonicalOptions {
    const { memory, reallocs } = this.#names;
    const realloc = reallocs[direction].find((name) => this.#coreExports.has(name));
    if (signature.needsMemory && this.#coreExports.get(memory)?.kind !== "memory") {
      throw misfit(`exports no memory "${memory}"`);
    }
    if (signature.needsRealloc && realloc === undefined)
      throw misfit(`exports no "${reallocs[direction][0]}"`);
    const reallocRef = realloc === undefined ? undefined : this.#exportedFunction(realloc, REALLOC);
    return {
      stringEncoding,
      ...(this.#coreExports.has(memory) ? { memory: { instance: INSTANCE, name: memory } } : {}),
      ...(reallocRef ? { realloc: reallocRef } : {}),
    };
  }

  #exportedFunction(name: string, type: CoreFunctionType): CoreRef | undefined {
    const found: ExternType | undefined = this.#coreExports.get(name);
    if (found === undefined) return undefined;
    if (found.kind !== "func" || !sameCoreFunction(found.type, type)) {
      throw misfit(`exports "${name}" with another type than its component type`);
    }
    return { instance: INSTANCE, name };
  }

  #export(
    { name, extern, offset }: Named,
    context: { readonly interface: string | undefined; readonly stringEncoding: StringEncoding },
  ): Item {
    switch (extern.kind) {
      case "func":
        return this.#lift(name, extern.type, context);
      case "type":
        return extern.bound === "resource"
          ? this.#defineResource(context.interface, name)
          : { kind: "type", type: extern.bound };
      case "instance":
        return { kind: "instance", exports: this.#exportInterface(extern, name, context.stringEncoding) };
      default:
        throw new UnsupportedComponentError(`a world that exports a ${extern.kind}`, offset);
    }
  }

  #exportInterface(
    type: DeclaredType,
    interfaceName: string,
    stringEncoding: StringEncoding,
  ): Map<string, Item> {
    return this.#plan.deeper(0, () =>
      declare(this.#plan, type, {
        export: (named) => this.#export(named, { interface: interfaceName, stringEncoding }),
      }),
    );
  }

  #lift(
    name: string,
    type: FunctionItem["type"],
    context: { readonly interface: string | undefined; readonly stringEncoding: StringEncoding },
  ): FunctionItem {
    const lift = () => {
      if (type instanceof UnsupportedComponentError) throw type;
      const signature = coreSignature(this.#plan.layouts, type, "lift");
      const coreName = this.#names.function(context.interface, name);
      const core = this.#exportedFunction(coreName, signature.type);
      if (!core) throw misfit(`does not export "${coreName}", which its component type has`);
      const postReturn = this.#exportedFunction(this.#names.postReturn(context.interface, name), {
        params: signature.type.results,
        results: [],
      });
      const options = {
        ...this.#options(signature, { direction: "lift", stringEncoding: context.stringEncoding }),
        ...(postReturn ? { postReturn } : {}),
      };
      return { core, type, options, componentInstance: COMPONENT_INSTANCE };
    };
    return { kind: "func", type, origin: { kind: "lift", lift } };
  }

  #defineResource(interfaceName: string | undefined, name: string): TypeItem {
    const key = resourceKey(interfaceName, name);
    const known = this.#resources.get(key);
    if (known) return known;
    const destructor =
      interfaceName === undefined
        ? undefined
        : this.#exportedFunction(this.#names.destructor(interfaceName, name), DESTRUCTOR);
    const resource: ResourceType = {
      kind: "defined",
      name,
      owner: COMPONENT_INSTANCE,
      ...(destructor ? { destructor } : {}),
    };
    const item: TypeItem = { kind: "type", type: { kind: "resource", resource } };
    this.#resources.set(key, item);
    return item;
  }
}

function importKey(interfaceName: string | undefined): string {
  return interfaceName === undefined ? "" : versionTrack(interfaceName);
}

function resourceKey(interfaceName: string | undefined, name: string): string {
  return JSON.stringify([importKey(interfaceName), name]);
}

function resourceSource(
  item: TypeItem,
  operation: NonNullable<WorldImport["operation"]>,
): CoreSource | undefined {
  if (item.type.kind !== "resource") return undefined;
  const { resource } = item.type;
  return { kind: "builtin", builtin: { kind: operation, resource, componentInstance: COMPONENT_INSTANCE } };
}

/** Two sections may each know a part of an exported interface. */
function merged(known: Item | undefined, item: Item): Item {
  if (known?.kind !== "instance" || item.kind !== "instance") return item;
  return { kind: "instance", exports: new Map([...known.exports, ...item.exports]) };
}

function misfit(what: string): MalformedComponentError {
  return new MalformedComponentError(`the core module ${what}`, 0);
}
