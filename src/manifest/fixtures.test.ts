// Every fixtures/*.toml with what reading it gives beside it: a .json with the manifest, a .stderr with
// the diagnostics, or both where there are only warnings. UPDATE_FIXTURES=1 writes them anew.
//
// The JSON Schema for editors must agree: it accepts what is accepted, and refuses what is refused,
// except where the first line of the manifest says `# schema: accepts`, because the mistake is one that
// a schema cannot see.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

import { Ajv } from "ajv";
import { parse } from "smol-toml";

import { ERROR_CODES, formatDiagnostic, SpindleError } from "../errors/mod.ts";
import { parseManifest } from "./parse.ts";

const FIXTURES = path.join(import.meta.dirname, "fixtures");
const SCHEMA = path.join(import.meta.dirname, "../../schema/spin.toml.schema.json");
const names = readdirSync(FIXTURES).flatMap((file) => (file.endsWith(".toml") ? path.parse(file).name : []));

const acceptedByEditors = new Ajv({ strict: false, allErrors: true }).compile(
  JSON.parse(readFileSync(SCHEMA, "utf8")),
);

interface Outcome {
  readonly json: string | undefined;
  readonly stderr: string | undefined;
}

for (const name of names) {
  const text = readFileSync(path.join(FIXTURES, `${name}.toml`), "utf8");

  test(`parseManifest() reads fixture ${name} as recorded`, () => {
    const outcome = read(text);
    for (const extension of ["json", "stderr"] as const) {
      const file = path.join(FIXTURES, `${name}.${extension}`);
      if (process.env.UPDATE_FIXTURES) update(file, outcome[extension]);
      assert.equal(outcome[extension], recorded(file), file);
    }
  });

  test(`the JSON Schema judges fixture ${name} as parseManifest() does`, { skip: !isToml(text) }, () => {
    const isAccepted = text.startsWith("# schema: accepts") || read(text).json !== undefined;
    const document = JSON.parse(JSON.stringify(parse(text)));
    assert.equal(acceptedByEditors(document), isAccepted, JSON.stringify(acceptedByEditors.errors));
  });
}

test("the fixtures show every code of a manifest but those of its size and of profiles", () => {
  const shown = names
    .map((name) => read(readFileSync(path.join(FIXTURES, `${name}.toml`), "utf8")).stderr)
    .join();
  const codes = Object.keys(ERROR_CODES).filter((code) => code.startsWith("MANIFEST_"));
  const missing = codes.filter((code) => !shown.includes(`[${code}]`));
  assert.deepEqual(missing, ["MANIFEST_PROFILE_UNKNOWN", "MANIFEST_TOO_LARGE"]);
});

function read(text: string): Outcome {
  try {
    const { manifest, warnings } = parseManifest({ path: "spin.toml", text });
    const { source: _, ...content } = manifest;
    const stderr = warnings.length > 0 ? `${warnings.map(formatDiagnostic).join("\n")}\n` : undefined;
    return { json: `${JSON.stringify(content, undefined, 2)}\n`, stderr };
  } catch (error) {
    if (!(error instanceof SpindleError)) throw error;
    return { json: undefined, stderr: `${error.diagnostics.map(formatDiagnostic).join("\n")}\n` };
  }
}

function recorded(file: string): string | undefined {
  return readdirSync(FIXTURES).includes(path.basename(file)) ? readFileSync(file, "utf8") : undefined;
}

function update(file: string, content: string | undefined): void {
  if (content === undefined) rmSync(file, { force: true });
  else writeFileSync(file, content);
}

function isToml(text: string): boolean {
  try {
    return parse(text) !== undefined;
  } catch {
    return false;
  }
}
