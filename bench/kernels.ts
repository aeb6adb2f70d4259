// Measures what the rewriter costs code that computes: marks, checks, and both, against the original.
//
//     npm run bench:kernels -- [--rounds 15] [--only sort,tree] [--quickjs FILE]
//
// All variants of a kernel run in turn, so that what else the machine does touches all alike; each figure
// is the median of the rounds. FILE is QuickJS-NG as a WASI reactor (qjs-wasi-reactor.wasm of a release):
// with it, a script that sorts, matches and reads JSON is a kernel too.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { WASI } from "node:wasi";
import { type RewriteOptions, rewrite } from "../src/wasm/mod.ts";
import { HarnessInstance } from "../test/suites/wasm-harness.ts";
import { median } from "./table.ts";

type Kernel = () => unknown;

interface Variant {
  readonly name: string;
  /** Absent: the original. */
  readonly options?: RewriteOptions;
}

const VARIANTS: readonly Variant[] = [
  { name: "original" },
  { name: "marks", options: { cards: true, epoch: false } },
  { name: "checks", options: { cards: false, epoch: true } },
  { name: "both", options: {} },
];
const KERNELS = ["sort", "matrix", "lz", "tree", "keccak", "sieve"];

/** Calls for V8 to notice that a function is hot, and pauses for its compiler. */
const WARM_UP_ROUNDS = 8;
const WARM_UP_PAUSE_MS = 60;
/** A sample takes at least so long. */
const SAMPLE_MS = 30;

const SCRIPT = `
  const words = Array.from({ length: 400 }, (_, i) => "w" + ((i * 7919) % 1009));
  for (let turn = 0; turn < 10; turn++) {
    words.slice().sort();
    words.slice().sort((a, b) => (a < b ? 1 : -1));
    words.join(" ").replace(/(w)([0-9]+)/g, "$2$1").match(/[0-9]{3}w/g);
    JSON.parse(JSON.stringify(words.map((word, id) => ({ id, word, nested: { half: id / 2, list: [id, word] } }))));
  }`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "15" },
      only: { type: "string" },
      quickjs: { type: "string" },
    },
  });
  const only = values.only?.split(",");
  const kernels = await readFile(join(import.meta.dirname, "../guests/c/kernels.wasm"));
  const rows: string[][] = [["kernel", "original ms", ...VARIANTS.slice(1).map(({ name }) => name)]];
  for (const name of KERNELS) {
    if (only && !only.includes(name)) continue;
    const runs = VARIANTS.map(({ options }) => kernelOf(link(kernels, {}, options), name));
    rows.push([name, ...(await compare(runs, Number(values.rounds)))]);
  }
  if (values.quickjs !== undefined) {
    const bytes = await readFile(values.quickjs);
    const runs = VARIANTS.map(({ options }) => quickJs(bytes, options));
    rows.push(["quickjs", ...(await compare(runs, Number(values.rounds)))]);
  }
  print(rows);
  for (const { name, options } of VARIANTS) {
    if (options) console.log(`code of the kernels with ${name}: ${growth(kernels, options)}`);
  }
}

function link(
  bytes: Uint8Array,
  imports: WebAssembly.Imports,
  options?: RewriteOptions,
): WebAssembly.Instance {
  if (!options) return new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes)), imports);
  const harness = new HarnessInstance(rewrite(bytes, options), imports, options);
  harness.initialize();
  return harness.instance;
}

function kernelOf({ exports }: WebAssembly.Instance, name: string): Kernel {
  const kernel = exports[name];
  if (typeof kernel !== "function") throw new Error(`There is no kernel "${name}"`);
  return () => kernel();
}

/** Makes an interpreter that reads SCRIPT, for each call. */
function quickJs(bytes: Uint8Array, options?: RewriteOptions): Kernel {
  const wasi = new WASI({ version: "preview1" });
  const instance = link(bytes, { wasi_snapshot_preview1: wasi.wasiImport }, options);
  wasi.initialize(instance);
  const { memory, malloc, qjs_init_argv: start, qjs_destroy: end } = instance.exports;
  const isWhole =
    memory instanceof WebAssembly.Memory &&
    [malloc, start, end].every((item): item is () => number => typeof item === "function");
  if (!isWhole || typeof malloc !== "function" || typeof start !== "function" || typeof end !== "function") {
    throw new Error("The file is no reactor of QuickJS-NG");
  }
  const addresses = ["qjs", "-e", SCRIPT].map((text) => {
    const encoded = new TextEncoder().encode(`${text}\0`);
    const address = Number(malloc(encoded.length));
    new Uint8Array(memory.buffer).set(encoded, address);
    return address;
  });
  const argv = Number(malloc(4 * addresses.length));
  new Uint32Array(memory.buffer, argv, addresses.length).set(addresses);
  return () => {
    const failure = start(addresses.length, argv);
    if (failure !== 0) throw new Error(`QuickJS says ${failure}`);
    end();
  };
}

/** The time of the first, and by how much the others differ. */
async function compare(kernels: readonly Kernel[], rounds: number): Promise<string[]> {
  const expected = kernels[0]?.();
  for (const kernel of kernels) {
    if (kernel() !== expected) throw new Error("The kernel does not compute the same once rewritten");
    for (let round = 0; round < WARM_UP_ROUNDS; round++) {
      kernel();
      await delay(WARM_UP_PAUSE_MS);
    }
  }
  const samples: number[][] = kernels.map(() => []);
  const calls = kernels.map(callsForSample);
  for (let round = 0; round < rounds; round++) {
    for (const [index, kernel] of kernels.entries()) samples[index]?.push(time(kernel, calls[index] ?? 1));
  }
  const [originals = [], ...others] = samples;
  // Rounds are compared in themselves: the machine is not the same in all of them.
  const ratios = others.map((other) =>
    median(other.map((ms, round) => ms / (originals[round] ?? Number.NaN))),
  );
  return [median(originals).toFixed(2), ...ratios.map(percent)];
}

/** By the clock, which is finer than what the thread is told of itself. */
function callsForSample(kernel: Kernel): number {
  const start = performance.now();
  kernel();
  return Math.max(1, Math.ceil(SAMPLE_MS / (performance.now() - start)));
}

/** Milliseconds of this thread for a call: not what others take meanwhile. */
function time(kernel: Kernel, calls: number): number {
  const start = process.threadCpuUsage();
  for (let call = 0; call < calls; call++) kernel();
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1000 / calls;
}

function growth(bytes: Uint8Array, options: RewriteOptions): string {
  return percent(rewrite(bytes, options).bytes.length / bytes.length);
}

function percent(ratio: number): string {
  return `${ratio < 1 ? "-" : "+"}${Math.abs((ratio - 1) * 100).toFixed(1)} %`;
}

function print(rows: readonly (readonly string[])[]): void {
  for (const [name = "", ...cells] of rows) {
    console.log([name.padEnd(10), ...cells.map((cell) => cell.padStart(12))].join(""));
  }
}

await main();
