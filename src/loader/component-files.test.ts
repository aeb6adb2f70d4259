// Which files a component sees, and where. Everything happens in real directories.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { test } from "node:test";

import type { MountSource } from "../manifest/mod.ts";
import {
  MODULE,
  manifestOf,
  type TemporaryApplication,
  type Tree,
  temporaryApplication,
} from "./temporary-application.ts";

const TREE: Tree = {
  "app.wasm": MODULE,
  "static/a.txt": "a",
  "static/b.tmp": "b",
  "static/.dot": "dot",
  "static/sub/c.txt": "c",
  "static/sub/.deep/d.txt": "d",
  "static/sub/é 🦀.txt": "wide",
  "[x].txt": "brackets",
};

function application(component: string, tree: Tree = {}): TemporaryApplication {
  return temporaryApplication({
    ...TREE,
    ...tree,
    "spin.toml": manifestOf(`source = "app.wasm"\n${component}`),
  });
}

/** The paths of files below a mount, sorted, with what is in them. */
function filesOf(mount: MountSource | undefined): Readonly<Record<string, string>> {
  assert.ok(mount);
  const entries = readdirSync(mount.hostPath, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  const pairs = files.map((entry) => {
    const file = path.join(entry.parentPath, entry.name);
    assert.ok(entry.isFile(), `${file} must be a file`);
    return [path.relative(mount.hostPath, file), readFileSync(file, "utf8")] as const;
  });
  return Object.fromEntries(pairs.sort());
}

const everything = {
  "static/.dot": "dot",
  "static/a.txt": "a",
  "static/b.tmp": "b",
  "static/sub/.deep/d.txt": "d",
  "static/sub/c.txt": "c",
  "static/sub/é 🦀.txt": "wide",
};

function below(prefix: string, files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files).map(([name, content]) => [
      path.posix.join(prefix, path.posix.relative("static", name)),
      content,
    ]),
  );
}

const mounts = [
  { because: "a file keeps its path", files: '["static/a.txt"]', sees: { "static/a.txt": "a" } },
  {
    because: "a file can be named in a roundabout way",
    files: '["./static//sub/../a.txt"]',
    sees: { "static/a.txt": "a" },
  },
  {
    because: "a star stays in its directory, and matches dot-files",
    files: '["static/*"]',
    sees: { "static/.dot": "dot", "static/a.txt": "a", "static/b.tmp": "b" },
  },
  { because: "two stars go all the way down", files: '["static/**/*"]', sees: everything },
  { because: "two stars at the end match no file", files: '["static/**"]', sees: {} },
  {
    because: "a wildcard can be in the middle",
    files: '["*/sub/?.txt"]',
    sees: { "static/sub/c.txt": "c" },
  },
  {
    because: "a directory has its path twice, as in Spin",
    files: '["static/sub/.deep"]',
    sees: { "static/sub/.deep/static/sub/.deep/d.txt": "d" },
  },
  {
    because: "a directory is put at its destination",
    files: '[{ source = "static", destination = "/" }]',
    sees: below("", everything),
  },
  {
    because: "a destination need not begin with a slash",
    files: '[{ source = "./static/", destination = "x/./y/" }]',
    sees: below("x/y", everything),
  },
  {
    because: "a file is put at its destination",
    files: '[{ source = "static/a.txt", destination = "/x/y" }]',
    sees: { "x/y": "a" },
  },
  {
    because: "a name with brackets is a name, if it exists",
    files: '["[x].txt"]',
    sees: { "[x].txt": "brackets" },
  },
  {
    because: "what comes later wins",
    files: '["static/a.txt", { source = "static/b.tmp", destination = "static/a.txt" }]',
    sees: { "static/a.txt": "b" },
  },
  {
    because: "exclusions cross slashes",
    files: '["static/**/*"]\nexclude_files = ["*.t?p", "static/*deep*", "**/é*"]',
    sees: { "static/.dot": "dot", "static/a.txt": "a", "static/sub/c.txt": "c" },
  },
  {
    because: "exclusions are relative to the application, also where the destination is not",
    files:
      '[{ source = "static", destination = "/" }]\nexclude_files = ["a.txt", "static/b.tmp", "static/sub/*"]',
    sees: { ".dot": "dot", "a.txt": "a" },
  },
  {
    because: "a file that is named is not excluded",
    files: '["static/a.txt", { source = "static/a.txt", destination = "b" }]\nexclude_files = ["**/*"]',
    sees: { b: "a", "static/a.txt": "a" },
  },
];

