// Tells which imports of a component cannot be satisfied, and what would help.

import type { ComponentLinkProblem, Linker, LinkProblem } from "../engine/mod.ts";
import { type Diagnostic, didYouMean } from "../errors/mod.ts";
import type { FunctionType } from "../wasm/mod.ts";

/** Imports that are told one by one; a module with a thousand unknown ones is of another world. */
const PROBLEMS_MAX = 20;

/** What keeps a core module from being linked. */
export function linkDiagnostics<T>(
  componentId: string,
  problems: readonly LinkProblem[],
  linker: Linker<T>,
): Diagnostic[] {
  const [ofComponents, others] = partition(problems, ({ import: { module } }) => module.includes(":"));
  return [
    ...untypedDiagnostics(componentId, ofComponents),
    ...some(componentId, others, (problem) => diagnose(componentId, problem, linker)),
  ];
}

/** A core module that was made to become a component has such imports by the dozen: they are told as one. */
function untypedDiagnostics(componentId: string, problems: readonly LinkProblem[]): Diagnostic[] {
  const modules = [...new Set(problems.map(({ import: { module } }) => module))];
  if (modules.length === 0) return [];
  const named = modules.slice(0, PROBLEMS_MAX).map((name) => `\`${name}\``);
  const list = named.join(", ") + (modules.length > named.length ? " and others" : "");
  return [
    {
      code: "COMPONENT_IMPORT_UNKNOWN",
      severity: "error",
      message: `Component "${componentId}" cannot run: it imports ${list} as a component would, but is a core module without a component type`,
      hint: "Keep its custom sections when it is linked and stripped, or make it a component with `wasm-tools component new`.",
    },
  ];
}

function partition<T>(all: readonly T[], isFirst: (each: T) => boolean): readonly [T[], T[]] {
  return [all.filter(isFirst), all.filter((each) => !isFirst(each))];
}

/** What keeps a component from being linked. */
export function componentLinkDiagnostics(
  componentId: string,
  problems: readonly ComponentLinkProblem[],
): Diagnostic[] {
  return some(componentId, problems, (problem) => diagnoseComponent(componentId, problem));
}

function some<P>(
  componentId: string,
  problems: readonly P[],
  diagnose: (problem: P) => Diagnostic,
): Diagnostic[] {
  const told = problems.slice(0, PROBLEMS_MAX).map(diagnose);
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

function diagnoseComponent(componentId: string, problem: ComponentLinkProblem): Diagnostic {
  const { interface: from, name } = problem.import;
  const { nearest } = problem;
  const start = `Component "${componentId}" cannot run: it imports`;
  const named = from === undefined ? `\`${name}\`` : `\`${name}\` of \`${from}\``;
  switch (problem.reason) {
    case "unknown-interface":
      return {
        code: "COMPONENT_IMPORT_UNKNOWN",
        severity: "error",
        message: `${start} ${named}, and this version has no such interface`,
        ...interfaceHint(componentId, from, nearest),
      };
    case "unknown-function":
      return {
        code: "COMPONENT_IMPORT_UNKNOWN",
        severity: "error",
        message: `${start} ${named}, which has no such function in this version`,
        hint:
          nearest === undefined
            ? "Build the component with an SDK for an earlier version of the interface."
            : `Did you mean "${nearest}"?`,
      };
    case "type":
      return {
        code: "COMPONENT_IMPORT_TYPE",
        severity: "error",
        message: `${start} ${named} with another type: ${problem.difference ?? "it differs"}`,
        hint: "Rebuild the component with a toolchain for this interface.",
      };
  }
}

/** What is neither of WASI nor of Spin is meant to be given by another component. */
function interfaceHint(
  componentId: string,
  from: string | undefined,
  nearest: string | undefined,
): { readonly hint?: string } {
  if (nearest !== undefined) return { hint: `The nearest that it has is \`${nearest}\`.` };
  if (from === undefined || /^(wasi|spin|fermyon):/.test(from)) return {};
  return {
    hint: `Name a component that exports it: \`"${from}" = { path = "..." }\` below \`[component.${componentId}.dependencies]\`.`,
  };
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
  if (module === "env")
    return "The linker left this name undefined: check what the component is linked with.";
  return didYouMean(module, linker.moduleNames());
}

function typeText({ params, results }: FunctionType): string {
  return `(${params.join(", ")}) -> (${results.join(", ")})`;
}
