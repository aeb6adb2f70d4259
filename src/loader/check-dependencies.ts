// Whether a component fits those that it depends on: told here, where the place in the manifest is known.

import { readFile } from "node:fs/promises";
import { type BinaryDependency, CompositionError, planBinary } from "../component/mod.ts";
import type { Component, ManifestComponent } from "../manifest/mod.ts";
import type { Report } from "./report.ts";

/** Reports the first misfit. What is wrong with the component itself is told by whoever compiles it. */
export async function checkDependencies(
  component: ManifestComponent,
  { source, dependencies }: Pick<Component, "source" | "dependencies">,
  report: Report,
): Promise<void> {
  const read: Record<string, BinaryDependency> = {};
  for (const [name, dependency] of Object.entries(dependencies))
    read[name] = {
      bytes: await readFile(dependency.source.path),
      ...(dependency.export !== undefined && { export: dependency.export }),
    };
  if (Object.keys(read).length === 0) return;
  const misfit = misfitOf(await readFile(source.path), read);
  if (!misfit) return;
  report.error({
    code: "COMPONENT_DEPENDENCY",
    message: `Component "${component.id}" cannot run with its dependency "${misfit.label}": ${misfit.message}`,
    hint: "Name a dependency after what the component imports, `namespace:package/interface`; `spindle inspect` lists it.",
    path: [...component.path, "dependencies", misfit.label],
  });
}

function misfitOf(
  bytes: Uint8Array,
  dependencies: Readonly<Record<string, BinaryDependency>>,
): CompositionError | undefined {
  try {
    planBinary({ bytes, dependencies });
  } catch (error) {
    if (error instanceof CompositionError) return error;
  }
  return undefined;
}