for (const { because, files, sees } of mounts) {
  test(`loadApplication() copies files = ${files.replaceAll("\n", "; ")}: ${because}`, async () => {
    using app = application(`files = ${files}`);
    const { application: loaded } = await app.load();
    const [mount, ...more] = loaded.components[0]?.mounts ?? [];
    assert.deepEqual(more, []);
    assert.equal(mount?.guestPath, "/");
    assert.equal(mount?.hostPath, path.join(path.dirname(app.path), "work/assets/app"));
    assert.deepEqual(filesOf(mount), Object.fromEntries(Object.entries(sees).sort()));
  });
}

test("loadApplication() mounts nothing for a component without files", async () => {
  using app = application("");
  assert.deepEqual((await app.load()).application.components[0]?.mounts, []);
});

const warnings = [
  { files: '["*"]', codes: ["FILES_WHOLE_APPLICATION"] },
  { files: '["**/*"]', codes: ["FILES_WHOLE_APPLICATION"] },
  { files: '["./*"]', codes: [] },
  { files: '["./**/*"]', codes: [] },
  { files: '["static"]', codes: ["FILES_DIRECTORY_TWICE"] },
  { files: '["static/**"]', codes: ["FILES_NOT_FOUND"] },
  { files: '["nothing/*"]', codes: ["FILES_NOT_FOUND"] },
];

for (const { files, codes } of warnings) {
  test(`loadApplication() ${codes.length > 0 ? `warns of ${codes}` : "does not warn"} for files = ${files}`, async () => {
    using app = application(`files = ${files}`);
    const loaded = await app.load();
    assert.deepEqual(
      loaded.warnings.map(({ code }) => code),
      codes,
    );
    assert.ok(loaded.warnings.every(({ at }) => at?.line === 8));
  });
}

const mistakes = [
  { files: '["nothing.txt"]', code: "FILES_NOT_FOUND" },
  { files: '[{ source = "nothing", destination = "/" }]', code: "FILES_NOT_FOUND" },
  { files: '[""]', code: "FILES_PATTERN" },
  { files: '["."]', code: "FILES_PATTERN" },
  { files: '["static/."]', code: "FILES_PATTERN" },
  { files: '[".."]', code: "FILES_PATTERN" },
  { files: '["static/.."]', code: "FILES_PATTERN" },
  { files: '["static/[a"]', code: "FILES_PATTERN" },
  { files: '["static/a**"]', code: "FILES_PATTERN" },
  { files: '["*/../x"]', code: "FILES_PATTERN" },
  { files: '["static/*"]\nexclude_files = ["***"]', code: "FILES_PATTERN" },
  { files: '["../secret.txt"]', code: "FILES_OUTSIDE" },
  { files: '["../*"]', code: "FILES_OUTSIDE" },
  { files: '["static/../../secret.txt"]', code: "FILES_OUTSIDE" },
  { files: '["/etc/hostname"]', code: "FILES_OUTSIDE" },
  { files: '["/etc/*"]', code: "FILES_OUTSIDE" },
  { files: '["/../../etc/*"]', code: "FILES_OUTSIDE" },
  { files: '[{ source = "..", destination = "/" }]', code: "FILES_OUTSIDE" },
  { files: '[{ source = "/etc", destination = "/" }]', code: "FILES_OUTSIDE" },
  { files: '["link-out.txt"]', code: "FILES_OUTSIDE" },
  { files: '["link-out.*"]', code: "FILES_OUTSIDE" },
  { files: '["link-out/*"]', code: "FILES_OUTSIDE" },
  { files: '["link-out/sub/x"]', code: "FILES_OUTSIDE" },
  { files: '["**/*"]', code: "FILES_OUTSIDE" },
  { files: '[{ source = "link-out", destination = "/" }]', code: "FILES_OUTSIDE" },
  { files: '[{ source = "static", destination = ".." }]', code: "FILES_DESTINATION" },
  { files: '[{ source = "static", destination = "/a/../../b" }]', code: "FILES_DESTINATION" },
  { files: '[{ source = "static", destination = "/a\\u0000" }]', code: "FILES_DESTINATION" },
  { files: '[{ source = "static/a.txt", destination = "/" }]', code: "FILES_DESTINATION" },
  { files: '[{ source = "static/a.txt", destination = "/dir/" }]', code: "FILES_DESTINATION" },
  { files: '[{ source = "static/a.txt", destination = "dir/.." }]', code: "FILES_DESTINATION" },
  { files: '[{ source = "static/a.txt", destination = "" }]', code: "FILES_DESTINATION" },
  { files: '["circle/**/*"]', code: "FILES_SYMLINK_CYCLE" },
  {
    files: '[{ source = "static/a.txt", destination = "x" }, { source = "static", destination = "x/y" }]',
    code: "FILES_UNREADABLE",
  },
  { files: '["pipe"]', code: "FILES_UNREADABLE" },
  { files: '["nothing/a.txt/b"]', code: "FILES_NOT_FOUND" },
  { files: '["static/a.txt/b"]', code: "FILES_NOT_FOUND" },
];

