// Linking a component: the imports of its plan find host functions, its core modules find each other.

import {
  type ByteLists,
  builtinFunction,
  type Callee,
  type ComponentPlan,
  ComponentState,
  type CoreFunction,
  type CoreRef,
  type CoreSource,
  type ImportedFunction,
  liftFunction,
  lowerFunction,
  type ResourceType,
  type SlotAccess,
} from "../component/mod.ts";
import type { FunctionType, Import } from "../wasm/mod.ts";
import type { HostCall } from "./bind.ts";
import type { BoundComponent } from "./bound-component.ts";
import type { Caller } from "./caller.ts";
import type { CompiledModule } from "./compiled-module.ts";
import { ComponentLinkError, type ComponentLinkProblem } from "./component-link-error.ts";
import type { ComponentLinker, HostComponentFunction, SuspendingFunction } from "./component-linker.ts";
import { deniedFunction } from "./denied.ts";
import {
  findImport,
  hostFunction,
  type LinkOptions,
  type LinkProblem,
  suspendingTypes,
} from "./link-module.ts";
import type { Linker } from "./linker.ts";
import { planShim } from "./shim.ts";
import {
  type HostFunctionPlan,
  type LinkedGroup,
  type LinkedImport,
  type LinkedInstance,
  type MemoryPlan,
  memoryIndex,
} from "./slot-plan.ts";

export interface ComponentLinkers<T> {
  /** What components import. */
  readonly components: ComponentLinker<T>;
  /** What core modules import that are run as components. */
  readonly modules: Linker<T>;
}

export interface ComponentLinkOptions extends LinkOptions {
  /** Interfaces that nobody provides, and that may be imported all the same: to call one of their functions is a trap. */
  isMissing?(interfaceName: string): boolean;
  /** Functions that a dependency may not use: they answer with an error. */
  isDenied?(item: ImportedFunction): boolean;
}

/**
 * Links a component.
 *
 * @param component.modules The compiled modules of the plan, in its order
 * @throws ComponentLinkError with every import that cannot be satisfied
 */
export function linkComponent<T>(
  linkers: ComponentLinkers<T>,
  component: { readonly plan: ComponentPlan; readonly modules: readonly CompiledModule[] },
  options: ComponentLinkOptions,
): LinkedGroup<T> {
  return new ComponentLinking(linkers, component, options).link();
}

interface HostImplementation<T> {
  readonly implementation: HostComponentFunction<T> | SuspendingFunction<T>;
  readonly byteLists?: ByteLists | undefined;
}

class ComponentLinking<T> {
  readonly #linkers: ComponentLinkers<T>;
  readonly #plan: ComponentPlan;
  readonly #modules: readonly CompiledModule[];
  readonly #options: ComponentLinkOptions;
  readonly #problems: ComponentLinkProblem[] = [];
  readonly #coreProblems: LinkProblem[] = [];
  readonly #implementations: readonly (HostImplementation<T> | undefined)[];
  readonly #instances: LinkedInstance[] = [];
  readonly #memories: MemoryPlan[] = [];
  readonly #functions: HostFunctionPlan<T>[] = [];

  constructor(
    linkers: ComponentLinkers<T>,
    component: { readonly plan: ComponentPlan; readonly modules: readonly CompiledModule[] },
    options: ComponentLinkOptions,
  ) {
    this.#linkers = linkers;
    this.#plan = component.plan;
    this.#modules = component.modules;
    this.#options = options;
    this.#implementations = component.plan.imports.map((item) => this.#implementation(item));
  }

