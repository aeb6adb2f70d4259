// Keeps the house as ARCHITECTURE.md draws it: floors, doors, no cycles, and a few rules of style.
//
// It reads the sources as text. Imports begin a line and name their file with its extension, which
// the type checker and the formatter see to; so a regular expression finds them all.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { test } from "node:test";

const ROOT = join(import.meta.dirname, "..");

/** The rooms of `src/` from the ground up. A room uses its own files, and doors of rooms on lower floors. */
const FLOORS = [
  ["errors", "bytes", "paths", "trace"],
  ["wasm"],
  ["component", "manifest"],
  ["engine", "mounts", "registry", "build"],
  ["wasi", "outbound", "loader"],
  ["capabilities"],
  ["runtime"],
  ["trigger"],
  ["watch", "templates", "plugins", "doctor", "telemetry", "console", "bindle-server", "host"],
  ["cli", "testing"],
];
/** The files that are directly in `src/`: the entry point of the package. */
const ROOF = ["mod.ts"];

/** Folders of the repository that hold code, and what they may use. */
const FOLDERS = ["bench", "bin", "examples", "guests", "scripts", "src", "test"];
/** Not ours to judge: installed, generated, or input of a test. */
const SKIPPED_FOLDERS = new Set(["node_modules", "dist", "out", "fixtures", ".spin", "target"]);

interface SourceFile {
  /** Relative to the repository, with "/". */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const files = FOLDERS.flatMap((folder) => sourceFiles(folder));
const sources = files.filter((file) => file.path.startsWith("src/"));
const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

function sourceFiles(folder: string): SourceFile[] {
  const entries = readdirSync(join(ROOT, folder), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return SKIPPED_FOLDERS.has(entry.name) ? [] : sourceFiles(path);
    if (!/\.(ts|mjs)$/.test(entry.name) || entry.name.endsWith(".d.ts")) return [];
    const text = readFileSync(join(ROOT, path), "utf8");
    return [{ path, text, imports: importsOf(text) }];
  });
}

function importsOf(text: string): string[] {
  const declared = /^(?:import|export)\s(?:[\w$*{},\s]+\sfrom\s)?"([^"]+)";/gm;
  const dynamic = /\bimport\("([^"]+)"\)/g;
  return [declared, dynamic].flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] ?? ""));
}

function floorOf(room: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(room));
}

/** The room of a path such as `src/trigger/http/router.ts`; undefined for a file directly in `src/`. */
function roomOf(path: string): string | undefined {
  return path.split("/").length > 2 ? path.split("/")[1] : undefined;
}

function resolved(file: SourceFile, specifier: string): string {
  return normalize(join(dirname(file.path), specifier));
}

const isRelative = (specifier: string) => specifier.startsWith(".");
const isTest = (file: SourceFile) => file.path.endsWith(".test.ts");

/** The files and lines where `pattern` matches, as `path:line`. */
function places(pattern: RegExp): string[] {
  // This file has to name what it forbids.
  const judged = files.filter(({ path }) => path !== "test/tidy.test.ts");
  return judged.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}`] : [])),
  );
}

test("every room of src/ stands on a floor", () => {
  const strangers = sources
    .map(({ path }) => roomOf(path) ?? basename(path))
    .filter((name) => floorOf(name) < 0 && !ROOF.includes(name));
  assert.deepEqual([...new Set(strangers)], []);
});

test("a file uses its own room, and other rooms through the doors of lower floors", () => {
  const wrong = sources.flatMap((file) => {
    const room = roomOf(file.path);
    return file.imports.filter(isRelative).flatMap((specifier) => {
      const target = resolved(file, specifier);
      const targetRoom = roomOf(target);
      if (targetRoom === undefined || !target.startsWith("src/")) return [];
      if (targetRoom === room) return [];
      const isDoor = target === `src/${targetRoom}/mod.ts`;
      const isBelow = room === undefined || floorOf(targetRoom) < floorOf(room);
      return isDoor && isBelow ? [] : [`${file.path} uses ${target}`];
    });
  });
  assert.deepEqual(wrong, []);
});

test("code outside src/ enters through doors, examples through public entry points; tests may look inside", () => {
  const wrong = files
    .filter((file) => /^(bench|examples|guests|scripts)\//.test(file.path))
    .flatMap((file) =>
      file.imports.filter(isRelative).flatMap((specifier) => {
        const target = resolved(file, specifier);
        if (!target.startsWith("src/")) return [];
        const isDoor = target.endsWith("/mod.ts") && !file.path.startsWith("examples/");
        return isDoor ? [] : [`${file.path} uses ${target}`];
      }),
    );
  assert.deepEqual(wrong, []);
});

test("src/ uses packages that are installed with it; tests may use those for development too", () => {
  const wrong = sources.flatMap((file) => {
    const allowed = { ...dependencies, ...(isTest(file) && devDependencies) };
    const packages = file.imports
      .filter((specifier) => !isRelative(specifier) && !specifier.startsWith("node:"))
      .map((specifier) =>
        specifier
          .split("/")
          .slice(0, specifier.startsWith("@") ? 2 : 1)
          .join("/"),
      );
    return packages.filter((name) => !(name in allowed)).map((name) => `${file.path} uses ${name}`);
  });
  assert.deepEqual(wrong, []);
});

test("no files of src/ import each other in a cycle", () => {
  const targets = new Map(
    sources.map((file) => [
      file.path,
      file.imports.filter(isRelative).map((specifier) => resolved(file, specifier)),
    ]),
  );
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
    else if (!done.has(path)) {
      for (const target of targets.get(path) ?? []) visit(target, [...trail, path]);
      done.add(path);
    }
  };
  for (const path of targets.keys()) visit(path, []);
  assert.deepEqual(cycles, []);
});

test("every file begins with a comment that says what it is for; tests beside a file share its subject", () => {
  const speaking = files.filter((file) => !isTest(file));
  const silent = speaking
    .filter(({ text }) => !/^(#!.*\n)?(\/\/ \S|\/\*\*)/.test(text))
    .map(({ path }) => path);
  assert.deepEqual(silent, []);
});

test("names of files are in kebab case and say something", () => {
  const wrong = files
    .map(({ path }) => path)
    .filter((path) => {
      const name = basename(path).replace(/(\.test)?\.(ts|mjs)$/, "");
      return !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) || /^(utils?|helpers?|common|misc|manager)$/.test(name);
    });
  assert.deepEqual(wrong, []);
});

const FORBIDDEN = [
  { what: "default exports", pattern: /^export default\b/ },
  { what: "`export *`", pattern: /^export \*/ },
  { what: "notes that were to be gone before they landed", pattern: /\b(FIXME|XXX)\b/ },
  { what: "a TODO without a topic: `TODO(topic): what`", pattern: /\bTODO(?!\([a-z0-9-]+\): )/ },
  { what: "`debugger`", pattern: /^\s*debugger\b/ },
  { what: "a test that shuts out the others", pattern: /\b(test|describe|it|suite)\.only\(/ },
];
for (const { what, pattern } of FORBIDDEN) {
  test(`no file has ${what}`, () => {
    assert.deepEqual(places(pattern), []);
  });
}
