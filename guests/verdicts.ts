// Says what the rewriter makes of modules: whether an instance of each can be recycled, and how much it grows.
//
//     node guests/verdicts.ts FILE...      core modules, or components, whose core modules are taken out
//
// It prints the table of docs/guests.md. Sizes leave custom sections out: debug information would hide the
// code, and is not rewritten.

import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { ByteReader, isComponent, rewrite } from "../src/wasm/mod.ts";

/** Magic number, version and layer. */
const PREAMBLE_BYTES = 8;
const CUSTOM_SECTION = 0;
/** Sections of a component that hold a core module, or another component. */
const CORE_MODULE_SECTION = 1;
const COMPONENT_SECTION = 4;

function* sections(binary: Uint8Array): Generator<{ readonly id: number; readonly contents: Uint8Array }> {
  const reader = new ByteReader(binary, { start: PREAMBLE_BYTES, end: binary.length });
  while (!reader.done) {
    const id = reader.u8();
    const length = reader.count("bytes of a section");
    const start = reader.offset;
    reader.skip(length);
    yield { id, contents: binary.subarray(start, reader.offset) };
  }
}

/** The core modules of a binary, in order, those of nested components included. */
function coreModules(binary: Uint8Array): Uint8Array[] {
  if (!isComponent(binary)) return [binary];
  return [...sections(binary)].flatMap(({ id, contents }) => {
    if (id === CORE_MODULE_SECTION) return [contents];
    return id === COMPONENT_SECTION ? coreModules(contents) : [];
  });
}

function sizeWithoutCustomSections(module: Uint8Array): number {
  const kept = [...sections(module)].filter(({ id }) => id !== CUSTOM_SECTION);
  return kept.reduce((sum, { contents }) => sum + contents.length, PREAMBLE_BYTES);
}

function row(path: string, modules: readonly Uint8Array[]): string {
  const rewritten = modules.map((module) => rewrite(module));
  const before = sum(modules.map(sizeWithoutCustomSections));
  const after = sum(rewritten.map(({ bytes }) => sizeWithoutCustomSections(bytes)));
  const reasons = rewritten.flatMap(({ verdict }) => (verdict.kind === "fresh" ? verdict.reasons : []));
  const cells = [
    `${basename(dirname(path))}/${basename(path, ".wasm")}`,
    modules.length.toString(),
    before.toLocaleString("en"),
    `+${Math.round((after / before - 1) * 100)} %`,
    reasons.length > 0 ? `fresh: ${reasons.join("; ")}` : "recyclable",
  ];
  return `| ${cells.join(" | ")} |`;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

console.log("| guest | modules | bytes | growth | verdict |\n|---|--:|--:|--:|---|");
for (const path of process.argv.slice(2)) console.log(row(path, coreModules(await readFile(path))));