  link(): LinkedGroup<T> {
    for (const instance of this.#plan.instances) {
      const module = this.#modules[instance.module];
      if (!module) throw new Error(`The component has no module ${instance.module}`);
      this.#instances.push(this.#linkInstance(module, instance.imports));
    }
    if (this.#problems.length > 0 || this.#coreProblems.length > 0)
      throw new ComponentLinkError(this.#problems, this.#coreProblems);
    const callerMemory = memoryIndex(this.#instances, { instance: 0, name: "memory" });
    return {
      instances: this.#instances,
      memories: this.#memories,
      callerMemory: callerMemory < 0 ? undefined : callerMemory,
      functions: this.#functions,
      shim: planShim(suspendingTypes(this.#functions)),
      bindComponent: this.#componentBinder(),
    };
  }

  #linkInstance(
    module: CompiledModule,
    sources: ComponentPlan["instances"][number]["imports"],
  ): LinkedInstance {
    const { original } = module.rewritten;
    const imports: LinkedImport[] = [];
    const memories: number[] = [];
    for (const [position, item] of original.imports.entries()) {
      const source = sources[position]?.source;
      if (!source) throw new Error(`The plan has nothing for the import "${item.module}" "${item.name}"`);
      const linked = this.#linkImport(item, source);
      if (!linked) continue;
      imports.push({ module: item.module, name: item.name, source: linked });
      if (linked.kind === "memory") memories.push(linked.index);
    }
    for (const limits of original.memories.slice(memories.length)) {
      memories.push(this.#memories.push({ limits, pagesMax: this.#options.memoryPagesMax }) - 1);
    }
    return { module, imports, memories };
  }

  #linkImport(item: Import, source: CoreSource): LinkedImport["source"] | undefined {
    switch (source.kind) {
      case "export":
        return item.kind === "memory"
          ? { kind: "memory", index: this.#memoryOf(source.ref) }
          : { kind: "export", ref: source.ref };
      case "builtin":
        return this.#add(this.#builtin(source.builtin));
      case "host": {
        const found = findImport(this.#linkers.modules, {
          ...item,
          module: source.module,
          name: source.name,
        });
        if (!("reason" in found))
          return this.#add(hostFunction(found, this.#options.isStable(source.module, source.name)));
        this.#coreProblems.push(found);
      }
    }
  }

  #memoryOf(ref: CoreRef): number {
    const index = memoryIndex(this.#instances, ref);
    if (index < 0) throw new Error(`Instance ${ref.instance} exports no memory "${ref.name}"`);
    return index;
  }

  #add(plan: HostFunctionPlan<T>): LinkedImport["source"] {
    return { kind: "function", index: this.#functions.push(plan) - 1 };
  }

  #builtin(builtin: Extract<CoreSource, { readonly kind: "builtin" }>["builtin"]): HostFunctionPlan<T> {
    if (builtin.kind === "lower") return this.#lower(builtin.index);
    const { coreType, maySuspend, bind } = builtinFunction(builtin);
    return {
      kind: maySuspend ? "suspending" : "plain",
      type: coreType,
      // Handles are restored with the slot.
      stable: true,
      bind: (_caller, component) => hostCall(bind(stateOf(component)), coreType),
    };
  }

  #lower(index: number): HostFunctionPlan<T> {
    const callee = this.#plan.lowered[index]?.callee;
    const importIndex = callee?.kind === "import" ? callee.index : -1;
    const imported = this.#plan.imports[importIndex];
    const found = this.#implementations[importIndex];
    const { coreType, bind } = lowerFunction(this.#plan, index, found?.byteLists);
    if (!imported) {
      return {
        kind: "suspending",
        type: coreType,
        stable: true,
        bind: (_caller, component) => hostCall(bind(stateOf(component)), coreType),
      };
    }
    const implementation = found?.implementation;
    const isSuspending = typeof implementation === "object";
    const fn = isSuspending ? implementation.fn : implementation;
    return {
      kind: isSuspending ? "suspending" : "plain",
      type: coreType,
      stable: this.#options.isStable(imported.interface ?? "", imported.name),
      bind(caller, component) {
        const callee = fn ? withCaller(fn, caller, imported.type.params.length) : missing(imported);
        return hostCall(bind(stateOf(component), callee), coreType);
      },
    };
  }

  #implementation(item: ImportedFunction): HostImplementation<T> | undefined {
    if (this.#options.isDenied?.(item)) return { implementation: deniedFunction(item) };
    const found = this.#linkers.components.find(item);
    if (found.kind === "function") return found;
    if (found.reason === "unknown-interface" && this.#options.isMissing?.(item.interface ?? ""))
      return undefined;
    const { kind: _, ...problem } = found;
    this.#problems.push({ import: item, ...problem });
  }

  #componentBinder(): (access: SlotAccess, caller: Caller<T>) => BoundComponent {
    const plan = this.#plan;
    const liftings = plan.lifted.map((_, index) => liftFunction(plan, index));
    const drops = new Map<ResourceType, ReturnType<ComponentLinker<T>["dropOf"]>>();
    for (const resource of plan.importedResources)
      drops.set(resource, this.#linkers.components.dropOf(resource));
    return (access, caller) => {
      const state = new ComponentState(plan, access);
      state.onDrop = (resource, object) => {
        // The object came from the host function that made it, for a resource of this interface and name.
        drops.get(resource)?.(caller, object as never);
      };
      const bound = liftings.map((lifting) => lifting.bind(state));
      const lifting = (index: number) => {
        const one = bound[index];
        if (!one) throw new Error(`The component lifts no function ${index}`);
        return one;
      };
      return {
        state,
        lower: (index, values) => lifting(index).lower(values),
        lift: (index, result) => lifting(index).lift(result),
      };
    };
  }
}

function stateOf(component: BoundComponent | undefined): ComponentState {
  if (!component) throw new Error("A function of a component was bound to a core module");
  return component.state;
}

function missing({ interface: from, name }: ImportedFunction): Callee {
  return () => {
    throw new Error(`The component called "${name}" of "${from}", which this host does not provide`);
  };
}

/** Puts the caller in front of the values. One closure for each number of parameters: rest parameters would cost more. */
function withCaller<T>(fn: HostComponentFunction<T>, caller: Caller<T>, params: number): Callee {
  // The linker compared the function's type in WIT with that of the import: it gets what it takes.
  type Value = never;
  switch (params) {
    case 0:
      return () => fn(caller);
    case 1:
      return (a) => fn(caller, a as Value);
    case 2:
      return (a, b) => fn(caller, a as Value, b as Value);
    case 3:
      return (a, b, c) => fn(caller, a as Value, b as Value, c as Value);
    default:
      return (...values) => fn(caller, ...(values as Value[]));
  }
}

/** A core function that needs no caller, in the form of one that gets it. */
function hostCall<T>(fn: CoreFunction, type: FunctionType): HostCall<T> {
  // The guest's import was checked to have the core type of the function: it passes numbers.
  const call = fn as (...args: unknown[]) => unknown;
  switch (type.params.length) {
    case 1:
      return (_caller, a) => call(a);
    case 2:
      return (_caller, a, b) => call(a, b);
    case 3:
      return (_caller, a, b, c) => call(a, b, c);
    case 4:
      return (_caller, a, b, c, d) => call(a, b, c, d);
    default:
      return (_caller, ...args) => call(...args);
  }
}
