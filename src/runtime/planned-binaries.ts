// The binaries of an application: components that have the same one share what is read and planned.

import { type Binary, type ComponentPlan, hasComponentType } from "../component/mod.ts";
import type { Component } from "../manifest/mod.ts";
import type { WholeFiles } from "../paths/mod.ts";
import { isComponent } from "../wasm/mod.ts";
import type { PlannedBinary } from "./program.ts";
import { readBinary } from "./read-binary.ts";

export class PlannedBinaries {
  /** By path and digest, of dependencies too. There are no more than components. */
  readonly #planned = new Map<string, Promise<PlannedBinary>>();
  readonly #files: WholeFiles;

  constructor(files: WholeFiles) {
    this.#files = files;
  }

  /**
   * @throws CompositionError, MalformedModuleError, MalformedComponentError or UnsupportedComponentError
   */
  get({ source, dependencies }: Pick<Component, "source" | "dependencies">): Promise<PlannedBinary> {
    const key = JSON.stringify([source.path, source.digest, dependencies]);
    let planned = this.#planned.get(key);
    if (!planned) {
      planned = plan({ source, dependencies }, this.#files);
      this.#planned.set(key, planned);
    }
    return planned;
  }
}

async function plan(
  component: Pick<Component, "source" | "dependencies">,
  files: WholeFiles,
): Promise<PlannedBinary> {
  const binary = await readBinary(component, files);
  return { file: binary, plan: isPlain(binary) ? undefined : await planOf(binary) };
}

/** Whether it is a core module and nothing else. */
function isPlain({ bytes, dependencies }: Binary): boolean {
  return Object.keys(dependencies).length === 0 && !isComponent(bytes) && !hasComponentType(bytes);
}

async function planOf(binary: Binary): Promise<ComponentPlan | undefined> {
  const { planBinary } = await import("./components.ts");
  return planBinary(binary);
}
