// Why a component cannot be linked.

import type { ImportedFunction } from "../component/mod.ts";
import type { LinkProblem } from "./link-module.ts";

/** One import of a component that cannot be satisfied, and why. */
export interface ComponentLinkProblem {
  readonly import: ImportedFunction;
  readonly reason: "unknown-interface" | "unknown-function" | "type";
  /** The interface of the linker that comes nearest. */
  readonly nearest?: string;
  /** For `type`: where the types differ. */
  readonly difference?: string;
}

export class ComponentLinkError extends Error {
  override readonly name = "ComponentLinkError";
  readonly problems: readonly ComponentLinkProblem[];
  /** Imports of core modules that cannot be satisfied. */
  readonly coreProblems: readonly LinkProblem[];

  constructor(problems: readonly ComponentLinkProblem[], coreProblems: readonly LinkProblem[]) {
    const names = [
      ...problems.map(({ import: { interface: from, name } }) => `"${from ?? ""}" "${name}"`),
      ...coreProblems.map(({ import: { module, name } }) => `"${module}" "${name}"`),
    ];
    super(names.join(", "));
    this.problems = problems;
    this.coreProblems = coreProblems;
  }
}
