// What the engine and the linker ask of a core module, without its code.

import { readSurface, type Surface } from "./layout.ts";
import type { CoreModule } from "./module.ts";

/** @throws MalformedModuleError */
export function readModule(bytes: Uint8Array): CoreModule {
  return describe(readSurface(bytes));
}

export function describe(layout: Surface): CoreModule {
  return {
    imports: layout.imports,
    exports: layout.exports,
    memories: layout.memories,
    tableElements: layout.tableElements,
    typeCount: layout.types.length,
    functionCount: layout.functions.length,
    hasStart: layout.startFunction !== undefined,
    customSections: layout.customSections,
  };
}
