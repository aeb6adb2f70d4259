// What fixtures cannot show: sizes, profiles, places, and hostile input.

import assert from "node:assert/strict";
import { test } from "node:test";

import { SpindleError } from "../errors/mod.ts";
import { parseManifest } from "./parse.ts";
import { locate } from "./toml.ts";

const HEAD = 'spin_manifest_version = 2\napplication.name = "x"\n';
const TRIGGER = '[[trigger.http]]\nroute = "/"\ncomponent = "a"\n';
const COMPONENT = '[component.a]\nsource = "a.wasm"\n';

function parse(text: string, profile?: string) {
  return parseManifest({ path: "spin.toml", text }, profile === undefined ? {} : { profile });
}

function codesOf(text: string, profile?: string): readonly string[] {
  try {
    parse(text, profile);
    return [];
  } catch (error) {
    if (!(error instanceof SpindleError)) throw error;
    return error.diagnostics.map(({ code }) => code);
  }
}

test("parseManifest() reads a file of 1 MiB, and refuses one of a byte more", () => {
  const text = HEAD + TRIGGER + COMPONENT;
  const padding = (bytes: number) => `${text}#${"é".repeat((bytes - text.length - 1) / 2)}`;
  assert.deepEqual(codesOf(padding(1024 * 1024).padEnd(1, " ")), []);
  assert.deepEqual(codesOf(`${padding(1024 * 1024)} ##`), ["MANIFEST_TOO_LARGE"]);
});

test("parseManifest() reads 10,000 components, and refuses one more", () => {
  const components = (count: number) =>
    Array.from({ length: count }, (_, index) => `component.c${index}.source="a"`).join("\n");
  assert.equal(parse(`${HEAD}trigger={}\n${components(10_000)}`).manifest.components.length, 10_000);
  assert.deepEqual(codesOf(`${HEAD}trigger={}\n${components(10_001)}`), ["MANIFEST_TOO_LARGE"]);
});

test("parseManifest() reads 10,000 triggers, and refuses one more", () => {
  const triggers = (count: number) => `[trigger]\nt=[${"{},".repeat(count)}]\n`;
  assert.equal(parse(HEAD + triggers(10_000)).manifest.triggers.length, 10_000);
  assert.deepEqual(codesOf(HEAD + triggers(10_001)), ["MANIFEST_TOO_LARGE"]);
});

const deep = [
  { what: "lists", text: `${HEAD}a=${"[".repeat(5000)}${"]".repeat(5000)}`, code: "MANIFEST_SYNTAX" },
  {
    what: "inline tables",
    text: `${HEAD}a=${"{a=".repeat(5000)}1${"}".repeat(5000)}`,
    code: "MANIFEST_SYNTAX",
  },
  { what: "dotted keys", text: `${HEAD}${"a.".repeat(5000)}a=1`, code: "MANIFEST_TOO_LARGE" },
  { what: "headers of tables", text: `${HEAD}[${"a.".repeat(5000)}a]`, code: "MANIFEST_TOO_LARGE" },
];

for (const { what, text, code } of deep) {
  test(`parseManifest() refuses ${what} that are nested 5,000 levels deep`, () => {
    assert.deepEqual(codesOf(text), [code]);
  });
}

test("parseManifest() keeps the first 100 of very many mistakes", () => {
  const unknown = Array.from({ length: 5000 }, (_, index) => `unknown${index} = 1\n`).join("");
  assert.equal(codesOf(unknown + HEAD + TRIGGER + COMPONENT).length, 100);
});

test("parseManifest() cuts what it quotes from a file", () => {
  const text = `${HEAD}${TRIGGER}[component.a]\nsource = { url = "x", digest = "${"é🦀".repeat(100_000)}" }\n`;
  assert.throws(
    () => parse(text),
    (error) => error instanceof SpindleError && error.message.length < 500,
  );
});

test("parseManifest() applies a profile: source and command are replaced, the rest is added to", () => {
  const text = `${HEAD}${TRIGGER}${COMPONENT}environment = { A = "1", B = "2" }
build = { command = "make", workdir = "w" }
[component.a.profile.debug]
source = "debug.wasm"
environment = { B = "3" }
build = { command = ["make debug"] }
dependencies = { "a:b" = "1" }
[component.b]
source = "b.wasm"
profile.debug = { build = { command = "only here" } }
`;
  const [a, b] = parse(text, "debug").manifest.components;
  assert.equal(a?.source, "debug.wasm");
  assert.deepEqual(a?.environment, { A: "1", B: "3" });
  assert.deepEqual(a?.build, { commands: ["make debug"], workdir: "w", watch: [] });
  assert.deepEqual(a?.dependencies, { "a:b": "1" });
  assert.deepEqual(b?.build, { commands: ["only here"], workdir: "", watch: [] });
  assert.equal(parse(text).manifest.components[0]?.source, "a.wasm");
});

test("parseManifest() refuses a profile that no component has", () => {
  assert.deepEqual(codesOf(HEAD + TRIGGER + COMPONENT, "debug"), ["MANIFEST_PROFILE_UNKNOWN"]);
});

test("locate() gives the key, the value, or the nearest table of a path", () => {
  const text = `${HEAD}# é 🦀\n[component."é🦀".build] # a table in the middle\ncommand = ["one",\n  "two 🦀", { x.y = 1 }]\n`;
  const source = { path: "spin.toml", text };
  const at = (path: readonly (string | number)[], part?: "key" | "value") => {
    const { line, column, length } = locate(source, path, part);
    return text.split("\n")[line - 1]?.slice(column - 1, column - 1 + length);
  };
  const build = ["component", "é🦀", "build"];
  assert.equal(at([...build, "command", 1]), '"two 🦀"');
  assert.equal(at([...build, "command"], "key"), "command");
  assert.equal(at([...build, "command", 2, "x", "y"]), "1");
  assert.equal(at([...build, "command", 2, "x", "y"], "key"), "y");
  assert.equal(at([...build, "workdir"]), "build");
  assert.equal(at(["component", "é🦀"]), '"é🦀"');
  assert.equal(at(["application", "name"], "key"), "name");
  assert.equal(at([]), "s");
});
