// Writes schema/spin.toml.schema.json, which editors complete and check a `spin.toml` with, from the
// definitions that the manifest is read with. `npm run schema`

import { writeFile } from "node:fs/promises";

import { type ConversionConfig, toJsonSchema } from "@valibot/to-json-schema";

import { manifestVersion1, manifestVersion2, sharedShapes } from "../src/manifest/mod.ts";

type JsonSchema = ReturnType<typeof toJsonSchema>;

/** Rules in words (`v.metadata({ find })`) have no form in JSON Schema; tests list what only they find. */
const CONVERSION: ConversionConfig = { errorMode: "throw", definitions: sharedShapes };

/** The schema: a manifest is of the version that it says, and an older one of its trigger's type. */
export function manifestJsonSchema(): JsonSchema {
  const $defs: Record<string, JsonSchema> = {};
  const convert = (schema: Parameters<typeof toJsonSchema>[0]): JsonSchema => {
    const { $schema: _, $defs: used, ...converted } = toJsonSchema(schema, CONVERSION);
    Object.assign($defs, used);
    return converted;
  };
  const redis = choose(
    ofTriggerType("redis"),
    convert(manifestVersion1.redis),
    convert(manifestVersion1.other),
  );
  const older = choose(ofTriggerType("http"), convert(manifestVersion1.http), redis);
  const isVersion2 = {
    properties: { spin_manifest_version: { const: 2 } },
    required: ["spin_manifest_version"],
  };
  // An older manifest has exactly one of the two names of the version.
  const oneVersion = { oneOf: [{ required: ["spin_manifest_version"] }, { required: ["spin_version"] }] };
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Manifest of a Spin application (spin.toml)",
    type: "object",
    ...choose(isVersion2, convert(manifestVersion2), { ...oneVersion, ...older }),
    $defs,
  };
}

function ofTriggerType(type: "http" | "redis"): JsonSchema {
  const trigger: JsonSchema = { type: "object", properties: { type: { const: type } }, required: ["type"] };
  return { properties: { trigger }, required: ["trigger"] };
}

function choose(condition: JsonSchema, yes: JsonSchema, no: JsonSchema): JsonSchema {
  // biome-ignore lint/suspicious/noThenProperty: these are keywords of JSON Schema.
  return { if: condition, then: yes, else: no };
}

/** The text of the file in the repository. */
export function manifestJsonSchemaText(): string {
  return `${JSON.stringify(manifestJsonSchema(), undefined, 1)}\n`;
}

if (import.meta.main) {
  await writeFile(new URL("../schema/spin.toml.schema.json", import.meta.url), manifestJsonSchemaText());
}
