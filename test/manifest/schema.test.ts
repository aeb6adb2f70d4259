import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { manifestJsonSchemaText } from "../../scripts/schema.ts";

test("schema/spin.toml.schema.json is what `npm run schema` writes", () => {
  const committed = readFileSync(new URL("../../schema/spin.toml.schema.json", import.meta.url), "utf8");
  assert.equal(committed, manifestJsonSchemaText());
});
