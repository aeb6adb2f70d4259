// `dependencies` of a component: what they give, what they may use, and what is told if they do not fit.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SpindleError } from "../../src/errors/mod.ts";
import { startApplication, type TestApplication } from "../../src/testing/mod.ts";
import { ASYNCHRONOUS_COMPONENT } from "../asynchronous-component.ts";

const GUESTS = join(import.meta.dirname, "../../guests");

/** An application of which `front` answers, with these lines in its table and below. */
class Application implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "spindle-dependencies-"));

  constructor(front: string) {
    for (const guest of ["front", "report", "words", "words-module"])
      copyFileSync(join(GUESTS, "composed", `${guest}.wasm`), join(this.folder, `${guest}.wasm`));
    copyFileSync(join(GUESTS, "c/hello.wasm"), join(this.folder, "core.wasm"));
    writeFileSync(
      join(this.folder, "cut.wasm"),
      readFileSync(join(this.folder, "words.wasm")).subarray(0, 900),
    );
    writeFileSync(join(this.folder, "asset.txt"), "asset");
    writeFileSync(
      join(this.folder, "spin.toml"),
      `spin_manifest_version = 2
application = { name = "composed" }
[variables]
default = { default = "value" }
[[trigger.http]]
route = "/..."
component = "front"
[component.words]
source = "words.wasm"
[component.front]
source = "front.wasm"
files = ["asset.txt"]
environment = { A = "1", B = "2" }
allowed_outbound_hosts = ["*://*:*"]
variables = { default = "{{ default }}" }
${front}
`,
    );
  }

  start(): Promise<TestApplication> {
    return startApplication({ from: this.folder });
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

async function ask(app: TestApplication, path: string): Promise<string> {
  const response = await app.fetch(path);
  return response.status === 200 ? await response.text() : `status ${response.status}`;
}

const REPORT = `"test:composed/report@1.0.0" = { path = "report.wasm" }`;

const ways = [
  { because: "by path", words: `"test:composed/words@1.0.0" = { path = "words.wasm" }` },
  {
    because: "as a core module that is run as a component",
    words: `"test:composed/words@1.0.0" = { path = "words-module.wasm" }`,
  },
  { because: "by the id of a component", words: `"test:composed/words@1.0.0" = { component = "words" }` },
  { because: "in another version that fits", words: `"test:composed/words@1.2.0" = { path = "words.wasm" }` },
  { because: "without a version", words: `"test:composed/words" = { path = "words.wasm" }` },
  {
    because: "by the name of its export",
    words: `"test:composed/words" = { path = "words.wasm", export = "test:composed/words@1.0.0" }`,
  },
];
for (const { because, words } of ways) {
  test(`an import is given by a dependency that is named ${because}`, async () => {
    using application = new Application(`[component.front.dependencies]\n${words}\n${REPORT}`);
    await using app = await application.start();
    for (const name of ["World", "🦀", ""])
      assert.equal(await ask(app, `/greet/${name}`), `Hello, ${encodeURI(name)}!`);
    assert.equal(await ask(app, "/own"), "2");
  });
}

test("an import is given by a dependency that is named by URL and digest", async () => {
  const bytes = readFileSync(join(GUESTS, "composed/words.wasm"));
  await using server = createServer((_, response) => response.end(bytes)).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  // A server on TCP has an address of this form.
  const { port } = server.address() as { port: number };
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  using application = new Application(`[component.front.dependencies]
"test:composed/words" = { url = "http://127.0.0.1:${port}/words.wasm", digest = "${digest}" }
${REPORT}`);
  await using app = await application.start();
  assert.equal(await ask(app, "/greet/you"), "Hello, you!");
});

/** In the order of the enum in guests/composed/composed.wit. */
const PERMISSIONS = [
  "environment",
  "files",
  "http",
  "sockets",
  "name-lookup",
  "variables",
  "key-value",
  "sqlite",
];

/** What a dependency gets that shares nothing: an empty list, or the error of each interface that says "denied". */
const DENIED: Readonly<Record<string, string>> = {
  environment: "count 0",
  files: "count 0",
  http: "error 15",
  sockets: "error 1",
  "name-lookup": "error 1",
  variables: "error 3",
  "key-value": "error 2",
  sqlite: "error 1",
};

async function report(app: TestApplication): Promise<Record<string, string>> {
  const answers = PERMISSIONS.map(async (name, index) => [name, await ask(app, `/report/${index}`)] as const);
  return Object.fromEntries(await Promise.all(answers));
}

/** Interfaces that components may import and this version has not: a call that is not denied is a trap. */
const ABSENT = ["key-value", "sqlite"];

const shares = [
  { inherit: "", shared: {} },
  { inherit: ", inherit_configuration = false", shared: {} },
  { inherit: ", inherit_configuration = []", shared: {} },
  { inherit: `, inherit_configuration = ["environment"]`, shared: { environment: "count 2" } },
  { inherit: `, inherit_configuration = ["files"]`, shared: { files: "count 1" } },
  {
    inherit: `, inherit_configuration = ["allowed_outbound_hosts"]`,
    shared: { http: "ok", sockets: "ok" },
  },
  { inherit: `, inherit_configuration = ["variables"]`, shared: { variables: "ok" } },
  {
    inherit: ", inherit_configuration = true",
    shared: {
      environment: "count 2",
      files: "count 1",
      http: "ok",
      sockets: "ok",
      variables: "ok",
    },
  },
];
for (const { inherit, shared } of shares) {
  test(`a dependency with { path${inherit} } may use ${Object.keys(shared).join(", ") || "nothing"}; all else answers with an error`, async () => {
    using application = new Application(`[component.front.dependencies]
"test:composed/words" = { path = "words.wasm" }
"test:composed/report" = { path = "report.wasm"${inherit} }`);
    await using app = await application.start();
    const expected: Record<string, string> = { ...DENIED, ...shared };
    if (inherit.includes("true")) for (const name of ABSENT) expected[name] = "status 500";
    assert.deepEqual(await report(app), expected);
    assert.equal(await ask(app, "/own"), "2");
  });
}

test("dependencies_inherit_configuration shares everything with all dependencies", async () => {
  using application = new Application(`dependencies_inherit_configuration = true
[component.front.dependencies]
"test:composed/words" = { path = "words.wasm" }
"test:composed/report" = { path = "report.wasm" }`);
  await using app = await application.start();
  assert.equal((await report(app)).environment, "count 2");
});

const REST = `"test:composed/words" = { path = "words.wasm" }\n${REPORT}`;
const mistakes = [
  {
    because: "the component imports nothing of its name",
    line: `"test:composed/wards" = { path = "words.wasm" }`,
    message:
      /dependency "test:composed\/wards": The component has no import of that name: it imports .*"test:composed\/words@1\.0\.0"/,
  },
  {
    because: "it is of another version",
    line: `"test:composed/words@2.0.0" = { path = "words.wasm" }`,
    message: /dependency "test:composed\/words@2\.0\.0": The component has no import of that name/,
  },
  {
    because: "it does not export the interface",
    line: `"test:composed/words" = { path = "report.wasm" }`,
    message:
      /: It does not export "test:composed\/words@1\.0\.0": it exports "test:composed\/report@1\.0\.0"$/,
  },
  {
    because: "it has no such export",
    line: `"test:composed/words" = { path = "words.wasm", export = "greetings" }`,
    message: /: It does not export "greetings": it exports "test:composed\/words@1\.0\.0"$/,
  },
  {
    because: "its export has another type",
    line: `"test:composed/words" = { path = "report.wasm", export = "test:composed/report@1.0.0" }`,
    message: /: It does not fit: .*"test:composed\/words@1\.0\.0"/,
  },
  {
    because: "it is a core module without a component type",
    line: `"test:composed/words" = { path = "core.wasm" }`,
    message: /: It does not fit: this is a core module that has no component type$/,
  },
  {
    because: "it is cut short",
    line: `"test:composed/words" = { path = "cut.wasm" }`,
    message: /: It does not fit: 1064 bytes of a section in 889 bytes$/,
  },
];
for (const { because, line, message } of mistakes) {
  test(`a dependency is refused, with its place in the manifest, if ${because}`, async () => {
    using application = new Application(`[component.front.dependencies]\n${REPORT}\n${line}`);
    const error = await application.start().then(
      () => assert.fail("It started"),
      (reason: unknown) => reason,
    );
    assert(error instanceof SpindleError);
    const [diagnostic, ...others] = error.diagnostics;
    assert.deepEqual(others, []);
    assert.equal(diagnostic?.code, "COMPONENT_DEPENDENCY");
    assert.match(diagnostic.message, message);
    assert.deepEqual([diagnostic.at?.line, diagnostic.at?.column], [18, line.indexOf("{") + 1]);
  });
}

test("all dependencies that do not fit are told, each with what would help", async () => {
  using application = new Application(`[component.front.dependencies]
"test:composed/wards" = { path = "words.wasm" }
"test:composed/words" = { path = "report.wasm" }
"test:composed/report" = { path = "async.wasm" }`);
  writeFileSync(join(application.folder, "async.wasm"), ASYNCHRONOUS_COMPONENT);
  await assert.rejects(application.start(), (error) => {
    assert(error instanceof SpindleError);
    assert.deepEqual(
      error.diagnostics.map(({ message, hint, at }) => [
        at?.line,
        message.split(": ")[1],
        hint?.split(" ", 3).join(" "),
      ]),
      [
        [17, "The component has no import of that name", "Name a dependency"],
        [18, 'It does not export "test:composed/words@1.0.0"', "Add `export ="],
        [
          19,
          "It is made for WASI 0.3 (it uses canon context.get), which this version does not run",
          "Build the dependency",
        ],
      ],
    );
    return true;
  });
});

test("a dependency that is not there is told with its `path`", async () => {
  using application = new Application(
    `[component.front.dependencies]\n"test:composed/words" = { path = "wards.wasm" }`,
  );
  await assert.rejects(application.start(), (error) => {
    assert(error instanceof SpindleError);
    const [diagnostic] = error.diagnostics;
    assert.equal(diagnostic?.code, "COMPONENT_SOURCE_MISSING");
    assert.match(diagnostic.hint ?? "", /correct its `path`/);
    return true;
  });
});

test("a core module without a component type can have no dependencies", async () => {
  using application = new Application(`[component.other]
source = "core.wasm"
[component.other.dependencies]
"test:composed/words" = { path = "words.wasm" }
[component.front.dependencies]
${REST}`);
  await assert.rejects(application.start(), /A core module imports nothing from components/);
});

test("imports that nobody gives are told with what would help", async () => {
  using application = new Application(`[component.front.dependencies]\n${REPORT}`);
  await assert.rejects(application.start(), (error) => {
    assert(error instanceof SpindleError);
    const [diagnostic] = error.diagnostics;
    assert.equal(diagnostic?.code, "COMPONENT_IMPORT_UNKNOWN");
    assert.match(diagnostic.message, /it imports `greet` of `test:composed\/words@1\.0\.0`/);
    assert.match(diagnostic.hint ?? "", /\[component\.front\.dependencies\]/);
    return true;
  });
});

test("a package is a dependency for all that is imported of it", async () => {
  using application = new Application(`[component.front.dependencies]
"test:composed" = { path = "words.wasm" }`);
  await assert.rejects(application.start(), /It does not export "test:composed\/report@1\.0\.0"/);
});
