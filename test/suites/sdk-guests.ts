// Runs guests made with the SDKs of Spin through a real socket, and reports what they answer.
//
//     npm run suite:sdk-guests -- --from DIR [--filter TEXT]
//
// DIR has WebAssembly files that are named after what made them; docs/guests.md says what each does.
// Files of other names are skipped.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type ErrorCode, SpindleError } from "../../src/errors/mod.ts";
import { startApplication, type TestApplication } from "../../src/testing/mod.ts";

interface Probe {
  readonly what: string;
  /** Throws if the guest does not do what its source says. */
  run(app: TestApplication, upstream: string): Promise<void>;
}

interface Expectation {
  readonly names: RegExp;
  readonly probes: readonly Probe[];
  /** The guest cannot be served, and start-up says so with this code. */
  readonly refusal?: ErrorCode;
}

const MEBIBYTE = Buffer.alloc(2 ** 20, "0123456789abcdef");
/** So many in a row show that an instance that was put back is like a new one. */
const REPEATED = 50;
const AT_ONCE = 8;

const EXPECTATIONS: readonly Expectation[] = [
  {
    names: /^rust-sdk[2-5]/,
    probes: [
      answers("/", { status: 200, body: "hello from spin-sdk\n" }),
      answers("/nope", { status: 404, body: "no route /nope\n" }),
      echoes("a body", Buffer.from("héllo 🦀")),
      echoes("a body of 1 MiB", MEBIBYTE),
      {
        what: "request line and headers",
        async run(app) {
          const response = await app.fetch("/headers?a=b&c=%20", { headers: { "x-probe": "one" } });
          const text = await response.text();
          assert.match(text, /^GET http:\/\/127\.0\.0\.1:\d+\/headers\?a=b&c=%20 query="a=b&c=%20"$/m);
          for (const line of ["x-probe: one", "spin-component-route: "])
            assert.ok(text.includes(`\n${line}`), line);
          assert.match(text, /^spin-full-url: http:\/\/127\.0\.0\.1:\d+\/headers\?a=b&c=%20$/m);
        },
      },
      answers("/panic", { status: 500, body: "" }),
      repeated("/", "hello from spin-sdk\n"),
    ],
  },
  {
    names: /^rust-host[345]/,
    probes: [
      answers("/other", { status: 404, body: "no route\n" }),
      answers("/var/color", { status: 200, body: "blue" }),
      {
        what: "an outbound request",
        async run(app, upstream) {
          const headers = { "x-target": `${upstream}/path?q=1` };
          const response = await app.fetch("/", { method: "POST", headers, body: MEBIBYTE });
          assert.equal(response.headers.get("x-upstream"), "1");
          assert.equal(response.status, 201);
          assert.equal(await response.text(), `POST /path?q=1 guest ${MEBIBYTE.length}`);
        },
      },
      {
        what: "an outbound request that is not allowed",
        async run(app) {
          const response = await app.fetch("/", { headers: { "x-target": "http://example.invalid/" } });
          assert.equal(response.status, 500);
          assert.match(await response.text(), /HttpRequestDenied/);
        },
      },
    ],
  },
  { names: /^rust-redis/, probes: [], refusal: "COMPONENT_HANDLER_MISSING" },
  { names: /^js-sdk3/, probes: [...hello("hello from fetch-event guest\n"), header("x-guest", "js-hello")] },
  {
    names: /^js-sdk2/,
    probes: [
      ...hello("hello sdk2\n"),
      header("x-guest", "sdk2"),
      // Its router answers nothing there: the runtime does, and leaves the body open.
      answers("/nope", { status: 500, body: "" }),
    ],
  },
  {
    names: /^js-hono/,
    probes: [
      ...hello("hello from hono\n"),
      header("x-guest", "js-hono"),
      answers("/nope", { status: 404, body: "no route /nope\n" }),
      answers("/users/7?q=é", { status: 200, body: '{"id":"7","q":"é"}' }),
      answers("/throw", { status: 500, body: "Internal Server Error" }),
      answers("/stream", { status: 200, body: "piece 2\npiece 1\npiece 0\n" }),
      answers("/apis", {
        status: 200,
        body: '{"url":"http://a.example/b?c=1#d","base64":"spindle","clone":2,"uuid":true,"decoded":"é🦀","params":"2","time":true}',
      }),
      echoes("a body of 1 MiB", MEBIBYTE),
      posts("/upper", "HÉLLO"),
      posts("/digest", createHash("sha256").update("hÉllo").digest("hex")),
      {
        what: "an outbound request",
        async run(app, upstream) {
          const response = await app.fetch("/out", { headers: { "x-target": `${upstream}/p?q` } });
          assert.equal(response.headers.get("x-upstream"), "1");
          assert.equal(await response.text(), "POST /p?q guest 12");
        },
      },
    ],
  },
  { names: /^py-sdk3/, probes: hello("hello from python\n") },
  // It prints, but no header: a command is no CGI program for that.
  {
    names: /^qjs-p2/,
    probes: [
      answers("/", { status: 500, body: "Exactly one of 'location' or 'content-type' must be specified" }),
    ],
  },
  // It was linked without its component type.
  { names: /\.core\.wasm$/, probes: [], refusal: "COMPONENT_IMPORT_UNKNOWN" },
];

