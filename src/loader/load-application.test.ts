// From what the user types to an Application: everything but files and downloads.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

import { formatDiagnostic, SpindleError } from "../errors/mod.ts";
import { findApplication } from "./find-application.ts";
import { MODULE, MODULE_TEXT, manifestOf, temporaryApplication } from "./temporary-application.ts";
import { createWorkingDirectory } from "./working-directory.ts";

const MANIFEST = manifestOf('source = "app.wasm"');

test("loadApplication() makes an Application of a manifest, from its path or its directory", async () => {
  using app = temporaryApplication({
    "app.wasm": MODULE,
    "spin.toml": `${manifestOf('source = "./app.wasm"\nenvironment = { A = "1", B = "2" }')}build = { command = "make", workdir = "sub" }\n`,
  });
  const manifest = path.join(app.path, "spin.toml");
  const { application, warnings } = await app.load({ environment: { B: "3", C: "4" } });
  assert.deepEqual(warnings, []);
  assert.deepEqual(application, {
    metadata: {
      name: "test",
      version: "",
      description: "",
      authors: [],
      origin: pathToFileURL(manifest).href,
    },
    variables: {},
    triggerDefaults: {},
    triggers: [{ id: "app-http-trigger", type: "http", componentId: "app", options: { route: "/..." } }],
    components: [
      {
        id: "app",
        description: "",
        source: {
          path: path.join(app.path, "app.wasm"),
          digest: `sha256:${createHash("sha256").update(MODULE).digest("hex")}`,
          described: "./app.wasm",
        },
        environment: { A: "1", B: "3", C: "4" },
        mounts: [],
        allowedOutboundHosts: [],
        variables: {},
        keyValueStores: [],
        sqliteDatabases: [],
        aiModels: [],
        dependencies: {},
        build: { commands: ["make"], workdir: path.join(app.path, "sub"), watch: [] },
        tool: {},
      },
    ],
  });
  const again = await app.load({ from: manifest, environment: { B: "3", C: "4" } });
  assert.deepEqual(again.application, application);
});

test("an Application is the same after a way through JSON", async () => {
  using app = temporaryApplication({
    "app.wasm": MODULE,
    "a.txt": "a",
    "spin.toml": manifestOf('source = "app.wasm"\nfiles = ["*.txt"]'),
  });
  const { application } = await app.load();
  assert.deepEqual(JSON.parse(JSON.stringify(application)), application);
});

const SINGLE_FILES = [
  { name: "hello.wasm", id: "hello" },
  { name: "Hello World_2.wat", id: "app" },
  { name: "Rust_SDK5.component.wasm", id: "rust-sdk5-component" },
  { name: "no-extension", id: "no-extension" },
];
for (const { name, id } of SINGLE_FILES) {
  test(`loadApplication() makes an application of ${name} that answers every path`, async () => {
    const content = name.endsWith(".wat") ? MODULE_TEXT : MODULE;
    using app = temporaryApplication({ [name]: content });
    const { application } = await app.load({ from: path.join(app.path, name) });
    assert.equal(application.metadata.name, path.parse(name).name);
    assert.deepEqual(application.triggers, [
      {
        id: `${id}-http-trigger`,
        type: "http",
        componentId: id,
        options: { route: "/..." },
      },
    ]);
    assert.equal(application.components[0]?.id, id);
    assert.equal(application.components[0]?.source.described, name);
  });
}

test("loadApplication() runs a module as Wagi if it comes alone and is a program", async () => {
  const program = '(module (memory (export "memory") 1) (func (export "_start")))';
  using app = temporaryApplication({ "program.wat": program });
  const { application } = await app.load({ from: path.join(app.path, "program.wat") });
  assert.deepEqual(application.triggers[0]?.options, { route: "/...", executor: { type: "wagi" } });
});

test("loadApplication() assembles sources in text below the working directory, always the same", async () => {
  using app = temporaryApplication({ "spin.toml": MANIFEST, "app.wasm": `;; named .wasm\n${MODULE_TEXT}` });
  const { application } = await app.load();
  const again = await app.load();
  const source = application.components[0]?.source;
  assert.deepEqual(again.application.components[0]?.source, source);
  assert.equal(path.relative(path.dirname(app.path), source?.path ?? "").split(path.sep)[0], "work");
  assert.ok(
    readFileSync(source?.path ?? "")
      .subarray(0, 4)
      .equals(MODULE.subarray(0, 4)),
  );
});

test("loadApplication() shows the place of a mistake in a source in text", async () => {
  using app = temporaryApplication({
    "spin.toml": MANIFEST,
    "app.wasm": "(module\n  (func $é (i32.add)))\n",
  });
  await assert.rejects(app.load(), (error) => {
    assert.ok(error instanceof SpindleError && error.code === "COMPONENT_SOURCE_INVALID");
    const at = error.diagnostics[0]?.at;
    return at?.line === 2 && at.source.path.endsWith("app.wasm");
  });
});

