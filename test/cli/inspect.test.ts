// `spindle inspect`, as a user runs it.

import assert from "node:assert/strict";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ModuleBuilder } from "../../src/wasm/mod.ts";
import { ASYNCHRONOUS_COMPONENT } from "../asynchronous-component.ts";
import { ROOT, Workplace } from "./spindle-process.ts";

const MANIFEST = `
spin_manifest_version = 2
application = { name = "shop", version = "1.2.3" }

[variables]
token = { default = "s3cret", secret = true }

[[trigger.http]]
route = "/hello/..."
component = "hello"

[[trigger.http]]
route = { private = true }
component = "cgi"
executor = { type = "wagi" }

[component.hello]
source = "hello.wasm"
files = [{ source = "assets", destination = "/assets" }]
allowed_outbound_hosts = ["https://example.com", "redis://*:6379"]
environment = { MODE = "quiet" }
variables = { key = "{{ token }}" }
key_value_stores = ["default"]
[component.hello.tool.spindle]
memory = "64MiB"
wall_time = "5s"

[component.cgi]
source = "wagi.wasm"
`;

async function inspect(place: Workplace, args: readonly string[]) {
  await using spindle = place.spindle(["inspect", ...args]);
  return await spindle.ended();
}

/** Code grows by what the engine adds, which is not what these tests are about. */
function withoutSizes(text: string): string {
  return text.replace(/^( +code +).*$/gm, "$1...");
}

test("inspect tells what a module is, who would run it, and what it imports and exports", async () => {
  using place = new Workplace("", ["c/outbound-a"]);
  const { code, stdout, stderr } = await inspect(place, ["outbound-a.wasm"]);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  assert.equal(
    withoutSizes(stdout),
    `outbound-a.wasm
  kind     core module, 31.2 KiB
  runs as  HTTP handler of the Spin ABI, as Spin 0.1 to 0.3 has it
  slots    recyclable: put back to the first state after each request
  code     ...
  memory   128 KiB to 512 MiB

  imports
    wasi-outbound-http
      request: (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32)
    wasi_snapshot_preview1
      fd_close: (i32) -> i32
      fd_seek: (i32, i64, i32, i32) -> i32
      fd_write: (i32, i32, i32, i32) -> i32

  exports
    canonical_abi_realloc: (i32, i32, i32, i32) -> i32
    canonical_abi_free: (i32, i32, i32)
    handle-http-request: (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) -> i32
    memory memory
`,
  );
  assert.deepEqual(place.leftovers, []);
});

test("inspect tells the interfaces of a component, and in which versions it gets them", async () => {
  using place = new Workplace("", ["wasi/world"]);
  const { code, stdout } = await inspect(place, ["world.wasm"]);
  assert.equal(code, 0);
  assert.match(stdout, /^ {2}kind {7}component, \d+ KiB$/m);
  assert.match(stdout, /^ {2}made with {2}wit-component [\d.]+$/m);
  assert.match(stdout, /^ {2}runs as {4}CGI program: Wagi runs wasi:cli\/run 0\.2\.0/m);
  assert.match(stdout, /^ {4}wasi:io\/poll@0\.2\.\d+(, given as 0\.2\.\d+)?$/m);
  assert.match(stdout, /^ {6}\[method\]pollable\.block: func\(self: borrow<pollable>\)$/m);
  assert.match(stdout, /^ {4}wasi:cli\/run@0\.2\.\d+\n {6}run: func\(\) -> result$/m);
  for (const line of stdout.split("\n")) assert.ok(line.length <= 120, line);
});

