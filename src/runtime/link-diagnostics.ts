// Tells which imports of a component cannot be satisfied, and what would help.

import type { Linker, LinkProblem } from "../engine/mod.ts";
import { type Diagnostic, didYouMean } from "../errors/mod.ts";
import type { FunctionType } from "../wasm/mod.ts";

/** Imports that are told one by one; a module with a thousand unknown ones is of another world. */
const PROBLEMS_MAX = 20;

export function linkDiagnostics<T>(
  componentId: string,
  problems: readonly LinkProblem[],
  linker: Linker<T>,
): Diagnostic[] {
  const told = problems.slice(0, PROBLEMS_MAX).map((problem) => diagnose(componentId, problem, linker));
  const rest = problems.length - told.length;
  if (rest > 0) {
    told.push({
      code: "COMPONENT_IMPORT_UNKNOWN",
      severity: "error",
      message: `Component "${componentId}" has ${rest} more imports that cannot be satisfied`,
    });
  }
  return told;
}

function diagnose<T>(componentId: string, problem: LinkProblem, linker: Linker<T>): Diagnostic {
  const { module, name, kind } = problem.import;
  const what = kind === "func" ? "" : ` (a ${kind})`;
  const start = `Component "${componentId}" cannot run: it imports \`${module}\` \`${name}\`${what}`;
  if (problem.reason === "type" && kind === "func") {
    const expected = problem.expected ? typeText(problem.expected) : "another type";
    return {
      code: "COMPONENT_IMPORT_TYPE",
      severity: "error",
      message: `${start} as ${typeText(problem.import.type)}, but it is ${expected}`,
      hint: "Rebuild the component with a toolchain for this interface.",
    };
  }
  const hint = importHint(module, name, linker);
  return {
    code: "COMPONENT_IMPORT_UNKNOWN",
    severity: "error",
    message: `${start}, which this version does not have`,
    ...(hint !== undefined && { hint }),
  };
}

function importHint<T>(module: string, name: string, linker: Linker<T>): string | undefined {
  if (module === "wasi" && name === "thread-spawn") return "Build the component without threads.";
  if (linker.moduleNames().includes(module)) return didYouMean(name, linker.names(module));
  if (module.includes(":"))
    return "It is a core module of a WebAssembly component, which this version cannot run.";
  if (module === "env")
    return "The linker left this name undefined: check what the component is linked with.";
  return didYouMean(module, linker.moduleNames());
}

function typeText({ params, results }: FunctionType): string {
  return `(${params.join(", ")}) -> (${results.join(", ")})`;
}
