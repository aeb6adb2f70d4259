// Applications through bindles: prepared, written as directories, and loaded from there.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

import type { Application } from "../../manifest/mod.ts";
import {
  type BindleSource,
  formatInvoice,
  openStandaloneBindle,
  type Parcel,
  writeStandaloneBindle,
} from "../../registry/mod.ts";
import { MODULE, type Tree, temporaryApplication } from "../temporary-application.ts";
import { type LoadBindleOptions, loadBindle } from "./load-bindle.ts";
import { prepareBindle } from "./prepare-bindle.ts";

const { signal } = new AbortController();

/** Other content than MODULE: an empty custom section. */
const OTHER_MODULE = Buffer.concat([MODULE, Buffer.from([0, 2, 1, 0x61])]);

const VERSION_1 = `spin_version = "1"
name = "older"
version = "1.2.3"
description = "An application of old"
authors = ["A <a@example.com>"]
trigger = { type = "http", base = "/" }

[[component]]
id = "Hello_World"
source = "hello.wasm"
environment = { SOME = "value", ANOTHER = "é" }
files = ["static/*", { source = "content", destination = "/content" }]
allowed_http_hosts = ["example.com", "self"]
[component.trigger]
route = "/hello/..."

[[component]]
id = "cgi"
source = "sub/cgi.wasm"
files = ["static/*"]
[component.trigger]
route = "/cgi"
executor = { type = "wagi", entrypoint = "_start", argv = "test \${SCRIPT_NAME}" }

[[component]]
id = "bare"
source = "hello.wasm"
trigger = { route = "/bare" }
`;

const VERSION_2 = `spin_manifest_version = 2
[application]
name = "newer"
version = "2.0.0-rc.1"
[application.trigger.redis]
address = "redis://{{ host }}"
[application.tool.x]
y = 1

[variables]
host = { required = true, secret = true }
who = { default = "world", description = "Whom to greet" }

[[trigger.http]]
id = "first"
route = "/..."
component = "a"
[[trigger.http]]
route = { private = true }
component = "b"
[[trigger.http]]
route = "/static"
static_response = { status_code = 418, body = "tea", headers = { x = "y" } }
[[trigger.redis]]
channel = "news"
component = { source = "text.wat", description = "written in a trigger" }

[component.a]
source = "hello.wasm"
description = "First"
files = ["content/**/*"]
exclude_files = ["**/b.txt"]
allowed_outbound_hosts = ["https://{{ host }}:443", "redis://*:*"]
key_value_stores = ["default"]
sqlite_databases = ["default"]
ai_models = ["m"]
variables = { greeting = "hello {{ who }}" }
[component.a.tool.z]
w = [1, 2]
[component.b]
source = "sub/cgi.wasm"
environment = { A = "b" }
`;

const FILES: Tree = {
  "hello.wasm": MODULE,
  "sub/cgi.wasm": OTHER_MODULE,
  "text.wat": '(module (memory (export "memory") 1))',
  "static/index.html": "<p>hello",
  "static/empty": "",
  "content/a.txt": "a",
  "content/deep/b.txt": "🦀",
};

interface Prepared extends Disposable {
  readonly source: BindleSource;
  readonly isForSpin: boolean;
  readonly directory: string;
  /** What the local loader makes of the same application. */
  readonly local: Application;
  load(options?: Partial<LoadBindleOptions>): Promise<Application>;
}

