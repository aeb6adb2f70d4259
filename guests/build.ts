// Builds the guests of guests.json, or checks that the committed files are what the sources make.
//
//     npm run guests                       builds all whose compiler is here
//     npm run guests -- c/hello rust       builds those
//     npm run guests -- --check            rebuilds into a temporary folder and compares, byte for byte
//     npm run guests -- --debian DIR       a folder of debian-root.sh, for the Go compiler
//
// guests.json maps each output to the command that makes it, run in the output's folder.

import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { compilers, type Found, find, wat2wasm } from "./tools.ts";

const GUESTS = import.meta.dirname;

export interface Guest {
  /** Path of the WebAssembly file, relative to this folder. */
  readonly output: string;
  /** Words of a command; the first names the tool, `$OUT` stands for the output. */
  readonly command: readonly string[];
}

export type Outcome = "built" | "same" | "differs" | "failed" | "skipped";

export async function readGuests(): Promise<readonly Guest[]> {
  // The file is ours: an object of strings, which test/guests.test.ts checks.
  const commands = JSON.parse(await readFile(join(GUESTS, "guests.json"), "utf8")) as Record<string, string>;
  return Object.entries(commands).map(([output, command]) => ({ output, command: command.split(" ") }));
}

/** Builds a guest into `outputPath`. */
export async function build(
  guest: Guest,
  tool: Found & { kind: "found" },
  outputPath: string,
): Promise<void> {
  const args = guest.command.slice(1).map((word) => (word === "$OUT" ? outputPath : word));
  await tool.run(args, dirname(join(GUESTS, guest.output)));
  await chmod(outputPath, 0o644);
}

async function check(guest: Guest, tool: Found & { kind: "found" }): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), "spindle-guest-"));
  try {
    const rebuilt = join(folder, "rebuilt.wasm");
    await build(guest, tool, rebuilt);
    const [before, after] = await Promise.all([readFile(join(GUESTS, guest.output)), readFile(rebuilt)]);
    return before.equals(after) ? "same" : "differs";
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      check: { type: "boolean", default: false },
      debian: { type: "string", default: join(tmpdir(), "spindle-debian") },
    },
  });

  const tools = toolFinder(resolve(values.debian));
  const guests = (await readGuests()).filter((guest) => isSelected(guest, positionals));
  const counts: Record<Outcome, number> = { built: 0, same: 0, differs: 0, failed: 0, skipped: 0 };
  for (const guest of guests) {
    const { outcome, note } = await handle(guest, tools(guest), values.check ? "check" : "build");
    counts[outcome]++;
    console.log(`${outcome.padEnd(8)} ${guest.output}${note}`);
  }
  const summary = Object.entries(counts).filter(([, count]) => count > 0);
  console.log(`\n${summary.map(([outcome, count]) => `${count} ${outcome}`).join(", ") || "no such guest"}`);
  if (guests.length === 0 || counts.differs + counts.failed > 0) process.exitCode = 1;
}

/** A name selects the guest of that path, with or without extension, or all of that folder. */
function isSelected({ output }: Guest, names: readonly string[]): boolean {
  const matches = (name: string) =>
    output === name || output === `${name}.wasm` || output.startsWith(`${name}/`);
  return names.length === 0 || names.some(matches);
}

/** Looks for each tool once. */
function toolFinder(debianRoot: string): (guest: Guest) => Found {
  const table = compilers({ debianRoot });
  const found = new Map<string, Found>([["wat2wasm", wat2wasm]]);
  return ({ output, command: [name = ""] }) => {
    const known = found.get(name);
    if (known) return known;
    const tool = table[name];
    if (!tool) throw new Error(`${output} wants "${name}", which is no tool of guests/tools.ts`);
    const result = find(tool);
    found.set(name, result);
    return result;
  };
}

async function handle(
  guest: Guest,
  tool: Found,
  mode: "build" | "check",
): Promise<{ readonly outcome: Outcome; readonly note: string }> {
  if (tool.kind === "missing") return { outcome: "skipped", note: `: ${tool.reason}` };
  try {
    if (mode === "check") return { outcome: await check(guest, tool), note: "" };
    await build(guest, tool, join(GUESTS, guest.output));
    return { outcome: "built", note: "" };
  } catch (error) {
    // One guest that fails must not hide what the others do; the exit code tells.
    return { outcome: "failed", note: `: ${error instanceof Error ? error.message : String(error)}` };
  }
}

if (import.meta.main) await main();
