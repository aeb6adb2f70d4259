// Runs Spin's conformance tests that need no database, against `spindle up`.
//
//     npm run suite:conformance -- --from DIR [--target DIR] [--filter TEXT]
//
// DIR is a copy of github.com/fermyon/conformance-tests whose components have been built:
// `cargo build --release --target wasm32-wasip1 -p PACKAGE` for each folder in components/, into DIR/target
// unless `--target` says otherwise. Tests that need a service which is not here are skipped by name.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import {
  createServer as createHttpServer,
  request as httpRequest,
  type IncomingHttpHeaders,
} from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { runInNewContext } from "node:vm";
import { Workplace } from "../cli/spindle-process.ts";

interface NamedValue {
  readonly name: string;
  readonly value?: string;
  readonly optional?: boolean;
}

/** The suite's `docs/test-manifest.md`. */
interface Specification {
  readonly invocations: readonly {
    readonly request: {
      readonly method?: string;
      readonly path: string;
      readonly headers?: readonly NamedValue[];
      readonly body?: string;
    };
    readonly response: {
      readonly status?: number;
      readonly headers?: readonly NamedValue[];
      readonly body?: string;
    };
  }[];
  readonly preconditions?: readonly { readonly kind: string }[];
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** The port that a test calls a service by, and the service. */
const SERVICES: Readonly<Record<string, { readonly port: string; start(): Server }>> = {
  "http-echo": { port: "80", start: httpEcho },
  "tcp-echo": { port: "7", start: () => createTcpServer((socket) => socket.pipe(socket)) },
};

function httpEcho(): Server {
  return createHttpServer((request, response) => {
    response.writeHead(200, { "content-type": "text/plain" });
    request.pipe(response);
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      from: { type: "string" },
      target: { type: "string" },
      filter: { type: "string", default: "" },
    },
  });
  const { from, filter } = values;
  if (from === undefined) {
    console.error("Usage: npm run suite:conformance -- --from DIR [--target DIR] [--filter TEXT]");
    process.exitCode = 2;
    return;
  }
  const target = resolve(values.target ?? join(from, "target"));
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const names = readdirSync(join(from, "tests")).filter((name) => name.includes(filter));
  for (const name of names.toSorted()) {
    const { outcome, note } = await run({ from: resolve(from), target, name });
    counts[outcome]++;
    console.log(`${outcome.padEnd(8)} ${name}${note === "" ? "" : `: ${note}`}`);
  }
  const { passed, failed, skipped } = counts;
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  if (failed > 0 || passed === 0) process.exitCode = 1;
}

interface Place {
  readonly from: string;
  readonly target: string;
  readonly name: string;
}

async function run(
  place: Place,
): Promise<{ readonly outcome: "passed" | "failed" | "skipped"; readonly note: string }> {
  const folder = join(place.from, "tests", place.name);
  const specification = readSpecification(readFileSync(join(folder, "test.json5"), "utf8"));
  const manifest = readFileSync(join(folder, "spin.toml"), "utf8");
  const obstacle = obstacleOf(place, specification, manifest);
  if (obstacle !== undefined) return { outcome: "skipped", note: obstacle };
  await using services = new AsyncDisposableStack();
  const ports: Record<string, number> = {};
  for (const { kind } of specification.preconditions ?? []) {
    const service = SERVICES[kind];
    if (service) ports[service.port] = await listening(services.use(service.start()));
  }
  const filled = (template: string) => fill(template, place, ports);
  try {
    using workplace = new Workplace(filled(manifest));
    await using spindle = await workplace.up();
    for (const { request, response } of specification.invocations) {
      const answer = await send(await spindle.serving(), request, filled);
      compare(answer, response);
    }
    return { outcome: "passed", note: "" };
  } catch (error) {
    return { outcome: "failed", note: error instanceof Error ? error.message : String(error) };
  }
}

/** JSON5 is a part of JavaScript. */
function readSpecification(source: string): Specification {
  // The suite's own reader has checked the form.
  return runInNewContext(`(${source})`, {}, { timeout: 1000 }) as Specification;
}

/** Why a test cannot be run here. */
function obstacleOf(
  place: Place,
  { preconditions = [] }: Specification,
  manifest: string,
): string | undefined {
  const missing = preconditions.find(({ kind }) => !Object.hasOwn(SERVICES, kind));
  if (missing) return `it needs ${missing.kind}`;
  const source = componentOf(manifest);
  if (/^(key-value|sqlite|outbound-redis|outbound-mqtt|postgres)$/.test(source))
    return `this version has no ${source}`;
  const path = binaryOf(place, source);
  return existsSync(path) ? undefined : `${path} has not been built`;
}

function componentOf(manifest: string): string {
  return /%\{source=([^}]+)\}/.exec(manifest)?.[1] ?? "";
}

function binaryOf({ from, target }: Place, component: string): string {
  const manifest = readFileSync(join(from, "components", component, "Cargo.toml"), "utf8");
  const name = /^name = "(.+)"/m.exec(manifest)?.[1] ?? component;
  return join(target, "wasm32-wasip1", "release", `${name.replaceAll("-", "_")}.wasm`);
}

function fill(template: string, place: Place, ports: Readonly<Record<string, number>>): string {
  return template
    .replace(/%\{source=([^}]+)\}/g, (_, component) => binaryOf(place, component))
    .replace(/%\{port=(\d+)\}/g, (_, port) => String(ports[port] ?? port));
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((listens) => server.listen(0, "127.0.0.1", listens));
  // A server on TCP has an address of this form.
  return (server.address() as AddressInfo).port;
}

async function send(
  url: string,
  { method = "GET", path, headers = [], body }: Specification["invocations"][number]["request"],
  filled: (template: string) => string,
): Promise<Answer> {
  const { promise, resolve: answered, reject } = Promise.withResolvers<Answer>();
  const request = httpRequest(new URL(path, url), {
    method,
    headers: Object.fromEntries(headers.map(({ name, value = "" }) => [name, filled(value)])),
    // What Spin's own harness keeps open, an answer would have to say.
    agent: false,
  });
  request.on("error", reject).on("response", (response) => {
    text(response).then(
      (received) => answered({ status: response.statusCode, headers: response.headers, body: received }),
      reject,
    );
  });
  request.end(body);
  return await promise;
}

/** As the suite compares: a header that is not listed is a failure. */
function compare(answer: Answer, expected: Specification["invocations"][number]["response"]): void {
  const { status = 200, headers = [], body = "" } = expected;
  assert.equal(answer.status, status, `status ${answer.status}, expected ${status}: ${answer.body}`);
  assert.equal(
    answer.body,
    body,
    `the body is ${JSON.stringify(answer.body)}, expected ${JSON.stringify(body)}`,
  );
  for (const { name, value, optional = false } of headers) {
    const found = answer.headers[name.toLowerCase()];
    if (found === undefined && optional) continue;
    assert.notEqual(found, undefined, `header ${name} is missing`);
    if (value !== undefined)
      assert.equal(String(found).toLowerCase(), value.toLowerCase(), `header ${name} is ${found}`);
  }
  const listed = new Set(headers.map(({ name }) => name.toLowerCase()));
  // The client asked for the connection to be closed, which the answer confirms.
  const others = Object.keys(answer.headers).filter((name) => name !== "connection" && !listed.has(name));
  assert.deepEqual(others, [], `headers that are not expected: ${others.join(", ")}`);
}

await main();
