// What is known of the ABI of each component of an application.

import type { Component } from "../../manifest/mod.ts";
import { inspectGeneration } from "./inspect.ts";
import { SpinAbi } from "./version.ts";

export class SpinAbis {
  readonly #abis: ReadonlyMap<string, SpinAbi>;

  /** @throws SpindleError SPIN_ABI_UNKNOWN for a version in the manifest that is none */
  constructor(components: readonly Pick<Component, "id" | "tool">[]) {
    this.#abis = new Map(components.map((component) => [component.id, SpinAbi.of(component)]));
  }

  of(componentId: string): SpinAbi {
    const abi = this.#abis.get(componentId);
    if (!abi) throw new Error(`There is no component "${componentId}" in this application`);
    return abi;
  }

  /** Takes in what the code of a component tells, before it is first called. */
  inspect(componentId: string, binary: Buffer): void {
    const generation = inspectGeneration(binary);
    if (generation) this.of(componentId).learn(generation);
  }
}
