// The examples of docs/manifest.md are manifests, or parts of one.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { parseManifest } from "../../src/manifest/mod.ts";

const page = readFileSync(new URL("../../docs/manifest.md", import.meta.url), "utf8");
const examples = [...page.matchAll(/^```toml\n(.*?)^```$/gms)].map(([, text = ""]) => text);

for (const [index, example] of examples.entries()) {
  const title = example.trim().split("\n")[0];
  test(`docs/manifest.md: example ${index + 1} (${title}) is read without a warning`, () => {
    const { warnings } = parseManifest({ path: "docs/manifest.md", text: complete(example) });
    assert.deepEqual(warnings, []);
  });
}

/** Adds what an example leaves out because it is not about it. */
function complete(example: string): string {
  if (/^spin_(manifest_)?version/m.test(example)) return example;
  const head = 'spin_manifest_version = 2\napplication.name = "example"\n';
  const trigger = example.includes("[[trigger.") ? "" : "[trigger]\n";
  const component = example.includes("[component.api]") ? "" : '[component.api]\nsource = "api.wasm"\n';
  return head + trigger + example + component;
}
