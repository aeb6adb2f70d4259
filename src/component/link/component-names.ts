// What a component imports and exports, by name alone: also of one that cannot be planned.

import { readComponent } from "../binary/read-component.ts";

export interface ComponentNames {
  readonly imports: readonly string[];
  readonly exports: readonly string[];
}

/** @throws MalformedComponentError, or UnsupportedComponentError for what cannot even be read */
export function readComponentNames(bytes: Uint8Array): ComponentNames {
  const { definitions } = readComponent(bytes);
  const names = (wanted: "import" | "export") =>
    definitions.flatMap((definition) => (definition.kind === wanted ? definition.name : []));
  return { imports: names("import"), exports: names("export") };
}