const LINKS: Tree = {
  "../secret.txt": "secret",
  "../outside/sub/x": "outside",
  "link-out.txt": { link: "../secret.txt" },
  "link-out": { link: "../outside" },
  "circle/one/two": { link: "../../circle/one" },
};

for (const { files, code } of mistakes) {
  test(`loadApplication() refuses files = ${files.replaceAll("\n", "; ")} with ${code}`, async () => {
    using app = application(`files = ${files}`, LINKS);
    execFileSync("mkfifo", [path.join(app.path, "pipe")]);
    const wrong = (await app.loadWrong()).filter((line) => !/WHOLE|TWICE/.test(line));
    assert.ok(wrong.length > 0 && wrong.some((line) => line.startsWith(`${code}: `)), wrong.join("\n"));
    assert.ok(wrong.every((line) => !line.includes("secret\n")));
  });
}

test("loadApplication() follows links that stay inside, and copies what they lead to", async () => {
  using app = application('files = ["links/**/*"]', {
    "links/file": { link: "../static/a.txt" },
    "links/dir": { link: "../static/sub" },
    "links/broken": { link: "../nothing" },
    "links/again": { link: "dir" },
  });
  const { application: loaded } = await app.load();
  assert.deepEqual(filesOf(loaded.components[0]?.mounts[0]), {
    "links/again/.deep/d.txt": "d",
    "links/again/c.txt": "c",
    "links/again/é 🦀.txt": "wide",
    "links/dir/.deep/d.txt": "d",
    "links/dir/c.txt": "c",
    "links/dir/é 🦀.txt": "wide",
    "links/file": "a",
  });
});

test("loadApplication() leaves out links to the outside that are excluded", async () => {
  using app = application('files = ["*.txt", "link-out/**/*"]\nexclude_files = ["link-out*"]', LINKS);
  const { application: loaded } = await app.load();
  assert.deepEqual(filesOf(loaded.components[0]?.mounts[0]), { "[x].txt": "brackets" });
});

test("loadApplication() ends when directories link to each other in every way", async () => {
  const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
  const links = names.flatMap((from) =>
    names.map((to) => [`web/${from}/to-${to}`, { link: `../${to}` }] as const),
  );
  using app = application('files = ["web/**/nothing"]', Object.fromEntries(links));
  const codes = new Set((await app.loadWrong()).map((line) => line.split(":")[0]));
  assert.ok(codes.has("FILES_SYMLINK_CYCLE"));
});