const notModules = [
  { content: "", says: /it is empty/ },
  { content: "\0asm\x01", says: /truncated after 5 bytes/ },
  { content: "<!doctype html><p>Not found", says: /HTML or XML/ },
  { content: "version https://git-lfs.github.com/spec/v1\noid", says: /git lfs pull/ },
  { content: "\x7fELF\x02", says: /native/ },
  { content: gzipSync("x"), says: /compressed/ },
  { content: Buffer.from([0xff, 0x00, 0x28, 0x01]), says: /begins with ff 00 28 01/ },
  { content: "const a = 1;", says: /begins with 63 6f 6e 73/ },
  { content: "(component)", says: /cannot be assembled/ },
];

for (const { content, says } of notModules) {
  test(`loadApplication() says of a source that ${String(says)}`, async () => {
    using app = temporaryApplication({ "spin.toml": MANIFEST, "app.wasm": content });
    const [wrong = "", ...more] = await app.loadWrong();
    assert.match(wrong, /^COMPONENT_SOURCE_INVALID: Cannot load component "app": app\.wasm/);
    assert.match(wrong, says);
    assert.deepEqual(more, []);
  });
}

const sources = [
  { source: '"missing.wasm"', wrong: /^COMPONENT_SOURCE_MISSING: .*missing\.wasm does not exist/ },
  { source: '"."', wrong: /^COMPONENT_SOURCE_MISSING: .*is not a file/ },
  { source: '{ package = "a:b", version = "1.0.0" }', wrong: /^COMPONENT_SOURCE_UNSUPPORTED: .*a:b@1\.0\.0/ },
];

for (const { source, wrong } of sources) {
  test(`loadApplication() refuses source = ${source}`, async () => {
    using app = temporaryApplication({ "spin.toml": manifestOf(`source = ${source}`) });
    assert.match((await app.loadWrong()).join("\n"), wrong);
  });
}

test("loadApplication() refuses a parcel of a Bindle", async () => {
  const trigger = 'trigger = { type = "http", base = "/" }';
  const component =
    '[[component]]\nid = "a"\nsource = { reference = "r", parcel = "p" }\ntrigger = { route = "/" }';
  using app = temporaryApplication({
    "spin.toml": `spin_version = "1"\nname = "x"\n${trigger}\n${component}\n`,
  });
  assert.match((await app.loadWrong()).join("\n"), /^COMPONENT_SOURCE_UNSUPPORTED: .*parcel p/);
});

test("loadApplication() advises to build a component that has a build command", async () => {
  const component = 'source = "x.wasm"\nbuild = { command = "make" }';
  using app = temporaryApplication({ "spin.toml": manifestOf(component) });
  await assert.rejects(app.load(), (error) => {
    assert.ok(error instanceof SpindleError);
    return error.diagnostics[0]?.hint?.includes("`spindle up --build`") ?? false;
  });
});

test("loadApplication() collects what is wrong in all components, in the order of the manifest", async () => {
  const others = ["b", "c"].map((id) => `[component.${id}]\nsource = "${id}.wasm"\nfiles = ["${id}.txt"]\n`);
  using app = temporaryApplication({ "spin.toml": manifestOf(`source = "a.wasm"\n${others.join("")}`) });
  const names = (await app.loadWrong()).map((line) => /[abc]\.(wasm|txt)/.exec(line)?.[0]);
  assert.deepEqual(names, ["a.wasm", "b.wasm", "b.txt", "c.wasm", "c.txt"]);
});

test("loadApplication() does not place mistakes in a manifest that nobody wrote", async () => {
  using app = temporaryApplication({ "bad.wasm": "x" });
  await assert.rejects(app.load({ from: path.join(app.path, "bad.wasm") }), (error) => {
    assert.ok(error instanceof SpindleError);
    return error.diagnostics.every(({ at }) => at === undefined);
  });
});

test("loadApplication() gives the warnings of the manifest", async () => {
  using app = temporaryApplication({
    "app.wasm": MODULE,
    "spin.toml": manifestOf('source = "app.wasm"\nallowed_http_hosts = ["a.com"]'),
  });
  const { application, warnings } = await app.load();
  assert.match(warnings.map(formatDiagnostic).join("\n"), /spin\.toml:8:1/);
  assert.deepEqual(application.components[0]?.allowedOutboundHosts, ["http://a.com", "https://a.com"]);
});

test("loadApplication() refuses a manifest that is not UTF-8, or far too large", async () => {
  using app = temporaryApplication({
    "latin1.toml": Buffer.from("é", "latin1"),
    "huge.toml": Buffer.alloc(2 ** 24 + 1),
  });
  assert.match(
    (await app.loadWrong({ from: path.join(app.path, "latin1.toml") })).join(),
    /^MANIFEST_SYNTAX/,
  );
  assert.match(
    (await app.loadWrong({ from: path.join(app.path, "huge.toml") })).join(),
    /^MANIFEST_TOO_LARGE/,
  );
});

