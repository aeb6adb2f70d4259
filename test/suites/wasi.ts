// Runs the preview 1 tests of the official suite, and reports figures.
//
//     npm run suite:wasi -- --from DIR [--filter TEXT]
//
// DIR is a copy of branch prod/testsuite-base of github.com/WebAssembly/wasi-testsuite. Each `.wasm` may
// have a `.json` beside it that says how it is run and what must come out. Tests write to the
// directories that they name: each gets a copy of its own in a temporary folder.
//
// Failures listed in wasi-known-failures.json, with a reason, are expected; one that passes while
// listed is a failure.

import { existsSync, globSync, readFileSync } from "node:fs";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";

import { type CommandResult, runCommand } from "../wasi/run-command.ts";

/** As the suite's `doc/specification.md` has it, in its older form, which all tests of preview 1 use. */
interface Specification {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly root?: string;
  readonly exit_code?: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

/** Most time for one test; the slowest waits for 0.2 s. */
const TEST_MS_MAX = 20_000;

const KNOWN_FAILURES = join(import.meta.dirname, "wasi-known-failures.json");

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { from: { type: "string" }, filter: { type: "string", default: "" } },
  });
  if (values.from === undefined) {
    console.error("Usage: npm run suite:wasi -- --from DIR [--filter TEXT]");
    process.exitCode = 2;
    return;
  }
  // The file is ours: names of tests with a reason each.
  const known = JSON.parse(readFileSync(KNOWN_FAILURES, "utf8")) as Record<string, string>;
  const tests = globSync("tests/*/testsuite/wasm32-wasip1/*.wasm", { cwd: values.from }).sort();
  const chosen = tests.filter((test) => test.includes(values.filter));
  const counts = { passed: 0, failed: 0, "failed as known": 0, "passed though listed": 0 };
  for (const test of chosen) {
    const name = nameOf(test);
    const problem = await problemOf(join(values.from, test));
    const isKnown = name in known;
    const outcome = problem
      ? isKnown
        ? "failed as known"
        : "failed"
      : isKnown
        ? "passed though listed"
        : "passed";
    counts[outcome]++;
    if (outcome !== "passed") console.log(`${outcome}: ${name}\n  ${problem ?? known[name]}`);
  }
  console.log(
    `${chosen.length} tests: ${Object.entries(counts)
      .map(([what, count]) => `${count} ${what}`)
      .join(", ")}`,
  );
  if (chosen.length === 0 || counts.failed + counts["passed though listed"] > 0) process.exitCode = 1;
}

/** `rust/fd_readdir` */
function nameOf(test: string): string {
  return `${test.split("/")[1]}/${basename(test, ".wasm")}`;
}

/** What is wrong; undefined if the test passes. */
async function problemOf(path: string): Promise<string | undefined> {
  const specification = await readSpecification(path);
  const result = await run(path, specification);
  const expected = specification.exit_code ?? 0;
  if (result.trap) return `trapped: ${result.trap.message}`;
  if (result.exitCode !== expected) {
    return `exit code ${result.exitCode} instead of ${expected}: ${result.stderr.trim()}`;
  }
  for (const stream of ["stdout", "stderr"] as const) {
    const text = specification[stream];
    if (text !== undefined && result[stream] !== text) {
      return `${stream} is ${JSON.stringify(result[stream])} instead of ${JSON.stringify(text)}`;
    }
  }
  return undefined;
}

async function readSpecification(path: string): Promise<Specification> {
  const file = path.replace(/\.wasm$/, ".json");
  // As the suite documents it.
  return existsSync(file) ? (JSON.parse(await readFile(file, "utf8")) as Specification) : {};
}

async function run(path: string, specification: Specification): Promise<CommandResult> {
  const folder = await mkdtemp(join(tmpdir(), "spindle-suite-"));
  try {
    const root = join(folder, "root");
    if (specification.root !== undefined) {
      await cp(join(dirname(path), specification.root), root, { recursive: true });
    }
    return await runCommand(await readFile(path), {
      args: [basename(path), ...(specification.args ?? [])],
      environment: specification.env ?? {},
      mounts:
        specification.root === undefined
          ? []
          : [{ guestPath: "/", hostPath: root, kind: "live", access: "write" }],
      wallTimeMs: TEST_MS_MAX,
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

await main();