test("inspect tells what it can of a component of WASI 0.3, which cannot run", async () => {
  using place = new Workplace("", []);
  writeFileSync(join(place.folder, "later.wasm"), ASYNCHRONOUS_COMPONENT);
  const { code, stdout } = await inspect(place, ["later.wasm"]);
  assert.equal(code, 0);
  assert.match(stdout, /^ {2}runs as {2}HTTP handler of wasi:http 0\.3\.0, which this version cannot run$/m);
  assert.match(stdout, /^ {4}test:asynchronous\/thing@0\.3\.0: given by NOBODY/m);
  assert.match(stdout, /^error: .* later\.wasm is made for WASI 0\.3 \(it uses canon context\.get\)/m);
  const json = await inspect(place, ["later.wasm", "--json"]);
  assert.equal(json.code, 0);
  const [component] = JSON.parse(json.stdout).components;
  assert.equal(component.handler.isAvailable, false);
  assert.equal(component.problems[0].code, "COMPONENT_MODEL_UNSUPPORTED");
});

test("inspect tells why a module needs a new instance for each request", async () => {
  using place = new Workplace("", ["wat/table-set"]);
  const { stdout } = await inspect(place, ["table-set.wasm"]);
  assert.match(stdout, /^ {2}slots {4}a new instance for each request: .*table/m);
});

test("inspect of a manifest tells what each component may do, but no values, which may be secret", async () => {
  using place = new Workplace(MANIFEST, ["c/hello", "c/wagi"]);
  place.write("assets/a.txt", "a");
  const { code, stdout, stderr } = await inspect(place, []);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  const rows = stdout.split("\n").filter((line) => /^(\w| {2}\w)/.test(line));
  assert.deepEqual(
    rows.map((line) => line.replace(/^( +code +).*/, "$1...")),
    [
      "shop 1.2.3",
      "hello",
      "  source       hello.wasm",
      "  kind         core module, 13.5 KiB",
      "  runs as      HTTP handler of the Spin ABI, as Spin 0.4 to 1.5 has it (assumed)",
      "  slots        recyclable: put back to the first state after each request",
      "  code         ...",
      "  memory       128 KiB to 64 MiB",
      "  route        /hello/...",
      "  files        / (to read)",
      "  hosts        https://example.com, redis://*:6379",
      "  environment  MODE",
      "  variables    key",
      "  stores       default",
      "  limits       5 s for a call, 64 MiB memory",
      "  imports nothing",
      "  exports",
      "cgi",
      "  source   wagi.wasm",
      "  kind     core module, 31.9 KiB",
      "  runs as  CGI program: Wagi runs _start",
      "  slots    recyclable: put back to the first state after each request",
      "  code     ...",
      "  memory   192 KiB to 512 MiB",
      "  route    private",
      "  imports",
      "  exports",
    ],
  );
  assert.ok(!stdout.includes("s3cret") && !stdout.includes("quiet"));
});

test("inspect --json gives the same to a program; --component-id chooses", async () => {
  using place = new Workplace(MANIFEST, ["c/hello", "c/wagi"]);
  place.write("assets/a.txt", "a");
  const { code, stdout } = await inspect(place, ["--from", "spin.toml", "-c", "hello", "--json"]);
  assert.equal(code, 0);
  const { name, components } = JSON.parse(stdout);
  assert.equal(name, "shop");
  assert.equal(components.length, 1);
  const [hello] = components;
  assert.deepEqual(
    { ...hello, modules: hello.modules.length, exports: hello.exports.length, permissions: 0, limits: 0 },
    {
      id: "hello",
      source: "hello.wasm",
      digest: hello.digest,
      kind: "module",
      bytes: readFileSync(join(place.folder, "hello.wasm")).length,
      producers: [],
      handler: {
        executor: "spin-http",
        export: "handle-http-request",
        isAvailable: true,
        generation: "B",
        isGenerationKnown: false,
      },
      handlers: [{ kind: "spin-http", export: "handle-http-request" }],
      slots: { areRecyclable: true, freshReasons: [] },
      modules: 1,
      imports: [],
      exports: 1,
      triggers: [{ id: hello.triggers[0].id, type: "http", route: "/hello/..." }],
      permissions: 0,
      limits: 0,
      problems: [],
      warnings: [],
    },
  );
  assert.deepEqual(hello.permissions.allowedOutboundHosts, ["https://example.com", "redis://*:6379"]);
  assert.equal(hello.limits.memoryBytesMax, 64 * 2 ** 20);
});

