// What a binary is made of, what it asks for and who gives it, and what it offers: without running it.

import {
  type ComponentPlan,
  dependencyOf,
  describeFunction,
  type ExportedItem,
  findOnTrack,
  type ImportedFunction,
  type Producer,
  planBinary,
  readBindingsProducers,
  readComponentNames,
  readProducers,
  UnsupportedComponentError,
} from "../component/mod.ts";
import type { CompiledModule, ComponentLinkers, Engine } from "../engine/mod.ts";
import { closestName } from "../errors/mod.ts";
import type { Component } from "../manifest/mod.ts";
import { WholeFiles } from "../paths/mod.ts";
import {
  type CoreModule,
  type FunctionType,
  type Import,
  isComponent,
  type Limits,
  readModule,
} from "../wasm/mod.ts";
import { componentHandlers, type Handler, moduleHandlers, namedHandlers } from "./handlers.ts";
import { isSpinInterface } from "./missing-interfaces.ts";
import { readBinary } from "./read-binary.ts";
import { startError } from "./start-error.ts";

export interface Inspection {
  /** A `typed-module` is a core module that is run as the component whose type it carries. */
  readonly kind: "module" | "typed-module" | "component";
  readonly bytes: number;
  readonly producers: readonly Producer[];
  readonly handlers: readonly Handler[];
  /** Core modules: those of its dependencies, too. None of a component that this version cannot run. */
  readonly modules: readonly InspectedModule[];
  readonly imports: readonly InspectedImport[];
  readonly exports: readonly InspectedExport[];
  /** Why a slot cannot be put back to its first state, so that each request needs a new instance; empty if it can. */
  readonly freshReasons: readonly string[];
}

export interface InspectedModule {
  readonly bytes: number;
  /** With what the engine adds, to limit the guest and to put it back. */
  readonly rewrittenBytes: number;
  /** Memories that it defines, in pages of 64 KiB. */
  readonly memories: readonly Pick<Limits, "min" | "max">[];
}

export interface InspectedFunction {
  readonly name: string;
  /** `func(name: string) -> u32`; of core functions `(i32, i32) -> i32`. */
  readonly type: string;
}

export interface InspectedImport {
  /** An interface, or the name of a module; empty for functions that a component imports by themselves. */
  readonly name: string;
  /** Those that are used. */
  readonly functions: readonly InspectedFunction[];
  readonly provider: Provider;
}

export type Provider =
  /** `as`: another version of it. */
  | { readonly kind: "host"; readonly as?: string }
  | { readonly kind: "dependency"; readonly dependency: string }
  /** An interface of Spin that this version has not: the component starts, and traps if it calls a function. */
  | { readonly kind: "trap" }
  /** It is named for its types only. */
  | { readonly kind: "none" }
  /** The component cannot start. */
  | { readonly kind: "missing"; readonly nearest?: string };

export interface InspectedExport {
  /** An interface; empty for what is exported by itself. */
  readonly name: string;
  readonly functions: readonly InspectedFunction[];
  /** Memories, tables and the like of a core module. */
  readonly others: readonly string[];
}

/** @throws SpindleError if the binary cannot be read, as when an application starts */
export async function inspectBinary<C>(
  parts: { readonly engine: Engine; readonly linkers: ComponentLinkers<C> },
  component: Component,
): Promise<Inspection> {
  const { engine, linkers } = parts;
  try {
    const binary = await readBinary(component, new WholeFiles());
    const plan = planIfSupported(binary.bytes);
    if (plan === "unsupported") return inspectNames(binary.bytes, linkers);
    const composed = Object.keys(binary.dependencies).length > 0 ? planBinary(binary) : plan;
    const sources = composed?.modules ?? [binary.bytes];
    const modules = await Promise.all(sources.map((bytes) => engine.compile(bytes)));
    const common = {
      bytes: binary.bytes.length,
      producers: producersOf(binary.bytes),
      modules: modules.map((module, index) => inspectModule(module, sources[index]?.length ?? 0)),
      freshReasons: [...new Set(modules.flatMap(freshReasonsOf))],
    };
    if (plan) {
      const kind = isComponent(binary.bytes) ? "component" : "typed-module";
      return { kind, ...common, ...inspectComponent(plan, linkers, component) };
    }
    const [
      {
        rewritten: { original },
      },
    ] = modules as [CompiledModule];
    return { kind: "module", ...common, ...inspectCore(original, linkers) };
  } catch (error) {
    throw startError(component, linkers.modules, error);
  }
}

/** @throws MalformedModuleError or MalformedComponentError */
function planIfSupported(bytes: Uint8Array): ComponentPlan | "unsupported" | undefined {
  try {
    return planBinary({ bytes, dependencies: {} });
  } catch (error) {
    if (error instanceof UnsupportedComponentError && isComponent(bytes)) return "unsupported";
    throw error;
  }
}

/** All that can be told of a component whose types or functions this version does not know. */
function inspectNames<C>(bytes: Uint8Array, { components }: ComponentLinkers<C>): Inspection {
  const names = readComponentNames(bytes);
  return {
    kind: "component",
    bytes: bytes.length,
    producers: producersOf(bytes),
    handlers: namedHandlers(names.exports),
    modules: [],
    imports: names.imports.map((name) => ({ name, functions: [], provider: providerOf(name, components) })),
    exports: names.exports.map((name) => ({ name, functions: [], others: [] })),
    freshReasons: [],
  };
}

