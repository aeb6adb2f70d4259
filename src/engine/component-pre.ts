// A component with everything linked that can be linked ahead of time, and its slots.

import type { ComponentPlan, CoreRef, ExportedItem, ImportedFunction } from "../component/mod.ts";
import type { Caller } from "./caller.ts";
import type { CompiledModule } from "./compiled-module.ts";
import type { Engine } from "./engine.ts";
import { InstancePre, type InstancePreOptions, linkOptions } from "./instance-pre.ts";
import type { Invocation } from "./invocation.ts";
import { type ComponentLinkers, linkComponent } from "./link-component.ts";

export interface ComponentPreOptions<T> extends InstancePreOptions<T> {
  /** Interfaces that nobody provides, and that may be imported all the same: to call one of their functions is a trap. */
  isMissing?(interfaceName: string): boolean;
  /** Functions that a dependency may not use: they answer with an error. */
  isDenied?(item: ImportedFunction): boolean;
}

/** How an event becomes a call of a component's function; see `Invocation` for what must hold. */
export interface ComponentCall<T, R> {
  /** Makes the arguments, as `ValueType` says. */
  lower(caller: Caller<T>): readonly unknown[];
  lift(caller: Caller<T>, result: unknown): R;
  /** The guest ended itself with `exit`. Absent: every exit is an error. */
  exited?(caller: Caller<T>, code: number): R;
}

export class ComponentPre<T> {
  readonly plan: ComponentPlan;
  readonly pre: InstancePre<T>;
  /** Names of the interfaces that nobody provides: to call one of their functions is a trap. */
  readonly missing: readonly string[];

  private constructor(plan: ComponentPlan, pre: InstancePre<T>, missing: readonly string[]) {
    this.plan = plan;
    this.pre = pre;
    this.missing = missing;
  }

  /**
   * Compiles the modules of a component, links them, and makes the first slot.
   *
   * @throws ComponentLinkError with every import that cannot be satisfied
   * @throws MalformedModuleError, WebAssembly.CompileError or RuntimeError
   */
  static async create<T>(
    { engine, linkers }: { readonly engine: Engine; readonly linkers: ComponentLinkers<T> },
    plan: ComponentPlan,
    options: ComponentPreOptions<T>,
  ): Promise<ComponentPre<T>> {
    const modules = await Promise.all(plan.modules.map((bytes) => engine.begin(bytes)));
    const compiled = Promise.all(modules.map(({ ready }) => ready));
    const group = await duringWait(compiled, () =>
      linkComponent(
        linkers,
        { plan, modules },
        {
          ...linkOptions(options),
          isMissing: (name) => options.isMissing?.(name) ?? false,
          isDenied: (item) => options.isDenied?.(item) ?? false,
        },
      ),
    );
    const initializers = initializersOfPlan(plan, modules);
    const pre = new InstancePre(engine, group, { ...options, initializers });
    const interfaces = new Set(plan.imports.flatMap((item) => item.interface ?? []));
    const missing = [...interfaces].filter((name) => !linkers.components.provides(name));
    return new ComponentPre(plan, pre, missing);
  }

  /**
   * Makes an invocation of an exported function.
   *
   * @param path the name of the function, behind that of the interface if it is in one
   * @throws Error if there is no such function; see `exportedFunction`
   */
  invocation<R>(path: readonly string[], call: ComponentCall<T, R>): Invocation<T, R> {
    const index = exportedFunction(this.plan, path);
    const lifted = index === undefined ? undefined : this.plan.lifted[index];
    if (index === undefined || !lifted)
      throw new Error(`The component exports no function "${path.join("#")}"`);
    const { exited } = call;
    return {
      exportName: path.join("#"),
      entry: lifted.core,
      lower: (caller) => componentOf(caller).lower(index, call.lower(caller)),
      lift(caller, result) {
        // A lifted function returns one number or nothing: its type was checked when it was planned.
        const value = componentOf(caller).lift(index, result as number | bigint | undefined);
        return call.lift(caller, value);
      },
      ...(exited && { exited: (caller: Caller<T>, code: number) => exited(caller, code) }),
    };
  }
}

/** Index in `plan.lifted` of an exported function; `undefined` if there is none of that name. */
export function exportedFunction(plan: ComponentPlan, path: readonly string[]): number | undefined {
  let items: readonly ExportedItem[] = plan.exports;
  for (const [depth, name] of path.entries()) {
    const item = items.find((each) => each.name === name && each.kind !== "other");
    if (item?.kind === "instance") items = item.items;
    else if (item?.kind === "function" && depth === path.length - 1) return item.index;
    else return undefined;
  }
  return undefined;
}

/** Works while something is waited for. What goes wrong there is told before what goes wrong here. */
async function duringWait<R>(waited: Promise<unknown>, work: () => R): Promise<R> {
  try {
    return work();
  } finally {
    await waited;
  }
}

function componentOf<T>(caller: Caller<T>): NonNullable<Caller<T>["component"]> {
  if (!caller.component) throw new Error("A function of a component was called in a core module");
  return caller.component;
}

/** The start functions, in the order of the instances. `_initialize` is called by one of them, if at all. */
function initializersOfPlan(plan: ComponentPlan, modules: readonly CompiledModule[]): CoreRef[] {
  return plan.instances.flatMap(({ module }, instance): CoreRef[] => {
    const start = modules[module]?.rewritten.hooks.start;
    return start === undefined ? [] : [{ instance, name: start }];
  });
}
