// Linking one core module: each import finds its host function, each memory its cell.

import type { FunctionType, Import } from "../wasm/mod.ts";
import type { HostCall } from "./bind.ts";
import type { CompiledModule } from "./compiled-module.ts";
import type { LinkedFunction, Linker } from "./linker.ts";
import { planShim } from "./shim.ts";
import type { HostFunctionPlan, LinkedGroup, LinkedImport } from "./slot-plan.ts";

export interface LinkOptions {
  /** Most pages of each memory. */
  readonly memoryPagesMax: number;
  /** Whether an import answers the same in every call of this component, so that an initialiser that asks it need run only once. */
  isStable(module: string, name: string): boolean;
}

/** One import that cannot be satisfied, and why. */
export interface LinkProblem {
  readonly import: Import;
  readonly reason: "unknown" | "type";
  /** The type that the linker has under that name. */
  readonly expected?: FunctionType;
}

export class LinkError extends Error {
  override readonly name = "LinkError";
  readonly problems: readonly LinkProblem[];
  constructor(problems: readonly LinkProblem[]) {
    super(problems.map(({ import: { module, name } }) => `"${module}" "${name}"`).join(", "));
    this.problems = problems;
  }
}

/** @throws LinkError with every import that cannot be satisfied */
export function linkModule<T>(
  linker: Linker<T>,
  module: CompiledModule,
  options: LinkOptions,
): LinkedGroup<T> {
  const { original } = module.rewritten;
  const functions: HostFunctionPlan<T>[] = [];
  const problems: LinkProblem[] = [];
  const imports: LinkedImport[] = [];
  for (const item of original.imports) {
    const { module: moduleName, name } = item;
    const found = findImport(linker, item);
    if ("reason" in found) problems.push(found);
    else {
      imports.push({ module: moduleName, name, source: { kind: "function", index: functions.length } });
      functions.push(hostFunction(found, options.isStable(moduleName, name)));
    }
  }
  if (problems.length > 0) throw new LinkError(problems);
  const exported = original.exports.find((item) => item.kind === "memory" && item.name === "memory");
  return {
    instances: [{ module, imports, memories: [...original.memories.keys()] }],
    memories: original.memories.map((limits) => ({ limits, pagesMax: options.memoryPagesMax })),
    callerMemory: original.memories.length === 0 ? undefined : (exported?.index ?? 0),
    functions,
    shim: planShim(suspendingTypes(functions)),
  };
}

/** The host function for an import of a core module, or why there is none. */
export function findImport<T>(linker: Linker<T>, item: Import): LinkedFunction<T> | LinkProblem {
  const found = item.kind === "func" ? linker.get(item.module, item.name) : undefined;
  if (item.kind !== "func" || !found) return { import: item, reason: "unknown" };
  return sameType(item.type, found.type) ? found : { import: item, reason: "type", expected: found.type };
}

export function hostFunction<T>(linked: LinkedFunction<T>, stable: boolean): HostFunctionPlan<T> {
  // The types of the function were checked against the guest's import.
  const fn = linked.fn as HostCall<T>;
  return { kind: linked.kind, type: linked.type, stable, bind: () => fn };
}

/** Types of the functions that may wait, in their order: those that the shim has a pair for. */
export function suspendingTypes<T>(functions: readonly HostFunctionPlan<T>[]): FunctionType[] {
  return functions.filter(({ kind }) => kind === "suspending").map(({ type }) => type);
}

export function sameType(a: FunctionType, b: FunctionType): boolean {
  return a.params.join() === b.params.join() && a.results.join() === b.results.join();
}