test("loadApplication() leaves out components and triggers that were not asked for", async () => {
  const more =
    '[component.other]\nsource = "missing.wasm"\n[[trigger.http]]\nroute = "/o"\ncomponent = "other"\n';
  using app = temporaryApplication({
    "app.wasm": MODULE,
    "spin.toml": `${MANIFEST}${more}[[trigger.http]]\nroute = "/s"\nstatic_response = {}\n`,
  });
  const { application } = await app.load({ componentIds: ["app"] });
  assert.deepEqual(
    application.components.map(({ id }) => id),
    ["app"],
  );
  assert.deepEqual(
    application.triggers.map(({ id }) => id),
    ["app-http-trigger"],
  );
  assert.match((await app.loadWrong({ componentIds: ["apq", "app"] })).join(), /^COMPONENT_UNKNOWN: .*"apq"/);
});

test("loadApplication() applies the profile that was asked for", async () => {
  using app = temporaryApplication({
    "debug.wasm": MODULE,
    "spin.toml": manifestOf('source = "x.wasm"\nprofile.debug.source = "debug.wasm"'),
  });
  const { application } = await app.load({ profile: "debug" });
  assert.equal(application.components[0]?.source.described, "debug.wasm");
});

// Finding it.

test("findApplication() looks for a manifest in the current directory, and upwards", async () => {
  using app = temporaryApplication({ "spin.toml": MANIFEST, "a/b/c.txt": "", "a/spin.toml/x": "" });
  const found = { kind: "manifest", path: path.join(app.path, "spin.toml") };
  assert.deepEqual(await findApplication(undefined, app.path), found);
  assert.deepEqual(await findApplication(undefined, path.join(app.path, "a/b")), found);
  assert.deepEqual(await findApplication("..", path.join(app.path, "a")), found);
});

test("findApplication() says where it looked in vain", async () => {
  using app = temporaryApplication({ "sub/x": "" });
  const wrong = [
    { from: undefined, code: "APPLICATION_NOT_FOUND", says: "no spin.toml in" },
    { from: "sub", code: "APPLICATION_NOT_FOUND", says: "the directory has no spin.toml" },
    { from: "nothing", code: "APPLICATION_NOT_FOUND", says: "no such file" },
    { from: "nothing.wasm", code: "APPLICATION_NOT_FOUND", says: "no such file" },
    { from: "ghcr.io/me/app:1.0", code: "APPLICATION_UNSUPPORTED", says: "registries are not supported" },
    { from: "localhost:5000/app@sha256:00", code: "APPLICATION_UNSUPPORTED", says: "registries" },
  ];
  for (const { from, code, says } of wrong) {
    await assert.rejects(findApplication(from, app.path), (error) => {
      assert.ok(error instanceof SpindleError && error.message.includes(says), String(error));
      return error.code === code;
    });
  }
});

test("findApplication() says of a file that cannot be read that it is there", {
  skip: process.platform !== "linux",
}, async () => {
  // The memory of this process is a file whose first page cannot be read.
  await assert.rejects(findApplication("/proc/self/mem"), { code: "APPLICATION_UNREADABLE" });
});

test("loadApplication() says so if the working directory cannot be written", async () => {
  using app = temporaryApplication({ "app.wasm": MODULE_TEXT, "spin.toml": MANIFEST, work: "a file" });
  const wrong = await app.loadWrong({ workingDirectory: path.join(app.path, "work") });
  assert.match(wrong.join(), /^WORKING_DIRECTORY_UNUSABLE/);
});

test("loadApplication() says so if the cache cannot be written", async () => {
  const source = `source = { url = "http://127.0.0.1/x", digest = "sha256:${"0".repeat(64)}" }`;
  using app = temporaryApplication({ "spin.toml": manifestOf(source), cache: "a file" });
  const wrong = await app.loadWrong({ cacheDirectory: path.join(app.path, "cache") });
  assert.match(wrong.join(), /^COMPONENT_SOURCE_DOWNLOAD: .*cannot be kept in .*\(E/);
});

// The working directory.

test("createWorkingDirectory() makes a directory of its own that goes with the block", async () => {
  using app = temporaryApplication({ "sub/x": "" });
  let kept: string;
  {
    await using first = createWorkingDirectory(app.path);
    await using second = createWorkingDirectory(app.path);
    assert.notEqual(first.path, second.path);
    assert.equal(readdirSync(app.path).length, 3);
    kept = first.path;
  }
  assert.ok(!existsSync(kept));
  assert.deepEqual(readdirSync(app.path), ["sub"]);
});

test("WorkingDirectory.removeNow() removes everything at once, and can be called again", () => {
  using app = temporaryApplication({ "sub/x": "" });
  const directory = createWorkingDirectory(app.path);
  rmSync(directory.path, { recursive: true });
  directory.removeNow();
  directory.removeNow();
  assert.deepEqual(readdirSync(app.path), ["sub"]);
});
