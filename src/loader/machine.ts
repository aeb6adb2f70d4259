// Limits of components that this machine cannot honour.

import { totalmem } from "node:os";
import {
  componentLimits,
  DEFAULT_COMPONENT_LIMITS,
  describeSize,
  type ManifestComponent,
} from "../manifest/mod.ts";
import type { Report } from "./report.ts";

/** Memory of the machine, or what a container leaves of it. */
export function machineMemoryBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/** Tells a component that may have more memory than there is: it would never be told that there is no more. */
export function checkMachine(
  component: Pick<ManifestComponent, "id" | "path" | "tool">,
  memoryBytes: number,
  report: Report,
): void {
  const { memoryBytesMax } = componentLimits(component, { ...DEFAULT_COMPONENT_LIMITS, memoryBytesMax: 0 });
  if (memoryBytesMax <= memoryBytes) return;
  report.error({
    code: "MANIFEST_VALUE",
    message: `Invalid memory: component "${component.id}" may have ${describeSize(memoryBytesMax)}, and this machine has ${describeSize(toMib(memoryBytes))}`,
    path: [...component.path, "tool", "spindle", "memory"],
  });
}

function toMib(bytes: number): number {
  return Math.floor(bytes / 2 ** 20) * 2 ** 20;
}
