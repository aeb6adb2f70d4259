// Instantiates a core module, on paper, as the component which its `component-type` sections describe.
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
import type { CanonicalOptions, CoreRef, CoreSource, StringEncoding } from "../plan.ts";
import type { ResourceType } from "../types.ts";
import { readWorlds, type World } from "./component-type.ts";
import { type CoreNames, namesOfExports, readImportNames, type WorldImport } from "./core-names.ts";
import { type CoreSignature, coreSignature, type Direction } from "./core-signature.ts";
import { sameCoreFunction } from "./core-types.ts";
import { declare, type Extern } from "./declared.ts";
import type { Importer } from "./instantiate.ts";
import { functionType, type PlanBuilder } from "./plan-builder.ts";
import type { DeclaredType, FunctionItem, Item, TypeItem } from "./scope.ts";
import { versionTrack } from "./version-track.ts";

export interface WrappedExports {
  readonly exports: ReadonlyMap<string, Item>;
  /** Names of the world's imports that the module uses. */
  readonly importNames: ReadonlySet<string>;
}

/**
 * Returns `undefined` for a module that has no `component-type` section.
 *
 * @throws MalformedModuleError
 * @throws MalformedComponentError also if the module does not fit its component type
 * @throws UnsupportedComponentError
 */
export function wrapModule(plan: PlanBuilder, bytes: Uint8Array, give: Importer): WrappedExports | undefined {
  const module = readModule(bytes);
  const worlds = readWorlds(plan, module.customSections);
  return worlds.length === 0
    ? undefined
    : new WrappedModule(plan, { bytes, module, give }).instantiate(worlds);
}

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

class WrappedModule implements WrappedExports {
  readonly exports = new Map<string, Item>();
  readonly importNames = new Set<string>();
  readonly #plan: PlanBuilder;
  readonly #bytes: Uint8Array;
  readonly #module: CoreModule;
  readonly #names: CoreNames;
  readonly #coreExports: ReadonlyMap<string, Export>;
  /** By the track of their interface, and the name in it. */
  readonly #imported = new Map<string, Map<string, ImportedItem>>();
  readonly #resources = new Map<string, TypeItem>();

  readonly #give: Importer;
  readonly #componentInstance: number;
  /** The core instance. Its number is known when all that it needs is in the plan. */
  #instance = -1;

  constructor(
    plan: PlanBuilder,
    part: { readonly bytes: Uint8Array; readonly module: CoreModule; readonly give: Importer },
  ) {
    this.#plan = plan;
    this.#bytes = part.bytes;
    this.#module = part.module;
    this.#give = part.give;
    this.#names = namesOfExports(part.module.exports);
    this.#coreExports = new Map(part.module.exports.map((item) => [item.name, item]));
    this.#componentInstance = plan.addComponentInstance(undefined, 0);
  }

  instantiate(worlds: readonly World[]): this {
    for (const world of worlds) this.#addWorld(world);
    for (const { module, name } of this.#module.imports) {
      const item = this.#importedItem(readImportNames(module, name))?.item;
      if (item?.kind === "func") this.#plan.callee(item);
    }
    this.#instance = this.#plan.nextInstance;
    const imports = this.#module.imports.map((item) => {
      const { module, name } = item;
      return { module, name, source: this.#source(item) };
    });
    this.#plan.instantiate(this.#bytes, imports, 0);
    this.#initialize();
    return this;
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
    declare(this.#plan, type, {
      import: (named) => {
        const item = this.#give(named);
        this.#addImport(named.name, item, stringEncoding);
        return item;
      },
      export: (named) => {
        const item = this.#export(named, { interface: undefined, stringEncoding });
        this.exports.set(named.name, merged(this.exports.get(named.name), item));
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
    const source = wanted.isOfExport ? this.#exportedResource(wanted) : this.#importedSource(item, wanted);
    if (source) return source;
    if (wanted.isOfExport || wanted.interface === undefined || this.#interface(wanted.interface)) {
      throw new UnsupportedComponentError(`the core import "${item.module}" "${item.name}"`, 0);
    }
    return { kind: "host", module: item.module, name: item.name };
  }

  #importedItem({ interface: interfaceName, name, isOfExport }: WorldImport): ImportedItem | undefined {
    return isOfExport ? undefined : this.#interface(interfaceName)?.get(name);
  }

  #importedSource(core: Import, wanted: WorldImport): CoreSource | undefined {
    const found = this.#importedItem(wanted);
    if (!found) return undefined;
    const { item, importName, stringEncoding } = found;
    this.importNames.add(importName);
    if (item.kind === "func" && wanted.operation === undefined)
      return this.#lower(core, item, stringEncoding);
    if (item.kind === "type" && wanted.operation === "resource-drop") {
      return this.#resourceSource(item, wanted.operation);
    }
    return undefined;
  }

  #exportedResource({ interface: interfaceName, name, operation }: WorldImport): CoreSource | undefined {
    const resource = this.#resources.get(resourceKey(interfaceName, name));
    return resource && operation && this.#resourceSource(resource, operation);
  }

  #resourceSource({ type }: TypeItem, kind: NonNullable<WorldImport["operation"]>): CoreSource | undefined {
    if (type.kind !== "resource") return undefined;
    const { resource } = type;
    return { kind: "builtin", builtin: { kind, resource, componentInstance: this.#componentInstance } };
  }

  #lower(core: Import, callee: FunctionItem, stringEncoding: StringEncoding): CoreSource {
    const type = functionType(callee);
    const signature = coreSignature(this.#plan.layouts, type, "lower");
    if (core.kind !== "func" || !sameCoreFunction(core.type, signature.type)) {
      throw misfit(`imports "${core.module}" "${core.name}" with another type than its component type`);
    }
    const options = this.#options(signature, { direction: "lower", stringEncoding });
    return this.#plan.lower({ type, options, componentInstance: this.#componentInstance }, callee);
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
      ...(this.#coreExports.has(memory) ? { memory: { instance: this.#instance, name: memory } } : {}),
      ...(reallocRef ? { realloc: reallocRef } : {}),
    };
  }

  #exportedFunction(name: string, type: CoreFunctionType): CoreRef | undefined {
    const found: ExternType | undefined = this.#coreExports.get(name);
    if (found === undefined) return undefined;
    if (found.kind !== "func" || !sameCoreFunction(found.type, type)) {
      throw misfit(`exports "${name}" with another type than its component type`);
    }
    return { instance: this.#instance, name };
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
      return { core, type, options, componentInstance: this.#componentInstance };
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
      owner: this.#componentInstance,
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

/** Two sections may each know a part of an exported interface. */
function merged(known: Item | undefined, item: Item): Item {
  if (known?.kind !== "instance" || item.kind !== "instance") return item;
  return { kind: "instance", exports: new Map([...known.exports, ...item.exports]) };
}

function misfit(what: string): MalformedComponentError {
  return new MalformedComponentError(`the core module ${what}`, 0);
}