function answers(path: string, expected: { readonly status: number; readonly body: string }): Probe {
  return {
    what: `GET ${path}`,
    async run(app) {
      const response = await app.fetch(path);
      assert.deepEqual({ status: response.status, body: await response.text() }, expected);
    },
  };
}

function header(name: string, value: string): Probe {
  return {
    what: `header ${name}`,
    async run(app) {
      assert.equal((await app.fetch("/")).headers.get(name), value);
    },
  };
}

function echoes(what: string, body: Buffer<ArrayBuffer>): Probe {
  return {
    what: `echo of ${what}`,
    async run(app) {
      const headers = { "content-type": "text/x-probe" };
      const response = await app.fetch("/echo", { method: "POST", headers, body });
      assert.equal(response.headers.get("content-type"), "text/x-probe");
      assert.ok(Buffer.from(await response.arrayBuffer()).equals(body), "another body came back");
    },
  };
}

/** What it makes of the body "hÉllo". */
function posts(path: string, expected: string): Probe {
  return {
    what: `POST ${path}`,
    async run(app) {
      assert.equal(await (await app.fetch(path, { method: "POST", body: "hÉllo" })).text(), expected);
    },
  };
}

function repeated(path: string, body: string): Probe {
  return {
    what: `${REPEATED} requests, ${AT_ONCE} at once`,
    async run(app) {
      const one = async () => assert.equal(await (await app.fetch(path)).text(), body);
      for (let sent = 0; sent < REPEATED; sent += AT_ONCE)
        await Promise.all(Array.from({ length: Math.min(AT_ONCE, REPEATED - sent) }, one));
    },
  };
}

/** A guest that says the same whatever it is asked. */
function hello(body: string): Probe[] {
  return [answers("/", { status: 200, body }), repeated("/", body)];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { from: { type: "string" }, filter: { type: "string", default: "" } },
  });
  const { from, filter } = values;
  if (from === undefined) {
    console.error("Usage: npm run suite:sdk-guests -- --from DIR [--filter TEXT]");
    process.exitCode = 2;
    return;
  }
  await using upstream = createServer(async (request, response) => {
    let bytes = 0;
    for await (const piece of request) bytes += piece.length;
    response.writeHead(201).end(`${request.method} ${request.url} ${request.headers["x-from"]} ${bytes}`);
  });
  await new Promise<void>((listening) => upstream.listen(0, "127.0.0.1", listening));
  // A server on TCP has an address of this form.
  const { port } = upstream.address() as AddressInfo;
  const files = readdirSync(from).filter((name) => name.endsWith(".wasm") && name.includes(filter));
  for (const file of files.toSorted()) {
    const problems = await check(resolve(from, file), `http://127.0.0.1:${port}`);
    if (problems.length > 0) process.exitCode = 1;
  }
}

/** Tells the outcome, and gives what was wrong. */
async function check(file: string, upstream: string): Promise<readonly string[]> {
  const name = basename(file);
  const expectation = EXPECTATIONS.find(({ names }) => names.test(name));
  const tell = (outcome: string) => console.log(`${name.padEnd(28)} ${outcome}`);
  if (!expectation) {
    tell("skipped: nothing is known of it");
    return [];
  }
  const folder = mkdtempSync(join(tmpdir(), "spindle-sdk-"));
  try {
    const started = performance.now();
    writeFileSync(join(folder, "spin.toml"), manifest(file, upstream));
    await using app = await startApplication({ from: folder });
    const startMs = Math.round(performance.now() - started);
    const problems = await failures(expectation, app, upstream);
    tell(problems.length > 0 ? "failed" : `${expectation.probes.length} passed, started in ${startMs} ms`);
    for (const problem of problems) console.log(`    ${problem}`);
    return problems;
  } catch (error) {
    if (!(error instanceof SpindleError)) throw error;
    const isExpected = error.code === expectation.refusal;
    tell(`${isExpected ? "refused" : "failed"}: ${error.message}`);
    return isExpected ? [] : [error.message];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function failures(
  { probes, refusal }: Expectation,
  app: TestApplication,
  upstream: string,
): Promise<readonly string[]> {
  const problems = refusal === undefined ? [] : [`It started, and ${refusal} was expected`];
  for (const { what, run } of probes) {
    try {
      await run(app, upstream);
    } catch (error) {
      problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return problems;
}

function manifest(file: string, upstream: string): string {
  const name = basename(file);
  return `spin_manifest_version = 2
application = { name = "guest" }
[variables]
color = { default = "blue" }
[[trigger.http]]
route = "/..."
component = "guest"
${name.startsWith("qjs-p2") ? 'executor = { type = "wagi" }' : ""}
[component.guest]
source = ${JSON.stringify(file)}
allowed_outbound_hosts = [${JSON.stringify(upstream)}]
variables = { color = "{{ color }}" }
`;
}

await main();