test("loadApplication() keeps the times of files, and copies those that cannot be written", async () => {
  using app = application('files = ["static/a.txt"]');
  const original = path.join(app.path, "static/a.txt");
  const time = new Date("2020-02-02T02:02:02.250Z");
  utimesSync(original, time, time);
  chmodSync(original, 0o400);
  const { application: loaded } = await app.load();
  const copy = statSync(path.join(loaded.components[0]?.mounts[0]?.hostPath ?? "", "static/a.txt"));
  assert.equal(copy.mtimeMs, time.getTime());
  assert.equal(copy.mode & 0o600, 0o600);
});

test("loadApplication() does not copy a working directory inside the application into itself", async () => {
  using app = application('files = ["./**/*"]');
  const workingDirectory = path.join(app.path, "tmp/work");
  mkdirSync(workingDirectory, { recursive: true });
  writeFileSync(path.join(workingDirectory, "x"), "x");
  const { application: loaded } = await app.load({ workingDirectory });
  const files = Object.keys(filesOf(loaded.components[0]?.mounts[0]));
  assert.ok(files.includes("static/a.txt") && !files.some((file) => file.startsWith("tmp")), files.join());
});

test("loadApplication() lets the guest write to the copies with allowTransientWrite only", async () => {
  using app = application('files = ["static/*"]');
  const kinds = [false, true].map(async (allowTransientWrite) => {
    const [mount] = (await app.load({ allowTransientWrite })).application.components[0]?.mounts ?? [];
    return `${mount?.kind} ${mount?.access}`;
  });
  assert.deepEqual(await Promise.all(kinds), ["snapshot read", "live write"]);
});

test("loadApplication() stops when it is cancelled", async () => {
  using app = application('files = ["static/**/*"]');
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(app.load({ signal }), /enough/);
});

test("loadApplication() collects the problems of all mounts of all components", async () => {
  using app = application(`files = ["one", "../two", "static/*"]
[component.other]
source = "missing.wasm"
files = ["[", { source = "static", destination = ".." }]`);
  const codes = (await app.loadWrong()).map((line) => line.split(":")[0]);
  assert.deepEqual(codes, [
    "FILES_NOT_FOUND",
    "FILES_OUTSIDE",
    "COMPONENT_SOURCE_MISSING",
    "FILES_PATTERN",
    "FILES_DESTINATION",
  ]);
});

// Direct mounts.

test("loadApplication() mounts directories themselves with directMounts", async () => {
  using app = application('files = ["static", { source = "static/sub", destination = "/" }]');
  const { application: loaded } = await app.load({ directMounts: true });
  const root = path.join(app.path, "static");
  assert.deepEqual(loaded.components[0]?.mounts, [
    { guestPath: "/static", hostPath: root, kind: "live", access: "read" },
    { guestPath: "/", hostPath: path.join(root, "sub"), kind: "live", access: "read" },
  ]);
});

test("loadApplication() lets the guest write to the originals with directMounts and allowTransientWrite", async () => {
  using app = application('files = ["static"]');
  const { application: loaded } = await app.load({ directMounts: true, allowTransientWrite: true });
  assert.equal(loaded.components[0]?.mounts[0]?.access, "write");
});

const directMistakes = [
  { files: '["static/a.txt"]', code: "FILES_DIRECT_MOUNT" },
  { files: '["static/*"]', code: "FILES_DIRECT_MOUNT" },
  { files: '["nothing"]', code: "FILES_DIRECT_MOUNT" },
  { files: '["static"]\nexclude_files = ["x"]', code: "FILES_DIRECT_MOUNT" },
  { files: '["link-out"]', code: "FILES_OUTSIDE" },
  { files: '["../outside"]', code: "FILES_OUTSIDE" },
  { files: '["static", { source = "static/sub", destination = "static/" }]', code: "FILES_DESTINATION" },
];

for (const { files, code } of directMistakes) {
  test(`loadApplication() refuses to mount directly files = ${files.replaceAll("\n", "; ")} with ${code}`, async () => {
    using app = application(`files = ${files}`, LINKS);
    const wrong = await app.loadWrong({ directMounts: true });
    assert.deepEqual(
      wrong.map((line) => line.split(":")[0]),
      [code],
    );
  });
}
