// Measures the memory of many idle components, before, during and after a peak of requests to all of them.
//
//     npm run bench:idle -- [--components 1000] [--modules 20] [--module-mib 2] [--after 75]
//
// The modules are all different, and as large as `--module-mib` says: half code that is never called, half
// data. Idle slots are let go a minute after their last call, which is what `--after`, in seconds, waits for.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { assembleText } from "../src/wasm/mod.ts";
import { Server } from "./server.ts";

const ROOT = join(import.meta.dirname, "..");
const MIB = 1024 * 1024;
/** Requests under way at once during the peak. */
const PEAK_REQUESTS = 64;
/** Bytes of a function in the modules below. */
const FUNCTION_BYTES = 256;

/** A CGI program that says hello, in a module of about this size. */
async function moduleOf(number: number, bytes: number): Promise<Uint8Array> {
  const half = bytes / 2;
  const body = `(drop (i32.const ${number})) ${"(drop (i32.const 1000000))".repeat(FUNCTION_BYTES / 5)}`;
  const functions = `(func ${body})`.repeat(half / FUNCTION_BYTES);
  // No page of it is all zeros, so all of it has to be in memory.
  const data = String.fromCharCode(97 + (number % 26)).repeat(half);
  const pages = Math.ceil(half / 65536) + 2;
  return await assembleText(`(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") ${pages})
    (data (i32.const 0) "\\10\\00\\00\\00\\1f\\00\\00\\00")
    (data (i32.const 16) "Content-Type: text/plain\\0a\\0aHello")
    (data (i32.const 65536) "${data}")
    (func (export "_start") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
    ${functions})`);
}

function manifestOf(components: number, modules: number): string {
  const tables = Array.from(
    { length: components },
    (_, index) => `
[[trigger.http]]
route = "/${index === 0 ? "..." : `c${index}`}"
component = "c${index}"
executor = { type = "wagi" }
[component.c${index}]
source = "m${index % modules}.wasm"
environment = { NUMBER = "${index}" }
`,
  );
  return `spin_manifest_version = 2\napplication = { name = "bench-idle" }\n${tables.join("")}`;
}

async function callAll(port: number, components: number): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < components) {
      const response = await fetch(`http://127.0.0.1:${port}/c${next++}`);
      if ((await response.text()) !== "Hello") throw new Error("A component does not answer");
    }
  };
  await Promise.all(Array.from({ length: PEAK_REQUESTS }, work));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      components: { type: "string", default: "1000" },
      modules: { type: "string", default: "20" },
      "module-mib": { type: "string", default: "2" },
      after: { type: "string", default: "75" },
    },
  });
  const [components, modules] = [Number(values.components), Number(values.modules)];
  const directory = await mkdtemp(join(tmpdir(), "spindle-bench-idle-"));
  try {
    for (let number = 0; number < modules; number++) {
      const bytes = await moduleOf(number, Number(values["module-mib"]) * MIB);
      await writeFile(join(directory, `m${number}.wasm`), bytes);
    }
    await writeFile(join(directory, "spin.toml"), manifestOf(components, modules));
    const flags = ["--listen", "127.0.0.1:PORT", "--quiet", "--log-dir", "", "--cache-dir", directory];
    await using server = await Server.start([
      process.execPath,
      join(ROOT, "bin/spindle.mjs"),
      "up",
      "--from",
      directory,
      ...flags,
    ]);
    const tell = (when: string) =>
      console.log(`${when.padEnd(20)} ${server.usage().residentMiB.toFixed(0)} MiB resident`);
    console.log(`started in ${(server.firstAnswerMs / 1000).toFixed(1)} s`);
    tell("idle, before");
    await callAll(server.port, components);
    await callAll(server.port, components);
    tell("after two calls each");
    await sleep(Number(values.after) * 1000);
    tell("idle again");
  } finally {
    await rm(directory, { recursive: true });
  }
}

await main();