/** Those of a core module's component type are the bindings generators. */
function producersOf(bytes: Uint8Array): readonly Producer[] {
  const bindings = isComponent(bytes) ? [] : (readBindingsProducers(bytes) ?? []);
  return [...readProducers(bytes), ...bindings.map((each) => ({ field: "processed-by", ...each }))];
}

function inspectModule({ rewritten }: CompiledModule, bytes: number): InspectedModule {
  const { imports, memories } = rewritten.original;
  const imported = imports.filter(({ kind }) => kind === "memory").length;
  return {
    bytes,
    rewrittenBytes: rewritten.bytes.length,
    memories: memories.slice(imported).map(({ min, max }) => ({ min, ...(max !== undefined && { max }) })),
  };
}

function freshReasonsOf({ rewritten: { verdict } }: CompiledModule): readonly string[] {
  return verdict.kind === "fresh" ? verdict.reasons : [];
}

// Components.

function inspectComponent<C>(
  plan: ComponentPlan,
  linkers: ComponentLinkers<C>,
  { dependencies }: Component,
): Pick<Inspection, "handlers" | "imports" | "exports"> {
  const used = Map.groupBy(plan.imports, (item) => item.interface ?? "");
  const names = new Set([...plan.importNames.filter((name) => name.includes(":")), ...used.keys()]);
  const imports = [...names].map((name): InspectedImport => {
    const functions = used.get(name) ?? [];
    const dependency = dependencyOf(name, Object.keys(dependencies));
    return {
      name,
      functions: functions.map(signature),
      provider:
        dependency === undefined
          ? interfaceProvider(name, functions, linkers)
          : { kind: "dependency", dependency },
    };
  });
  return {
    handlers: componentHandlers(plan),
    imports: [...imports, ...hostedImports(plan, linkers)],
    exports: componentExports(plan),
  };
}

function interfaceProvider<C>(
  name: string,
  functions: readonly ImportedFunction[],
  { components }: ComponentLinkers<C>,
): Provider {
  const provider = providerOf(name, components);
  return provider.kind !== "host" && functions.length === 0 ? { kind: "none" } : provider;
}

function providerOf(name: string, host: { names(): Iterable<string> }): Provider {
  const serving = findOnTrack(name, host.names());
  if (serving !== undefined) return { kind: "host", ...(serving !== name && { as: serving }) };
  return isSpinInterface(name) ? { kind: "trap" } : missing(name, host.names());
}

function missing(name: string, names: Iterable<string>): Provider {
  const nearest = closestName(name, names);
  return { kind: "missing", ...(nearest !== undefined && { nearest }) };
}

/** What a core module that is run as a component takes from the host directly. */
function hostedImports<C>(plan: ComponentPlan, linkers: ComponentLinkers<C>): InspectedImport[] {
  const hosted = plan.instances.flatMap(({ module, imports }) => {
    const types = readModule(plan.modules[module] ?? new Uint8Array()).imports;
    return types.filter((_, index) => imports[index]?.source.kind === "host");
  });
  return groupCore(hosted, linkers);
}

function componentExports(plan: ComponentPlan): InspectedExport[] {
  const [own, instances] = [plan.exports.filter(isFunction), plan.exports.filter(isInstance)];
  const list = (items: readonly ExportedItem[]) => items.flatMap((item) => exportedSignature(plan, item));
  return [
    ...(own.length > 0 ? [{ name: "", functions: list(own), others: [] }] : []),
    ...instances.map(({ name, items }) => ({ name, functions: list(items), others: [] })),
  ];
}

function isFunction({ kind }: ExportedItem): boolean {
  return kind === "function" || kind === "reexport";
}

function isInstance(item: ExportedItem): item is Extract<ExportedItem, { readonly kind: "instance" }> {
  return item.kind === "instance";
}

function exportedSignature(plan: ComponentPlan, item: ExportedItem): InspectedFunction[] {
  if (item.kind !== "function" && item.kind !== "reexport") return [];
  const found = item.kind === "function" ? plan.lifted[item.index] : plan.imports[item.index];
  return found ? [signature({ name: item.name, type: found.type })] : [];
}

function signature({ name, type }: Pick<ImportedFunction, "name" | "type">): InspectedFunction {
  return { name, type: describeFunction(type) };
}

// Core modules.

function inspectCore<C>(
  module: CoreModule,
  linkers: ComponentLinkers<C>,
): Pick<Inspection, "handlers" | "imports" | "exports"> {
  const functions = module.exports.flatMap((item) =>
    item.kind === "func" ? [{ name: item.name, type: coreType(item.type) }] : [],
  );
  const others = module.exports
    .filter(({ kind }) => kind !== "func")
    .map(({ kind, name }) => `${kind} ${name}`);
  return {
    handlers: moduleHandlers(module),
    imports: groupCore(module.imports, linkers),
    exports: [{ name: "", functions, others }],
  };
}

function groupCore<C>(imports: readonly Import[], { modules }: ComponentLinkers<C>): InspectedImport[] {
  const known = modules.moduleNames();
  return [...Map.groupBy(imports, ({ module }) => module)].map(([name, items]) => ({
    name,
    functions: items.map((item) => ({
      name: item.name,
      type: item.kind === "func" ? coreType(item.type) : item.kind,
    })),
    provider: known.includes(name) ? { kind: "host" } : missing(name, known),
  }));
}

function coreType({ params, results }: FunctionType): string {
  const result = results.length === 1 ? results[0] : `(${results.join(", ")})`;
  return `(${params.join(", ")})${results.length === 0 ? "" : ` -> ${result}`}`;
}
