// The bytes of a component and of those that it depends on.

import { readFile } from "node:fs/promises";
import type { Binary } from "../component/mod.ts";
import type { Component } from "../manifest/mod.ts";

export async function readBinary({
  source,
  dependencies,
}: Pick<Component, "source" | "dependencies">): Promise<Binary & { readonly bytes: Buffer }> {
  const read: Record<string, Binary["dependencies"][string]> = {};
  for (const [name, dependency] of Object.entries(dependencies)) {
    const bytes = await readFile(dependency.source.path);
    read[name] = { bytes, ...(dependency.export !== undefined && { export: dependency.export }) };
  }
  return { bytes: await readFile(source.path), dependencies: read };
}
