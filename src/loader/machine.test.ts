import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDiagnostic } from "../errors/mod.ts";
import { parseManifest } from "../manifest/mod.ts";
import { checkMachine } from "./machine.ts";
import { Report } from "./report.ts";

const MIB = 1024 * 1024;

function diagnosticsOf(memory: string, machineMib: number): readonly string[] {
  const text = `spin_manifest_version = 2
application = { name = "a" }
trigger = {}
[component.api]
source = "api.wasm"
[component.api.tool.spindle]
memory = ${memory}
`;
  const { manifest } = parseManifest({ path: "spin.toml", text });
  const report = new Report(manifest);
  for (const component of manifest.components) checkMachine(component, machineMib * MIB, report);
  return report.diagnostics.map((diagnostic) => formatDiagnostic(diagnostic));
}

test("checkMachine() lets a component have all of the machine's memory", () => {
  assert.deepEqual(diagnosticsOf('"1GiB"', 1024), []);
});

test("checkMachine() refuses more memory than the machine has, and shows where that is asked for", () => {
  const [told = "", ...others] = diagnosticsOf('"1GiB"', 1023);
  assert.deepEqual(others, []);
  assert.match(
    told,
    /^error: Invalid memory: component "api" may have 1 GiB, and this machine has 1023 MiB \[MANIFEST_VALUE\]\n/,
  );
  assert.match(told, /spin\.toml:7:10/);
});
