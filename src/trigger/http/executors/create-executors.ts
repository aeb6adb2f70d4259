// Chooses the executor of every HTTP trigger, by what its manifest says and its module exports.

import { type Diagnostic, SpindleError } from "../../../errors/mod.ts";
import type { Trigger } from "../../../manifest/mod.ts";
import type { ExecutionContext } from "../../../runtime/mod.ts";
import type { CoreModule, FunctionType } from "../../../wasm/mod.ts";
import type { HttpExecutor, HttpRequest } from "../executor.ts";
import { type ExecutorOptions, parseExecutorOptions } from "./executor-options.ts";
import { SPIN_HANDLER, SpinHttpExecutor } from "./spin-http-executor.ts";
import { WagiHttpExecutor } from "./wagi-http-executor.ts";

/** What executors are made of. */
export interface ExecutorParts {
  readonly context: Pick<ExecutionContext<HttpRequest>, "abis" | "limits" | "program" | "prepare">;
}

const I32: FunctionType["params"][number] = "i32";
/** What the Spin ABI needs a module to export, besides its memory. */
const SPIN_EXPORTS: Readonly<Record<string, FunctionType>> = {
  [SPIN_HANDLER]: { params: Array(10).fill(I32), results: [I32] },
  canonical_abi_realloc: { params: Array(4).fill(I32), results: [I32] },
};
const ENTRYPOINT: FunctionType = { params: [], results: [] };

/** Exports that a message lists. */
const EXPORTS_LISTED_MAX = 20;

/**
 * Makes an executor for each of the triggers that has a component.
 *
 * @returns executors by trigger id
 * @throws SpindleError with the mistakes of all triggers
 */
export async function createExecutors(
  parts: ExecutorParts,
  triggers: readonly Trigger[],
): Promise<ReadonlyMap<string, HttpExecutor>> {
  const executors = new Map<string, HttpExecutor>();
  const diagnostics: Diagnostic[] = [];
  for (const { id, componentId, options } of triggers) {
    if (componentId === undefined) continue;
    try {
      executors.set(id, await createExecutor(parts, componentId, parseExecutorOptions({ id, options })));
    } catch (error) {
      if (!(error instanceof SpindleError)) throw error;
      diagnostics.push(...error.diagnostics);
    }
  }
  if (diagnostics.length > 0) throw SpindleError.collect(diagnostics);
  return executors;
}

/** @throws SpindleError COMPONENT_HANDLER_MISSING if the module exports nothing that fits */
export async function createExecutor(
  parts: ExecutorParts,
  componentId: string,
  options: ExecutorOptions,
): Promise<HttpExecutor> {
  const { context } = parts;
  const program = context.program(componentId);
  if (program.kind === "component") {
    // As all code for components, it is loaded for those only.
    const { createComponentExecutor } = await import("./component-executor.ts");
    return createComponentExecutor(context, { id: componentId, component: program.component }, options);
  }
  const { module } = program;
  switch (options.type) {
    case "http":
      checkHandler(componentId, module);
      return new SpinHttpExecutor(context, { id: componentId, abi: context.abis.of(componentId) });
    case "wagi":
      checkEntrypoint(componentId, module, options.entrypoint);
      return new WagiHttpExecutor(context, componentId, { argv: options.argv, command: options.entrypoint });
  }
}

function checkHandler(componentId: string, module: CoreModule): void {
  const names = functionNames(module);
  if (!names.has(SPIN_HANDLER)) {
    throw missing(
      `Component "${componentId}" exports no HTTP handler: expected \`${SPIN_HANDLER}\`, ` +
        `or \`_start\` with executor = { type = "wagi" }; it exports ${list(module)}`,
      names.has("_start")
        ? 'Add executor = { type = "wagi" } to its trigger if it is a CGI program.'
        : undefined,
    );
  }
  for (const [name, type] of Object.entries(SPIN_EXPORTS)) checkFunction(componentId, module, { name, type });
  if (!module.exports.some((item) => item.kind === "memory" && item.name === "memory")) {
    throw missing(
      `Component "${componentId}" exports \`${SPIN_HANDLER}\`, but no \`memory\` to pass a request in`,
    );
  }
}

function checkEntrypoint(componentId: string, module: CoreModule, entrypoint: string): void {
  const names = functionNames(module);
  if (!names.has(entrypoint)) {
    throw missing(
      `Component "${componentId}" exports no function \`${entrypoint}\`, ` +
        `which executor = { type = "wagi" } runs; it exports ${list(module)}`,
      names.has(SPIN_HANDLER)
        ? `Remove \`executor\` from its trigger: it exports \`${SPIN_HANDLER}\`.`
        : undefined,
    );
  }
  checkFunction(componentId, module, { name: entrypoint, type: ENTRYPOINT });
}

function checkFunction(
  componentId: string,
  module: CoreModule,
  expected: { readonly name: string; readonly type: FunctionType },
): void {
  const found = module.exports.find((item) => item.kind === "func" && item.name === expected.name);
  if (found?.kind !== "func") {
    throw missing(
      `Component "${componentId}" exports no function \`${expected.name}\`, which the Spin ABI needs; ` +
        `it exports ${list(module)}`,
    );
  }
  if (typeText(found.type) === typeText(expected.type)) return;
  throw missing(
    `Component "${componentId}" exports \`${expected.name}\` as ${typeText(found.type)}, ` +
      `but its executor calls ${typeText(expected.type)}`,
  );
}

function functionNames(module: CoreModule): ReadonlySet<string> {
  return new Set(module.exports.filter((item) => item.kind === "func").map((item) => item.name));
}

/** The module's exports for a message: `memory`, `run`. */
function list({ exports }: CoreModule): string {
  if (exports.length === 0) return "nothing";
  const names = exports.slice(0, EXPORTS_LISTED_MAX).map(({ name }) => `\`${name}\``);
  const rest = exports.length - names.length;
  return names.join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

function typeText({ params, results }: FunctionType): string {
  return `(${params.join(", ")}) -> (${results.join(", ")})`;
}

function missing(message: string, hint?: string): SpindleError {
  return new SpindleError("COMPONENT_HANDLER_MISSING", message, hint === undefined ? {} : { hint });
}
