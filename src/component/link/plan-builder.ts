// Collects the parts of a plan, each once, and counts what making it costs.
//
// Items say where they come from only when they are used (see scope.ts); that is when they get here.

import { MalformedModuleError, ModuleBuilder, readModule } from "../../wasm/mod.ts";
import type { CoreModuleDefinition } from "../binary/component.ts";
import { MalformedComponentError, UnsupportedComponentError } from "../binary/component-error.ts";
import { LayoutTable } from "../canonical/layout.ts";
import type {
  ComponentPlan,
  CoreImport,
  CoreInstancePlan,
  CoreRef,
  CoreSource,
  ExportedItem,
  ImportedFunction,
  LiftedFunction,
  LoweredFunction,
} from "../plan.ts";
import type { FunctionType, ResourceType, ValueType } from "../types.ts";
import { requireImportsOnce } from "./core-types.ts";
import type { FunctionItem, FunctionOrigin, ItemOf, ModuleItem } from "./scope.ts";
import { versionTrack } from "./version-track.ts";

/** Definitions and declarations that are looked at, again for each instantiation. Real components have some thousand. */
const STEPS_MAX = 1_000_000;
/** Of each kind. Each core instance may have a memory of its own in every slot. */
const INSTANCES_MAX = 1_000;
/** Instantiations within instantiations, and instance types within instance types. */
const DEPTH_MAX = 100;

type ImportedResource = Extract<ResourceType, { readonly kind: "imported" }>;

/** What is counted over a plan and all that is tried on the way to it. */
interface Spent {
  steps: number;
  depth: number;
}

export class PlanBuilder {
  readonly layouts: LayoutTable;
  readonly #spent: Spent;
  readonly #modules = new Map<Uint8Array, number>();
  readonly #moduleItems: Map<CoreModuleDefinition, ModuleItem>;
  readonly #instances: CoreInstancePlan[] = [];
  readonly #imports = new Map<string, { readonly index: number; readonly function: ImportedFunction }>();
  readonly #resources = new Map<string, ImportedResource>();
  readonly #lifted = new Map<FunctionOrigin, number>();
  readonly #liftedFunctions: LiftedFunction[] = [];
  readonly #lowered: LoweredFunction[] = [];
  readonly #parents: (number | undefined)[] = [];

  constructor(rehearsed?: PlanBuilder) {
    this.layouts = rehearsed ? rehearsed.layouts : new LayoutTable();
    this.#moduleItems = rehearsed ? rehearsed.#moduleItems : new Map();
    this.#spent = rehearsed ? rehearsed.#spent : { steps: 0, depth: 0 };
  }

  /** A builder whose plan is thrown away, for what is checked and not instantiated. */
  rehearsal(): PlanBuilder {
    return new PlanBuilder(this);
  }

  /** @throws UnsupportedComponentError when there were too many */
  step(offset: number): void {
    if (++this.#spent.steps > STEPS_MAX) {
      throw new UnsupportedComponentError(`more than ${STEPS_MAX} definitions in all instances`, offset);
    }
  }

  /** @throws UnsupportedComponentError when too deep */
  deeper<T>(offset: number, work: () => T): T {
    if (this.#spent.depth >= DEPTH_MAX) {
      throw new UnsupportedComponentError(`instances nested more than ${DEPTH_MAX} deep`, offset);
    }
    this.#spent.depth++;
    try {
      return work();
    } finally {
      this.#spent.depth--;
    }
  }

