// What only components need. It is half of all code, and is loaded when the first of them is made ready.

import { addCapabilitiesToComponentLinker } from "../capabilities/mod.ts";
import { ComponentLinker } from "../engine/mod.ts";
import { addWasiP2ToLinker } from "../wasi/mod.ts";
import type { RuntimeContext } from "./context.ts";

export { planBinary } from "../component/mod.ts";
export { ComponentPre } from "../engine/mod.ts";

/** A linker with all that components may import. */
export function createComponentLinker<T>(): ComponentLinker<RuntimeContext<T>> {
  const linker = new ComponentLinker<RuntimeContext<T>>();
  addWasiP2ToLinker(linker, (context) => context.wasi);
  addCapabilitiesToComponentLinker(linker);
  return linker;
}
