// Runs test suites of the component model.
//
//     npm run suite:component -- --from DIR [--from DIR]... [--wasm-tools PATH] [--only TEXT] [--verbose]
//
// DIR holds scripts: `test/` of github.com/WebAssembly/component-model, or `tests/misc_testsuite/
// component-model` of github.com/bytecodealliance/wasmtime. They are .wast files, which the program
// `wasm-tools` at PATH converts, or .json files that `wasm-tools json-from-wast` wrote, each beside its
// .wasm files, at any depth.
//
// Each command runs in both gears. What needs a feature of WASI 0.3 is passed over, and counted by the
// name of the feature. Failures that are known stand in component-known-failures.json with the reason for
// each; one that does not occur any more fails the run.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { Engine } from "../../src/engine/mod.ts";
import type { Command, Script } from "./component-script.ts";
import { type Outcome, ScriptRunner } from "./component-script-runner.ts";

const GEARS = ["first", "second"] as const;
/** Scripts have memories of 4 GiB, which they hardly touch. */
const MEMORY_BYTES_MAX = 2 ** 40;
const CONVERSION_MS_MAX = 60_000;
/** Some scripts are in the syntax of before. */
const ENVIRONMENT = { ...process.env, WAST_STRICT_COMPONENT_INDICES: "0" };
const KNOWN_FAILURES = join(import.meta.dirname, "component-known-failures.json");

interface Tally {
  scripts: number;
  commands: number;
  passed: number;
  recycled: number;
  replayed: number;
  readonly skipped: Map<string, number>;
  /** What went wrong, by `folder/script.wast:line`. */
  readonly failed: Map<string, string>;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      from: { type: "string", multiple: true },
      "wasm-tools": { type: "string" },
      only: { type: "string", default: "" },
      verbose: { type: "boolean", default: false },
    },
  });
  const { from, only, verbose } = values;
  if (from === undefined) throw new Error("--from DIR is missing: the directory of the scripts");
  const tally: Tally = {
    scripts: 0,
    commands: 0,
    passed: 0,
    recycled: 0,
    replayed: 0,
    skipped: new Map(),
    failed: new Map(),
  };
  for (const directory of from) {
    using scripts = findScripts(directory, values["wasm-tools"]);
    for (const path of scripts.paths.filter((path) => path.includes(only))) await runScript(path, tally);
    for (const { file, reason } of scripts.unconverted) count(tally.skipped, `${file}: ${reason}`);
  }
  console.log(
    `${tally.scripts} scripts, ${tally.commands} commands: ${tally.passed} pass in both gears, ` +
      `${tally.recycled} calls of them in recycled slots, ${tally.replayed} after the calls before them`,
  );
  for (const [feature, number] of [...tally.skipped].toSorted()) {
    if (verbose) console.log(`skipped ${number}: ${feature}`);
  }
  const skipped = [...tally.skipped.values()].reduce((sum, number) => sum + number, 0);
  console.log(`${skipped} skipped; ${tally.failed.size} fail`);
  process.exitCode = report(tally, { isWhole: only === "" });
}

interface Scripts extends Disposable {
  readonly paths: readonly string[];
  /** Scripts that `wasm-tools` does not take. */
  readonly unconverted: readonly { readonly file: string; readonly reason: string }[];
}

function findScripts(directory: string, converter: string | undefined): Scripts {
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" }).toSorted();
  const texts = files.filter((file) => file.endsWith(".wast"));
  if (converter !== undefined && texts.length > 0) return convert(directory, texts, converter);
  const paths = files.filter((file) => file.endsWith(".json")).map((file) => join(directory, file));
  return { paths, unconverted: [], [Symbol.dispose]() {} };
}

function convert(directory: string, files: readonly string[], converter: string): Scripts {
  const folder = mkdtempSync(join(tmpdir(), "spindle-suite-"));
  const unconverted: { file: string; reason: string }[] = [];
  const paths = files.flatMap((file) => {
    const target = join(folder, file.replace(/\.wast$/, ""));
    mkdirSync(target, { recursive: true });
    const path = join(target, "script.json");
    const args = ["json-from-wast", join(directory, file), "--wasm-dir", target, "-o", path];
    try {
      execFileSync(converter, args, { timeout: CONVERSION_MS_MAX, stdio: "pipe", env: ENVIRONMENT });
      return [path];
    } catch (error) {
      const [reason = ""] = error instanceof Error ? error.message.split("\n").slice(1) : [];
      unconverted.push({ file, reason });
      return [];
    }
  });
  return { paths, unconverted, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

async function runScript(path: string, tally: Tally): Promise<void> {
  // Written by json-from-wast; a command that it does not describe fails in the runner.
  const script = JSON.parse(readFileSync(path, "utf8")) as Script;
  const name = script.source_filename.split(/[\\/]/).slice(-2).join("/");
  const commands = script.commands.filter(isOfInterest);
  const outcomes = new Map<Command, Outcome[]>(commands.map((command) => [command, []]));
  for (const gearing of GEARS) {
    using engine = new Engine({ gearing, memoryBytesMax: MEMORY_BYTES_MAX });
    using runner = new ScriptRunner(engine, dirname(path));
    for (const [command, seen] of outcomes) seen.push(await runner.run(command));
  }
  tally.scripts++;
  for (const [command, seen] of outcomes) note(tally, `${name}:${command.line}`, seen);
}

/** Components in text form are the business of an assembler. */
function isOfInterest(command: Command): boolean {
  return !("module_type" in command) || command.module_type === "binary";
}

function note(tally: Tally, key: string, outcomes: readonly Outcome[]): void {
  tally.commands++;
  const [first] = outcomes;
  const [failure] = outcomes.flatMap((outcome, gear) =>
    outcome.kind === "failed" ? [`${outcome.said} (${GEARS[gear]} gear)`] : [],
  );
  if (failure !== undefined) tally.failed.set(key, failure);
  else if (first?.kind === "skipped") count(tally.skipped, first.feature);
  else if (first?.kind === "passed") {
    tally.passed++;
    if (first.how !== "read") tally[first.how]++;
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** By reason, then by script: the lines. */
type KnownFailures = Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;

function report({ failed }: Tally, { isWhole }: { readonly isWhole: boolean }): number {
  // The file is ours.
  const known = JSON.parse(readFileSync(KNOWN_FAILURES, "utf8")) as KnownFailures;
  const listed = Object.values(known).flatMap((scripts) =>
    Object.entries(scripts).flatMap(([script, lines]) => lines.map((line) => `${script}:${line}`)),
  );
  const expected = new Set(listed);
  const unknown = [...failed].filter(([key]) => !expected.has(key));
  const gone = isWhole ? listed.filter((key) => !failed.has(key)) : [];
  for (const [key, what] of unknown) console.log(`fails: ${key}: ${what}`);
  for (const key of gone) console.log(`listed, but does not fail: ${key}`);
  return unknown.length + gone.length > 0 ? 1 : 0;
}

await main();
