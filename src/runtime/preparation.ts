// How long components took to be made ready, and what of that.

import type { CompiledModule } from "../engine/mod.ts";
import type { Program } from "./program.ts";

export interface Preparation {
  readonly componentId: string;
  readonly totalMs: number;
  /** Rewriting its modules. Nothing if they were kept, or another component has them too. */
  readonly rewriteMs: number;
  /** What V8 took for them. */
  readonly compileMs: number;
}

export class PreparationTimes {
  readonly preparations: Preparation[] = [];
  /** Each is made for the component that needs it first. */
  readonly #seen = new Set<CompiledModule>();

  add<C>(componentId: string, { pre }: Pick<Program<C>, "pre">, totalMs: number): void {
    const modules = new Set(pre.group.instances.map(({ module }) => module));
    let [rewriteMs, compileMs] = [0, 0];
    for (const module of modules) {
      if (this.#seen.has(module)) continue;
      this.#seen.add(module);
      rewriteMs += module.madeIn.rewriteMs;
      // V8 compiles those of one component at once.
      compileMs = Math.max(compileMs, module.madeIn.compileMs);
    }
    this.preparations.push({ componentId, totalMs, rewriteMs, compileMs });
  }
}
