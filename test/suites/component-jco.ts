// Sends values through components, here and as jco transpiles them, and compares what comes out.
//
//     npm run suite:jco -- --jco DIR [--record]
//
// DIR is a folder in which `npm install @bytecodealliance/jco-transpile` was run: it is too large to be
// installed with everything else. `--record` keeps what jco gives in test/component/jco-vectors.jsonl,
// which the tests hold this host to.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { Random, randomType, randomValue } from "../../src/component/canonical/random-value.ts";
import { describeType, type ValueType } from "../../src/component/mod.ts";
import { Engine } from "../../src/engine/mod.ts";
import { type Forwarded, Forwarding, Thing } from "../component/forward.ts";
import { FORWARDED, THING, writeForwarder } from "../component/forwarder.ts";
import { VALUE_CASES, type ValueCase } from "../component/value-cases.ts";
import { toJson } from "../component/value-text.ts";

const VECTORS = join(import.meta.dirname, "../component/jco-vectors.jsonl");
const RANDOM_TYPES = 200;
/** Functions of one component: jco generates a lot of code for each. */
const FUNCTIONS_MAX = 20;

interface Transpiled {
  readonly files: Readonly<Record<string, Uint8Array>>;
}
type Transpile = (bytes: Uint8Array, options: object) => Promise<Transpiled>;
type Exports = Readonly<Record<string, (value: unknown) => unknown>>;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { jco: { type: "string" }, record: { type: "boolean", default: false } },
  });
  if (values.jco === undefined)
    throw new Error("--jco DIR is missing: a folder with jco-transpile installed");
  const entry = createRequire(join(values.jco, "x.js")).resolve("@bytecodealliance/jco-transpile");
  // The function that jco-transpile documents.
  const { transpileBytes } = (await import(pathToFileURL(entry).href)) as {
    readonly transpileBytes: Transpile;
  };
  using engine = new Engine();
  const recorded: unknown[] = [];
  const tally = { values: 0, refused: 0, differences: 0 };
  const cases = [...VALUE_CASES, ...handleCases(), ...randomCases()];
  for (let first = 0; first < cases.length; first += FUNCTIONS_MAX) {
    const group = cases.slice(first, first + FUNCTIONS_MAX);
    const types = group.map(({ type }) => type);
    const bytes = await writeForwarder(types);
    using ours = await Forwarding.create(engine, bytes, types);
    using theirs = await JcoComponent.create(transpileBytes, bytes);
    for (const [index, { type, values: sent }] of group.entries()) {
      for (const value of sent) {
        const [mine, other] = [await ours.send(index, value), theirs.send(index, value)];
        tally.values++;
        if ("error" in other) {
          tally.refused++;
          console.log(`${describeType(type)}: jco throws ${other.error}`);
          continue;
        }
        if (show(mine) !== show(other)) {
          tally.differences++;
          console.log(`${describeType(type)}: here ${show(mine)}, jco ${show(other)}`);
        }
        if (first + index < VALUE_CASES.length)
          recorded.push({ case: first + index, ...toRecord(value, other) });
      }
    }
  }
  console.log(
    `${cases.length} types, ${tally.values} values: ${tally.differences} differences, ${tally.refused} that jco refuses`,
  );
  if (values.record) writeFileSync(VECTORS, recorded.map((each) => `${JSON.stringify(each)}\n`).join(""));
  process.exitCode = tally.differences > 0 ? 1 : 0;
}

function toRecord(sent: unknown, { seen, returned }: Forwarded): object {
  return { sent: toJson(sent), seen: toJson(seen), returned: toJson(returned) };
}

function show(forwarded: Forwarded): string {
  return JSON.stringify([toJson(forwarded.seen), toJson(forwarded.returned)]);
}

function handleCases(): ValueCase[] {
  const own: ValueType = { kind: "own", resource: THING };
  return [
    { type: own, values: [new Thing()] },
    { type: { kind: "list", element: own }, values: [[], [new Thing(), new Thing()]] },
    { type: { kind: "option", payload: own }, values: [undefined, new Thing()] },
    { type: { kind: "borrow", resource: THING }, values: [new Thing()] },
  ];
}

function randomCases(): ValueCase[] {
  const random = new Random(17);
  const cases: ValueCase[] = [];
  while (cases.length < RANDOM_TYPES) {
    const type = randomType(random, 3);
    if (isCompared(type))
      cases.push({ type, values: [randomValue(random, type), randomValue(random, type)] });
  }
  return cases;
}

/** Functions of jco throw the error of a result that they return, and lists of a fixed length are new there. */
function isCompared(type: ValueType): boolean {
  return type.kind !== "result" && !JSON.stringify(type).includes('"length"');
}

class JcoComponent implements Disposable {
  readonly #folder: string;
  readonly #exports: Exports;
  readonly #host: { seen: unknown };

  private constructor(folder: string, exports: Exports, host: { seen: unknown }) {
    this.#folder = folder;
    this.#exports = exports;
    this.#host = host;
  }

  static async create(transpile: Transpile, bytes: Uint8Array): Promise<JcoComponent> {
    const folder = mkdtempSync(join(tmpdir(), "spindle-jco-"));
    const { files } = await transpile(bytes, {
      name: "forwarder",
      instantiation: { tag: "async" },
      outDir: folder,
    });
    const isNeeded = (path: string) => /\.(js|wasm)$/.test(path);
    for (const [path, contents] of Object.entries(files)) if (isNeeded(path)) writeFileSync(path, contents);
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    // jco writes such a function for this way to instantiate.
    const { instantiate } = (await import(pathToFileURL(join(folder, "forwarder.js")).href)) as {
      readonly instantiate: (getModule: (path: string) => unknown, imports: object) => Promise<Exports>;
    };
    const host = { seen: undefined as unknown };
    const echo = (value: unknown) => {
      host.seen = value;
      return value;
    };
    const functions = Object.fromEntries(
      Array.from({ length: FUNCTIONS_MAX }, (_, index) => [`f${index}`, echo]),
    );
    const getModule = (path: string) => WebAssembly.compile(new Uint8Array(files[join(folder, path)] ?? []));
    const exports = await instantiate(getModule, { [FORWARDED]: { ...functions, Thing } });
    return new JcoComponent(folder, exports, host);
  }

  send(index: number, value: unknown): Forwarded | { readonly error: unknown } {
    this.#host.seen = undefined;
    try {
      const returned = this.#exports[`f${index}`]?.(value);
      return { seen: plain(this.#host.seen), returned: plain(returned) };
    } catch (error) {
      return { error };
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}

/** jco gives lists of numbers as typed arrays; here only bytes are. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array || value instanceof Thing) return value;
  if (ArrayBuffer.isView(value) && Symbol.iterator in value) return [...(value as Iterable<unknown>)];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

await main();
