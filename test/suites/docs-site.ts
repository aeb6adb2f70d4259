// Runs a site of the Bartholomew content system, such as the documentation of Spin 0.1.0, and reads all of it.
//
//     npm run suite:docs-site -- --from DIR     DIR holds spin.toml, content/ and static/
//
// Every page below content/ must answer 200 with its title in it, every file below static/ must come back
// byte for byte; then all of them again, many times, over 64 connections, with the same answers.

import assert from "node:assert/strict";
import { glob, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Server } from "../../bench/server.ts";

const CONNECTIONS = 64;
/** How often all of the site is read under load. */
const PASSES = 20;

interface Expectation {
  readonly path: string;
  /** Throws if the body is not what the source says. */
  readonly check: (body: Buffer) => void;
}

async function pages(site: string): Promise<Expectation[]> {
  const files = await Array.fromAsync(glob("**/*.md", { cwd: join(site, "content") }));
  return Promise.all(
    files.toSorted().map(async (file) => {
      const title = /^title *= *"(.*)"/m.exec(await readFile(join(site, "content", file), "utf8"))?.[1];
      return {
        path: file === "index.md" ? "/" : `/${file.replace(/\.md$/, "")}`,
        check: (body) => assert.ok(title && body.includes(title), `The title "${title}" is not in the page`),
      };
    }),
  );
}

async function statics(site: string): Promise<Expectation[]> {
  const entries = await Array.fromAsync(glob("**/*", { cwd: join(site, "static"), withFileTypes: true }));
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    files.toSorted().map(async (file) => {
      const bytes = await readFile(file);
      return {
        path: file.slice(site.length),
        check: (body) =>
          assert.ok(body.equals(bytes), `${body.length} bytes differ from the file's ${bytes.length}`),
      };
    }),
  );
}

async function read(port: number, { path, check }: Expectation): Promise<Buffer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  const body = Buffer.from(await response.arrayBuffer());
  assert.equal(response.status, 200, `${path} answers ${response.status}`);
  check(body);
  return body;
}

/** Reads each once, in order; returns the bodies by path, and what fails. */
async function readEach(port: number, expectations: readonly Expectation[]) {
  const bodies = new Map<string, Buffer>();
  const failures: string[] = [];
  for (const expectation of expectations) {
    try {
      bodies.set(expectation.path, await read(port, expectation));
    } catch (error) {
      // All failures are wanted, not the first alone.
      failures.push(`${expectation.path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { bodies, failures };
}

/** Reads all of them PASSES times over CONNECTIONS connections; returns how many answers there were. */
async function readUnderLoad(port: number, expectations: readonly Expectation[]): Promise<number> {
  const total = expectations.length * PASSES;
  let next = 0;
  const worker = async () => {
    while (next < total) {
      const expectation = expectations[next++ % expectations.length];
      if (expectation) await read(port, expectation);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  return total;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { from: { type: "string" } } });
  if (values.from === undefined) throw new Error("Usage: npm run suite:docs-site -- --from DIR");
  const site = resolve(values.from);
  const expectations = [...(await pages(site)), ...(await statics(site))];

  const binary = join(import.meta.dirname, "../../bin/spindle.mjs");
  await using server = await Server.start([
    process.execPath,
    binary,
    "up",
    "--from",
    site,
    "--listen",
    "127.0.0.1:PORT",
    "--quiet",
  ]);
  console.log(`First answer after ${server.firstAnswerMs.toFixed(0)} ms`);

  const { bodies, failures } = await readEach(server.port, expectations);
  console.log([...failures, `${bodies.size} of ${expectations.length} answered as they should`].join("\n"));
  if (failures.length > 0) {
    process.exitCode = 1;
    return;
  }

  const same = [...bodies].map(([path, body]) => ({
    path,
    check: (again: Buffer) => assert.ok(again.equals(body), `${path} answers something else under load`),
  }));
  const startMs = performance.now();
  const count = await readUnderLoad(server.port, same);
  const seconds = (performance.now() - startMs) / 1000;
  console.log(
    `${count} answers over ${CONNECTIONS} connections, ${(count / seconds).toFixed(0)} a second, all the same`,
  );
}

await main();