  /** Returns the number of the new component instance; `parent` is that of the one which makes it. */
  addComponentInstance(parent: number | undefined, offset: number): number {
    limitInstances(this.#parents.length, offset);
    return this.#parents.push(parent) - 1;
  }

  module(definition: CoreModuleDefinition): ModuleItem {
    const known = this.#moduleItems.get(definition);
    if (known) return known;
    const { imports, exports } = readCoreModule(definition);
    requireImportsOnce(imports, definition.offset);
    const item: ModuleItem = { kind: "core module", imports, exports, definition };
    this.#moduleItems.set(definition, item);
    return item;
  }

  /** The index that the next instance will have. */
  get nextInstance(): number {
    return this.#instances.length;
  }

  /** Returns the index of the new instance. */
  instantiate(bytes: Uint8Array, imports: readonly CoreImport[], offset: number): number {
    limitInstances(this.#instances.length, offset);
    const module = this.#modules.get(bytes) ?? this.#modules.size;
    this.#modules.set(bytes, module);
    return this.#instances.push({ module, imports }) - 1;
  }

  importedResource(interfaceName: string, name: string): ImportedResource {
    const key = JSON.stringify([versionTrack(interfaceName), name]);
    const resource = this.#resources.get(key) ?? { kind: "imported", interface: interfaceName, name };
    this.#resources.set(key, resource);
    return resource;
  }

  lower(lowered: Omit<LoweredFunction, "callee">, callee: FunctionItem): CoreSource {
    const index = this.#lowered.push({ ...lowered, callee: this.callee(callee) }) - 1;
    return { kind: "builtin", builtin: { kind: "lower", index } };
  }

  /** The index of a function that is called, which becomes part of the plan. */
  callee(item: FunctionItem): LoweredFunction["callee"] {
    return item.origin.kind === "import"
      ? { kind: "import", index: this.#import(item, item.origin) }
      : { kind: "lifted", index: this.#lift(item.origin) };
  }

  #import(item: FunctionItem, origin: Extract<FunctionOrigin, { readonly kind: "import" }>): number {
    const key = JSON.stringify([origin.importer, origin.interface, origin.name]);
    const known = this.#imports.get(key);
    if (known) return known.index;
    const index = this.#imports.size;
    const { kind: _, ...names } = origin;
    this.#imports.set(key, { index, function: { ...names, type: functionType(item) } });
    return index;
  }

  #lift(origin: Extract<FunctionOrigin, { readonly kind: "lift" }>): number {
    const known = this.#lifted.get(origin);
    if (known !== undefined) return known;
    const index = this.#liftedFunctions.push(origin.lift()) - 1;
    this.#lifted.set(origin, index);
    return index;
  }

  /** A core function or memory by the core instance that exports it. */
  ref(item: ItemOf<"core func" | "core memory">, offset: number): CoreRef {
    const source = item.source();
    if (source.kind === "export") return source.ref;
    if (item.kind === "core memory")
      throw new MalformedComponentError("a memory that is not exported", offset);
    // Functions that the host makes have no instance; a module that passes them on gives them one.
    const forwarding = new ModuleBuilder();
    forwarding.exportFunction("", forwarding.importFunction("", "", item.type.type));
    return {
      instance: this.instantiate(forwarding.build(), [{ module: "", name: "", source }], offset),
      name: "",
    };
  }

  exported(name: string, item: FunctionItem): ExportedItem {
    const { kind, index } = this.callee(item);
    functionType(item);
    return kind === "lifted" ? { kind: "function", name, index } : { kind: "reexport", name, index };
  }

  #usedResources(): ImportedResource[] {
    const resources = new ResourceCollector();
    for (const { function: imported } of this.#imports.values()) resources.addFunction(imported.type);
    for (const { type } of [...this.#liftedFunctions, ...this.#lowered]) resources.addFunction(type);
    for (const { source } of this.#instances.flatMap(({ imports }) => imports)) {
      if (source.kind === "builtin" && source.builtin.kind !== "lower")
        resources.add(source.builtin.resource);
    }
    return [...resources.found];
  }

  build(root: {
    readonly importNames: readonly string[];
    readonly exports: readonly ExportedItem[];
  }): ComponentPlan {
    return {
      modules: [...this.#modules.keys()],
      instances: this.#instances,
      imports: [...this.#imports.values()].map((entry) => entry.function),
      importedResources: this.#usedResources(),
      lifted: this.#liftedFunctions,
      lowered: this.#lowered,
      componentInstances: this.#parents.length,
      parents: this.#parents,
      ...root,
    };
  }
}

/** The resources of the host that some types hold, with each type looked at once. */
class ResourceCollector {
  readonly found = new Set<ImportedResource>();
  readonly #seen = new Set<ValueType>();

  add(resource: ResourceType): void {
    if (resource.kind === "imported") this.found.add(resource);
  }

  addFunction({ params, result }: FunctionType): void {
    for (const { type } of params) this.#addType(type);
    if (result) this.#addType(result);
  }

  #addType(type: ValueType): void {
    if (this.#seen.has(type)) return;
    this.#seen.add(type);
    if (type.kind === "own" || type.kind === "borrow") this.add(type.resource);
    for (const part of partsOf(type)) this.#addType(part);
  }
}

function partsOf(type: ValueType): readonly ValueType[] {
  switch (type.kind) {
    case "record":
      return type.fields.map((field) => field.type);
    case "variant":
      return type.cases.flatMap((item) => item.type ?? []);
    case "list":
      return [type.element];
    case "tuple":
      return type.elements;
    case "option":
      return [type.payload];
    case "result":
      return [type.ok, type.error].flatMap((part) => part ?? []);
    default:
      return [];
  }
}

/** @throws UnsupportedComponentError if the type holds something we have not got */
export function functionType({ type }: FunctionItem): FunctionType {
  if (type instanceof UnsupportedComponentError) throw type;
  return type;
}

function readCoreModule({ bytes, offset }: CoreModuleDefinition): ReturnType<typeof readModule> {
  try {
    return readModule(bytes);
  } catch (error) {
    if (!(error instanceof MalformedModuleError)) throw error;
    throw new MalformedComponentError(error.reason, offset + error.offset, { cause: error });
  }
}

function limitInstances(count: number, offset: number): void {
  if (count >= INSTANCES_MAX)
    throw new UnsupportedComponentError(`more than ${INSTANCES_MAX} instances`, offset);
}