test("inspect tells what is missing, with what comes nearest, and ends well: that is what it is for", async () => {
  using place = new Workplace("");
  const builder = new ModuleBuilder();
  builder.importFunction("wasi_snapshot_preview", "fd_write", { params: ["i32"], results: [] });
  writeFileSync(join(place.folder, "lost.wasm"), builder.build());
  const { code, stdout } = await inspect(place, ["lost.wasm"]);
  assert.equal(code, 0);
  assert.match(stdout, /^ {2}runs as {2}nothing: it exports no handler$/m);
  assert.match(
    stdout,
    /^ {4}wasi_snapshot_preview: given by NOBODY; the nearest is wasi_snapshot_preview1$/m,
  );
  assert.match(stdout, /\[COMPONENT_IMPORT_UNKNOWN\]\n {2}hint: Did you mean "wasi_snapshot_preview1"\?\n$/);
});

const MISTAKES = [
  { args: ["missing.wasm"], code: 1, stderr: /missing\.wasm/ },
  { args: ["cut.wasm"], code: 1, stderr: /\[MODULE_INVALID\]/ },
  { args: ["cut-component.wasm"], code: 1, stderr: /\[MODULE_INVALID\]/ },
  { args: ["text.wasm"], code: 1, stderr: /\[COMPONENT_SOURCE_INVALID\]/ },
  { args: ["-c", "helo"], code: 1, stderr: /\[COMPONENT_UNKNOWN\]/ },
  { args: ["a.wasm", "b.wasm"], code: 2, stderr: /unexpected argument "b\.wasm"/ },
  { args: ["a.wasm", "--from", "b.wasm"], code: 2, stderr: /contradict each other/ },
];
for (const { args, code, stderr } of MISTAKES) {
  test(`inspect ${args.join(" ")} ends with ${code} and tells ${stderr}`, async () => {
    using place = new Workplace(MANIFEST, ["c/hello", "c/wagi"]);
    place.write("assets/a.txt", "a");
    place.write("text.wasm", "<html>");
    for (const [name, guest] of [
      ["cut", "c/hello"],
      ["cut-component", "wasi/world"],
    ] as const) {
      const file = join(place.folder, `${name}.wasm`);
      copyFileSync(join(ROOT, "guests", `${guest}.wasm`), file);
      writeFileSync(file, readFileSync(file).subarray(0, 5000));
    }
    const ended = await inspect(place, args);
    assert.deepEqual({ code: ended.code, stdout: ended.stdout }, { code, stdout: "" });
    assert.match(ended.stderr, stderr);
  });
}

test("inspect tells which dependency gives an import, what it shares, and what traps when it is called", async () => {
  using place = new Workplace(
    `
spin_manifest_version = 2
application = { name = "composed" }
[[trigger.http]]
route = "/..."
component = "front"
[component.front]
source = "front.wasm"
[component.front.dependencies]
"test:composed/words" = { path = "words.wasm" }
"test:composed/report" = { path = "report.wasm", inherit_configuration = ["files"] }
`,
    ["composed/front", "composed/words", "composed/report"],
  );
  const { code, stdout } = await inspect(place, []);
  assert.equal(code, 0);
  assert.match(stdout, /^ {2}runs as {5}HTTP handler of fermyon:spin\/inbound-http$/m);
  assert.match(
    stdout,
    /^ {2}depends on {2}test:composed\/words \(words\.wasm\), test:composed\/report \(report\.wasm, shares files\)$/m,
  );
  assert.match(stdout, /^ {4}test:composed\/words@1\.0\.0, given by dependency "test:composed\/words"$/m);
  assert.doesNotMatch(stdout, /NOBODY|error:/);
  assert.match(stdout, /^warning: Component "front" imports .*`fermyon:spin\/sqlite@2\.0\.0`/m);
  const alone = await inspect(place, ["report.wasm"]);
  assert.match(
    alone.stdout,
    /^ {4}fermyon:spin\/sqlite@2\.0\.0: not in this version, to call it is a trap$/m,
  );
});
