// Whether a component fits those that it depends on: told here, where the place in the manifest is known.

import { readFile } from "node:fs/promises";
import { type BinaryDependency, CompositionError, type Misfit } from "../component/mod.ts";
import type { Component, ManifestComponent } from "../manifest/mod.ts";
import type { Report } from "./report.ts";

const HINTS: Readonly<Record<Misfit, string>> = {
  import:
    "Name a dependency after what the component imports, `namespace:package/interface`; `spindle inspect` lists it.",
  export:
    'Add `export = "..."` with one of these, or correct `path`: `spindle inspect` lists what a file exports.',
  type: "Build both against the same interface, or correct `path`.",
  unsupported: "Build the dependency with an SDK for WASI 0.2.",
};

/** Reports all misfits. What is wrong with the component itself is told by whoever compiles it. */
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
  for (const { label, kind, message } of await misfits(await readFile(source.path), read)) {
    report.error({
      code: "COMPONENT_DEPENDENCY",
      message: `Component "${component.id}" cannot run with its dependency "${label}": ${message}`,
      hint: HINTS[kind],
      path: [...component.path, "dependencies", label],
    });
  }
}

/** A plan stops at its first misfit, so what comes of each dependency alone is looked at then. */
async function misfits(
  bytes: Uint8Array,
  dependencies: Readonly<Record<string, BinaryDependency>>,
): Promise<readonly CompositionError[]> {
  const { planBinary } = await import("./plans.ts");
  const misfitOf = (given: typeof dependencies): CompositionError | undefined => {
    try {
      planBinary({ bytes, dependencies: given });
    } catch (error) {
      if (error instanceof CompositionError) return error;
    }
    return undefined;
  };
  const first = misfitOf(dependencies);
  if (!first) return [];
  const alone = Object.entries(dependencies).flatMap(
    ([name, dependency]) => misfitOf({ [name]: dependency }) ?? [],
  );
  return alone.length > 0 ? alone : [first];
}
