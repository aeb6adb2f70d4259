// Bindles that others made: Spin of old, and whoever means no good.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

import { SpindleError } from "../../errors/mod.ts";
import {
  BINDLE_VERSION,
  type Label,
  openStandaloneBindle,
  type Parcel,
  parseBindleId,
  writeStandaloneBindle,
} from "../../registry/mod.ts";
import type { LoadedApplication } from "../assemble-application.ts";
import { MODULE } from "../temporary-application.ts";
import { loadBindle } from "./load-bindle.ts";

const { signal } = new AbortController();
const ID = parseBindleId("older/1.2.3+q1234567");
const SPIN = "application/vnd.fermyon.spin+toml";

interface TestParcel {
  readonly name: string;
  readonly content: string | Uint8Array;
  readonly mediaType?: string;
  readonly groups?: readonly string[];
}

interface Loading extends AsyncDisposable {
  readonly directory: string;
  load(): Promise<LoadedApplication>;
}

/** A bindle of these parcels, in a directory. */
async function bindleOf(parcels: readonly TestParcel[]): Promise<Loading> {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), "spindle-test-")));
  const bytesOf = ({ content }: TestParcel) => Buffer.from(content);
  const parcel = parcels.map((each): Parcel => {
    const { name, mediaType = "text/plain", groups } = each;
    const label: Label = { sha256: sha256(bytesOf(each)), mediaType, name, size: bytesOf(each).length };
    return { label, ...(groups && { conditions: { memberOf: groups } }) };
  });
  const contents = new Map(parcels.map((each) => [sha256(bytesOf(each)), bytesOf(each)]));
  const source = {
    invoice: { bindleVersion: BINDLE_VERSION, bindle: ID, parcel },
    contentOf(digest: string) {
      const bytes = contents.get(digest);
      return bytes && ({ kind: "bytes", bytes } as const);
    },
  };
  const directory = await writeStandaloneBindle(folder, source, { signal });
  const workingDirectory = path.join(folder, "work");
  mkdirSync(workingDirectory);
  return {
    directory,
    async load() {
      const bindle = await openStandaloneBindle(folder, ID);
      return await loadBindle(bindle, { workingDirectory, allowTransientWrite: false, signal });
    },
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

const module: TestParcel = { name: "hello.wasm", content: MODULE, mediaType: "application/wasm" };

/** As Spin 0.1.0 wrote it. */
const MANIFEST = `[trigger]
type = 'http'
base = '/'

[[component]]
source = '${sha256(MODULE)}'
id = 'Hello_World'
files = 'files-Hello_World'
allowedHttpHosts = ['https://example.com']

[component.environment]
SOME = 'value'

[component.trigger]
route = '/hello/...'

[component.trigger.executor]
type = 'wagi'
entrypoint = '_start'
argv = '\${SCRIPT_NAME} \${ARGS}'
`;

function manifest(text: string = MANIFEST): TestParcel {
  return { name: "spin.toml", content: text, mediaType: SPIN };
}

function file(name: string, content: string): TestParcel {
  return { name, content, groups: ["files-Hello_World"] };
}

test("loadBindle() reads what Spin 0.1 wrote", async () => {
  await using bindle = await bindleOf([
    manifest(),
    module,
    file("a/b.txt", "b"),
    { name: "c.txt", content: "c" },
  ]);
  const { application } = await bindle.load();
  assert.deepEqual(
    { ...application.metadata, origin: "" },
    { name: "older", version: "1.2.3+q1234567", description: "", authors: [], origin: "" },
  );
  const [component] = application.components;
  assert.equal(component?.id, "hello-world");
  assert.deepEqual(component?.environment, { SOME: "value" });
  assert.ok(component?.allowedOutboundHosts.includes("https://example.com"));
  assert.deepEqual(application.triggers[0]?.options, {
    route: "/hello/...",
    executor: { type: "wagi", entrypoint: "_start", argv: `\${SCRIPT_NAME} \${ARGS}` },
  });
  const files = component?.mounts[0]?.hostPath ?? "";
  assert.equal(readFileSync(path.join(files, "a", "b.txt"), "utf8"), "b");
  assert.ok(!existsSync(path.join(files, "c.txt")), "a file of no group is nobody's");
});

test("loadBindle() reads what Spin 0.10 wrote", async () => {
  const later = `[trigger]
type = 'redis'
address = 'redis://localhost:6379'
[variables.who]
default = 'world'
required = false
secret = false
[[component]]
source = '${sha256(MODULE)}'
id = 'sub'
description = 'Hears'
keyValueStores = ['default']
[component.trigger]
channel = 'news'
[component.config]
greeting = 'hello {{ who }}'
`;
  await using bindle = await bindleOf([manifest(later), module]);
  const { application } = await bindle.load();
  const [component] = application.components;
  assert.deepEqual(component?.keyValueStores, ["default"]);
  assert.deepEqual(component?.variables, { greeting: "hello {{ who }}" });
  assert.equal(component?.description, "Hears");
  assert.deepEqual(component?.mounts, []);
  assert.deepEqual(application.triggerDefaults, { redis: { address: "redis://localhost:6379" } });
});

const wrong: readonly {
  readonly what: string;
  readonly parcels: readonly TestParcel[];
  readonly code: string;
}[] = [
  { what: "no manifest", parcels: [module], code: "BINDLE_MANIFEST" },
  {
    what: "two manifests",
    parcels: [manifest(), manifest(`${MANIFEST}# 2`), module],
    code: "BINDLE_MANIFEST",
  },
  { what: "a manifest that is no TOML", parcels: [manifest("<html>")], code: "BINDLE_MANIFEST" },
  {
    what: "a manifest of 1 MiB and a byte",
    parcels: [manifest("#".repeat(2 ** 20 + 1))],
    code: "BINDLE_MANIFEST",
  },
  {
    what: "a manifest that is nested too deeply",
    parcels: [manifest(`a = ${"[".repeat(5000)}${"]".repeat(5000)}`)],
    code: "BINDLE_MANIFEST",
  },
  {
    what: "a manifest with keys of many parts",
    parcels: [manifest(`${"a.".repeat(100_000)}a = 1`)],
    code: "BINDLE_MANIFEST",
  },
  { what: "no module", parcels: [manifest()], code: "BINDLE_MANIFEST" },
  {
    what: "a source that is a path",
    parcels: [manifest(MANIFEST.replace(/source = .*/, "source = '/etc/passwd'"))],
    code: "BINDLE_MANIFEST",
  },
  {
    what: "an unknown field",
    parcels: [manifest(MANIFEST.replace("files =", "fyles =")), module],
    code: "MANIFEST_FIELD_UNKNOWN",
  },
  {
    what: "an id that is a path",
    parcels: [manifest(MANIFEST.replace("id = 'Hello_World'", "id = '../../x'")), module],
    code: "MANIFEST_ID_INVALID",
  },
  {
    what: "a module that is none",
    parcels: [
      manifest(MANIFEST.replace(sha256(MODULE), sha256(Buffer.from("<p>")))),
      { name: "x", content: "<p>" },
    ],
    code: "COMPONENT_SOURCE_INVALID",
  },
  {
    what: "a file that climbs out",
    parcels: [manifest(), module, file("../x", "x")],
    code: "BINDLE_FILE_NAME",
  },
  {
    what: "a file with an absolute path",
    parcels: [manifest(), module, file("/x", "x")],
    code: "BINDLE_FILE_NAME",
  },
  {
    what: "two files of one name",
    parcels: [manifest(), module, file("x", "1"), file("x", "2")],
    code: "BINDLE_FILE_NAME",
  },
  {
    what: "a file that is a directory too",
    parcels: [manifest(), module, file("x", "1"), file("x/y", "2")],
    code: "BINDLE_FILE_NAME",
  },
];

for (const { what, parcels, code } of wrong) {
  test(`loadBindle() refuses a bindle with ${what}`, async () => {
    await using bindle = await bindleOf(parcels);
    await assert.rejects(bindle.load(), (error) => {
      assert.ok(error instanceof SpindleError, String(error));
      assert.equal(error.code, code, error.message);
      return true;
    });
    assert.ok(!existsSync(path.join(bindle.directory, "..", "x")));
  });
}

test("loadBindle() runs no code that is not what the invoice says", async () => {
  const other = Buffer.concat([MODULE.subarray(0, 7), Buffer.from([1])]);
  await using bindle = await bindleOf([manifest(), module]);
  writeFileSync(path.join(bindle.directory, "parcels", `${sha256(MODULE)}.dat`), other);
  await assert.rejects(bindle.load(), { code: "BINDLE_PARCEL_MISMATCH" });
});