async function prepared(tree: Tree, buildInfo?: string): Promise<Prepared> {
  const app = temporaryApplication(tree);
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), "spindle-test-")));
  const [directory, work] = [path.join(folder, "bindles"), path.join(folder, "work")];
  mkdirSync(work);
  const { source, isForSpin } = await prepareBindle({
    from: app.path,
    workingDirectory: work,
    cacheDirectory: folder,
    ...(buildInfo !== undefined && { buildInfo }),
    signal,
  });
  await writeStandaloneBindle(directory, source, { signal });
  const { application: local } = await app.load();
  return {
    source,
    isForSpin,
    directory,
    local,
    load: (options) => loadFrom(directory, source, options),
    [Symbol.dispose]() {
      app[Symbol.dispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function loadFrom(
  directory: string,
  { invoice }: BindleSource,
  options: Partial<LoadBindleOptions> = {},
): Promise<Application> {
  const contents = await openStandaloneBindle(directory, invoice.bindle);
  const workingDirectory = mkdtempSync(path.join(directory, "work-"));
  const { application } = await loadBindle(contents, {
    workingDirectory,
    allowTransientWrite: false,
    signal,
    ...options,
  });
  return application;
}

/** An application without what tells where it lies. */
function placeless(application: Application): unknown {
  return {
    ...application,
    metadata: { ...application.metadata, origin: "" },
    components: application.components.map(({ source, mounts, ...rest }) => ({
      ...rest,
      source: { ...source, path: "" },
      mounts: mounts.map((mount) => ({ ...mount, hostPath: "" })),
    })),
  };
}

/** What a component sees: content by path. */
function filesOf({ components }: Application): unknown {
  return components.map(({ mounts }) =>
    mounts.map(({ hostPath }) =>
      readdirSync(hostPath, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => path.join(entry.parentPath, entry.name))
        .map((file) => [path.relative(hostPath, file), readFileSync(file, "utf8")])
        .toSorted(),
    ),
  );
}

for (const [name, manifest] of Object.entries({ "version 1": VERSION_1, "version 2": VERSION_2 })) {
  test(`loadBindle() makes of a bindle what loadApplication() makes of its manifest of ${name}`, async () => {
    using bindle = await prepared({ ...FILES, "spin.toml": manifest });
    const application = await bindle.load();
    assert.deepEqual(placeless(application), placeless(bindle.local));
    assert.deepEqual(filesOf(application), filesOf(bindle.local));
    assert.match(application.metadata.origin, /^bindle\+.*\?id=(older|newer)\//);
  });

  test(`prepareBindle() makes the same bindle of the same application, of ${name}`, async () => {
    using one = await prepared({ ...FILES, "spin.toml": manifest });
    using other = await prepared({ ...FILES, "spin.toml": manifest });
    assert.equal(formatInvoice(one.source.invoice), formatInvoice(other.source.invoice));
  });
}

test("prepareBindle() lays out an application as Spin 0.1 did", async () => {
  using bindle = await prepared({ ...FILES, "spin.toml": VERSION_1 }, "q1234567");
  const { invoice } = bindle.source;
  assert.deepEqual(invoice.bindle, {
    name: "older",
    version: "1.2.3+q1234567",
    description: "An application of old",
    authors: ["A <a@example.com>"],
  });
  assert.equal(invoice.annotations, undefined);
  assert.deepEqual(invoice.group, [
    { name: "files-Hello_World" },
    { name: "files-cgi" },
    { name: "files-bare" },
  ]);
  const [manifest, ...rest] = invoice.parcel ?? [];
  assert.ok(manifest);
  assert.equal(manifest.label.name, `spin.${manifest.label.sha256}.toml`);
  assert.equal(manifest.label.mediaType, "application/vnd.fermyon.spin+toml");
  assert.deepEqual(manifest.label.annotations, { "fermyon:spin:delete_on_write": "." });
  assert.equal(manifest.conditions, undefined);
  assert.deepEqual(
    rest.map(({ label, conditions }) => [label.name, label.mediaType, conditions]),
    [
      ["hello.wasm", "application/wasm", {}],
      ["sub/cgi.wasm", "application/wasm", {}],
      // Not a neighbour of the first one, which is equal to it.
      ["hello.wasm", "application/wasm", {}],
      ["static/empty", "application/octet-stream", { memberOf: ["files-Hello_World", "files-cgi"] }],
      ["static/index.html", "text/html", { memberOf: ["files-Hello_World", "files-cgi"] }],
      ["content/a.txt", "text/plain", { memberOf: ["files-Hello_World"] }],
      ["content/deep/b.txt", "text/plain", { memberOf: ["files-Hello_World"] }],
    ],
  );
});

test("prepareBindle() adds what Spin 0.1 reads to an application of version 2 that needs no more", async () => {
  const manifest = `spin_manifest_version = 2
application = { name = "plain", version = "1.0.0" }
[[trigger.http]]
route = "/..."
component = "app"
executor = { type = "http" }
[component.app]
source = "hello.wasm"
`;
  using bindle = await prepared({ ...FILES, "spin.toml": manifest });
  assert.ok(bindle.isForSpin);
  const [version1, version2] = bindle.source.invoice.parcel ?? [];
  assert.equal(version2?.label.mediaType, "application/vnd.spindle.spin+toml");
  const content = bindle.source.contentOf(version1?.label.sha256 ?? "");
  assert.ok(content?.kind === "bytes");
  assert.match(Buffer.from(content.bytes).toString(), /executor\]\ntype = 'spin'/);
  assert.deepEqual(placeless(await bindle.load()), placeless(bindle.local));
});

test("loadBindle() takes the components that are asked for, and nothing of the others", async () => {
  using bindle = await prepared({ ...FILES, "spin.toml": VERSION_1 });
  const { parcel = [] } = bindle.source.invoice;
  const cgi = parcel.find(({ label }) => label.name === "sub/cgi.wasm");
  const contents = await openStandaloneBindle(bindle.directory, bindle.source.invoice.bindle);
  rmSync(contents.pathOf((cgi as Parcel).label));
  const application = await bindle.load({ componentIds: ["bare"], environment: { X: "y" } });
  assert.deepEqual(
    application.components.map(({ id, environment }) => [id, environment]),
    [["bare", { X: "y" }]],
  );
  await assert.rejects(bindle.load(), { code: "BINDLE_STANDALONE" });
  await assert.rejects(bindle.load({ componentIds: ["none"] }), { code: "COMPONENT_UNKNOWN" });
});
