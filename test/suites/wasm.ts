// Runs the WebAssembly test suite through the rewriter.
//
//     npm run suite:wasm -- --from DIR [--only TEXT] [--verbose]
//
// DIR holds scripts as `wasm-tools json-from-wast` writes them: .json files, each beside its .wasm
// files, at any depth. Every assertion runs twice, against the original module and against the
// rewritten one, which ticks at each of its checks: what V8 passes as it is, it must pass rewritten,
// and a trap must say the same. Instances that the rewriter calls recyclable are then restored from
// their cards, compared with fresh ones byte by byte, and asked everything again.
//
// Differences that are known stand in wasm-known-failures.json with the reason for each. One that
// does not occur any more fails the run.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { parseArgs } from "node:util";
import type { HarnessInstance } from "./wasm-harness.ts";
import type { Command, Script } from "./wasm-script.ts";
import { type Outcome, ScriptRunner } from "./wasm-script-runner.ts";
import { OriginalWorld, RewrittenWorld } from "./wasm-world.ts";

interface Tally {
  commands: number;
  passedOriginal: number;
  passedRewritten: number;
  restored: number;
  askedAgain: number;
}

/** What is different in the rewritten world, by `script.json:line`. */
type Differences = Map<string, string>;

function main(): void {
  const { values } = parseArgs({
    options: { from: { type: "string" }, only: { type: "string" }, verbose: { type: "boolean" } },
  });
  if (values.from === undefined)
    throw new Error("--from DIR is missing: the directory of the converted scripts");
  const { from, only = "", verbose = false } = values;
  const total: Tally = emptyTally();
  const differences: Differences = new Map();
  const files = readdirSync(from, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".json") && file.includes(only))
    .toSorted();
  for (const file of files) {
    const tally = runScript(join(from, file), { root: from, differences });
    if (verbose) console.log(`${file}: ${show(tally)}`);
    add(total, tally);
  }
  console.log(`${files.length} scripts: ${show(total)}`);
  process.exitCode = report(differences, { isWhole: only === "" });
}

function emptyTally(): Tally {
  return { commands: 0, passedOriginal: 0, passedRewritten: 0, restored: 0, askedAgain: 0 };
}

function add(total: Tally, tally: Tally): void {
  // The keys of a tally are those of its type.
  for (const key of Object.keys(tally) as (keyof Tally)[]) total[key] += tally[key];
}

function show(tally: Tally): string {
  const { commands, passedOriginal, passedRewritten, restored, askedAgain } = tally;
  return (
    `${commands} commands, ${passedOriginal} pass as they are, ${passedRewritten} pass rewritten; ` +
    `${restored} instances restored, ${askedAgain} commands repeated on them`
  );
}

/** Modules in text form are the business of an assembler. */
function isOfInterest(command: Command): boolean {
  return !("module_type" in command) || command.module_type === "binary";
}

function runScript(path: string, { root, differences }: { root: string; differences: Differences }): Tally {
  // Written by json-from-wast; a command that it does not describe fails in the runner.
  const script = JSON.parse(readFileSync(path, "utf8")) as Script;
  const tally = emptyTally();
  const world = new RewrittenWorld();
  const original = new ScriptRunner(new OriginalWorld(), dirname(path));
  const rewritten = new ScriptRunner(world, dirname(path));
  const differ = (line: number, what: string): void => {
    const key = `${relative(root, path)}:${line}`;
    if (!differences.has(key)) differences.set(key, what);
  };
  for (const command of script.commands.filter(isOfInterest)) {
    const before = original.run(command);
    const after = rewritten.run(command);
    tally.commands++;
    tally.passedOriginal += Number(before.passed);
    tally.passedRewritten += Number(after.passed);
    const difference = compare(command, before, after);
    if (difference !== undefined) differ(command.line, difference);
  }
  for (const [instance, asked] of rewritten.asked) {
    const harness = instance.recyclable;
    const [first] = asked.keys();
    // What other modules import from may have been changed by their initialisers, after the image.
    if (!harness || !first || rewritten.registered.has(instance)) continue;
    tally.restored++;
    const difference = restoreAndCompare(harness, world);
    if (difference !== undefined) differ(first.line, difference);
    // A memory that has grown stays grown: accesses beyond its logical size do not trap any more.
    if (harness.memories.some((memory) => memory.hasGrown)) continue;
    for (const { line } of rewritten.askAgain(instance)) differ(line, "ends otherwise after a restore");
    tally.askedAgain += asked.size;
  }
  return tally;
}

function compare(command: Command, before: Outcome, after: Outcome): string | undefined {
  if (before.passed && !after.passed) return `${command.type} passes as it is, but rewritten: ${after.said}`;
  if (!before.passed && after.passed) return `${command.type} passes rewritten, but as it is: ${before.said}`;
  const isTrap = command.type === "assert_trap" || command.type === "assert_exhaustion";
  if (isTrap && before.said !== after.said) return `"${before.said}" became "${after.said}"`;
  return undefined;
}

/** Restores an instance; says what differs from one that was never used. */
function restoreAndCompare(used: HarnessInstance, world: RewrittenWorld): string | undefined {
  used.restore();
  const fresh = world.fresh(used.rewritten);
  for (const [index, memory] of used.memories.entries()) {
    const expected = fresh.memories[index];
    if (!expected || memory.pages !== expected.pages)
      return `memory ${index} has another size after a restore`;
    if (Buffer.compare(memory.bytes, expected.bytes) !== 0) return `memory ${index} differs after a restore`;
    const beyond = new Uint8Array(memory.memory.buffer, memory.bytes.length);
    if (beyond.some((byte) => byte !== 0))
      return `memory ${index} is not zero beyond its size after a restore`;
  }
  for (const [name, exported] of Object.entries(used.instance.exports)) {
    const other = fresh.instance.exports[name];
    if (!(exported instanceof WebAssembly.Global && other instanceof WebAssembly.Global)) continue;
    if (!sameValue(exported, other)) return `global "${name}" differs after a restore`;
  }
  return undefined;
}

function sameValue(one: WebAssembly.Global, other: WebAssembly.Global): boolean {
  try {
    const [a, b] = [one.value, other.value];
    // Each instance has objects of its own.
    return (
      Object.is(a, b) ||
      (typeof a === typeof b && a !== null && typeof a !== "number" && typeof a !== "bigint")
    );
  } catch {
    return true; // a vector or an exception, which JavaScript cannot see
  }
}

const KNOWN_FAILURES = join(import.meta.dirname, "wasm-known-failures.json");

function report(differences: Differences, { isWhole }: { isWhole: boolean }): number {
  // Keys are `script.json:line`, values the reasons.
  const known = JSON.parse(readFileSync(KNOWN_FAILURES, "utf8")) as Record<string, string>;
  const unknown = [...differences].filter(([key]) => !(key in known));
  const gone = isWhole ? Object.keys(known).filter((key) => !differences.has(key)) : [];
  for (const [key, what] of unknown) console.log(`different: ${key}: ${what}`);
  for (const key of gone) console.log(`listed, but not different any more: ${key}`);
  console.log(`${differences.size} differences, ${differences.size - unknown.length} of them known`);
  return unknown.length + gone.length > 0 ? 1 : 0;
}

main();
