// What a component's binary becomes: a core module or a component, linked and ready.
//
// A core module that carries the type of a component is run as that component: its imports and exports
// are those that `wasm-tools component new` would give it, and WASI preview 1 is linked to it directly,
// so no adapter stands between the two previews.

import type { ComponentPlan } from "../component/mod.ts";
import {
  type ComponentLinker,
  type ComponentPre,
  type ComponentPreOptions,
  type Engine,
  InstancePre,
  type Linker,
} from "../engine/mod.ts";
import type { WholeFile } from "../paths/mod.ts";
import type { CoreModule } from "../wasm/mod.ts";

export type Program<C> =
  | { readonly kind: "module"; readonly pre: InstancePre<C>; readonly module: CoreModule }
  | { readonly kind: "component"; readonly pre: InstancePre<C>; readonly component: ComponentPre<C> };

/** A binary and its plan, in which those that it depends on are. */
export interface PlannedBinary {
  readonly file: WholeFile;
  /** Absent for core modules that are run as such. */
  readonly plan: ComponentPlan | undefined;
}

export interface Linkers<C> {
  readonly modules: Linker<C>;
  /** Made when the first component asks for it. */
  components(): Promise<ComponentLinker<C>>;
}

/**
 * Compiles and links a binary.
 *
 * @throws LinkError or ComponentLinkError, MalformedModuleError, WebAssembly.CompileError or RuntimeError
 */
export async function makeProgram<C>(
  { engine, linkers }: { readonly engine: Engine; readonly linkers: Linkers<C> },
  { file, plan }: PlannedBinary,
  options: ComponentPreOptions<C>,
): Promise<Program<C>> {
  if (plan) {
    const { ComponentPre } = await import("./components.ts");
    const parts = { engine, linkers: { modules: linkers.modules, components: await linkers.components() } };
    const component = await ComponentPre.create(parts, plan, options);
    return { kind: "component", component, pre: component.pre };
  }
  const module = await engine.compile(file.bytes, file.digest);
  const pre = InstancePre.ofModule({ engine, linker: linkers.modules }, module, options);
  return { kind: "module", module: module.rewritten.original, pre };
}
