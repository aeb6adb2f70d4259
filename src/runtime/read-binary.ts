// The bytes of a component and of those that it depends on.

import type { Binary } from "../component/mod.ts";
import type { Component } from "../manifest/mod.ts";
import type { WholeFile, WholeFiles } from "../paths/mod.ts";

export async function readBinary(
  { source, dependencies }: Pick<Component, "source" | "dependencies">,
  files: WholeFiles,
): Promise<WholeFile & Binary> {
  const read: Record<string, Binary["dependencies"][string]> = {};
  for (const [name, dependency] of Object.entries(dependencies)) {
    const { bytes } = await files.read(dependency.source.path);
    read[name] = { bytes, ...(dependency.export !== undefined && { export: dependency.export }) };
  }
  return { ...(await files.read(source.path)), dependencies: read };
}
