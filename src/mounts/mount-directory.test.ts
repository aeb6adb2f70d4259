import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";

import { SpindleError } from "../errors/mod.ts";
import { ContentCache } from "./content-cache.ts";
import { type MountOptions, mountDirectory } from "./mount-directory.ts";
import type { SnapshotMount } from "./mounted-directory.ts";
import type { SnapshotDirectory, SnapshotFile, SnapshotNode } from "./snapshot-tree.ts";

const folder = mkdtempSync(join(tmpdir(), "spindle-mounts-"));
after(() => rmSync(folder, { recursive: true }));

/** Makes a directory with files; a name that ends in "/" is an empty directory. */
function directory(name: string, files: Readonly<Record<string, string>>): string {
  const path = join(folder, name);
  mkdirSync(path);
  for (const [file, contents] of Object.entries(files)) {
    mkdirSync(file.endsWith("/") ? join(path, file) : dirname(join(path, file)), { recursive: true });
    if (!file.endsWith("/")) writeFileSync(join(path, file), contents);
  }
  return path;
}

async function snapshot(hostPath: string, options: MountOptions = {}): Promise<SnapshotMount> {
  const mount = await mountDirectory({ guestPath: "/", hostPath, kind: "snapshot", access: "read" }, options);
  assert.equal(mount.kind, "snapshot");
  return mount;
}

function fileIn(root: SnapshotDirectory, name: string): SnapshotFile {
  const node = root.entries.get(name);
  assert.ok(node?.kind === "file", `${name} is a file`);
  return node;
}

function inodesOf(node: SnapshotNode): bigint[] {
  const below = node.kind === "directory" ? [...node.entries.values()].flatMap(inodesOf) : [];
  return [node.inode, ...below];
}

test("mountDirectory() indexes kinds, sizes, targets and names in order", async () => {
  const path = directory("kinds", { "b/c": "12", a: "", "é🦀": "x", "empty/": "" });
  symlinkSync("../nowhere", join(path, "link"));
  const { root } = await snapshot(path);
  assert.deepEqual([...root.entries.keys()], ["a", "b", "empty", "link", "é🦀"]);
  const kinds = [...root.entries.values()].map((node) => node.kind);
  assert.deepEqual(kinds, ["file", "directory", "directory", "link", "file"]);
  const link = root.entries.get("link");
  assert.ok(link?.kind === "link" && link.target === "../nowhere");
  assert.equal(fileIn(root, "a").size, 0);
});

test("mountDirectory() numbers the same tree the same, and each entry once", async () => {
  const files = { "b/c": "", "b/d": "", a: "", "e/": "" };
  const [one, two] = await Promise.all([
    snapshot(directory("one", files)),
    snapshot(directory("two", files)),
  ]);
  assert.deepEqual(inodesOf(one.root), inodesOf(two.root));
  assert.equal(new Set(inodesOf(one.root)).size, 6);
  assert.equal(one.device, two.device);
});

for (const { files, limits, fits } of [
  { files: { a: "", b: "" }, limits: { entriesMax: 3 }, fits: true },
  { files: { a: "", b: "" }, limits: { entriesMax: 2 }, fits: false },
  { files: { "a/b/c": "" }, limits: { depthMax: 2 }, fits: true },
  { files: { "a/b/c/": "" }, limits: { depthMax: 2 }, fits: false },
]) {
  const what = `${Object.keys(files).join(", ")} with ${JSON.stringify(limits)}`;
  test(`mountDirectory() ${fits ? "takes" : "refuses"} ${what}`, async () => {
    const mounting = snapshot(directory(`limits-${what.replaceAll(/\W/g, "-")}`, files), limits);
    if (fits) await mounting;
    else await assert.rejects(mounting, { code: "MOUNT_TOO_LARGE" });
  });
}

for (const kind of ["snapshot", "live"] as const) {
  for (const [name, state] of [
    ["missing", "it cannot be read"],
    ["file", "it is not a directory"],
  ] as const) {
    test(`mountDirectory() refuses a ${kind} of what is ${name === "file" ? "a file" : "not there"}`, async () => {
      const hostPath = join(directory(`${kind}-${name}`, { file: "" }), name);
      const mounting = mountDirectory({ guestPath: "/data", hostPath, kind, access: "read" });
      await assert.rejects(mounting, (error) => {
        assert.ok(error instanceof SpindleError);
        assert.equal(error.code, "MOUNT_SOURCE_MISSING");
        assert.equal(error.message, `Cannot mount "${hostPath}" at "/data": ${state}`);
        return true;
      });
    });
  }
}

test("ContentCache keeps equal contents once, whichever file they are in", async () => {
  const contents = new ContentCache();
  const options = { contents };
  const one = await snapshot(directory("equal-one", { a: "same", b: "same" }), options);
  const two = await snapshot(directory("equal-two", { c: "same", d: "else" }), options);
  const [a, b] = [contents.load(fileIn(one.root, "a")), contents.load(fileIn(one.root, "b"))];
  assert.equal(a, b);
  assert.equal(await contents.loadLater(fileIn(two.root, "c")), a);
  assert.notEqual(contents.load(fileIn(two.root, "d")), a);
});

test("ContentCache drops what was used longest ago, and reads it again", async () => {
  const contents = new ContentCache(8);
  const { root } = await snapshot(directory("oldest", { a: "aa", b: "bb", c: "cc", d: "dd", e: "ee" }), {
    contents,
  });
  const [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map((name) => fileIn(root, name));
  assert.ok(a && b && c && d && e);
  for (const file of [a, b, c, d]) contents.load(file);
  assert.ok(contents.get(a), "all four fit");
  contents.load(e);
  assert.equal(contents.get(b), undefined, "the others were used since");
  for (const file of [a, c, d, e]) assert.ok(contents.get(file));
  assert.equal(contents.load(b).toString(), "bb");
});

test("ContentCache admits files up to a quarter of itself", async () => {
  const contents = new ContentCache(8);
  const { root } = await snapshot(directory("quarter", { fits: "12", over: "123", empty: "" }), { contents });
  assert.ok(contents.admits(fileIn(root, "fits")));
  assert.ok(contents.admits(fileIn(root, "empty")));
  assert.ok(!contents.admits(fileIn(root, "over")));
  assert.equal(contents.load(fileIn(root, "empty")).length, 0);
});

test("ContentCache reads a file once for all who wait for it", async () => {
  const contents = new ContentCache();
  const { root } = await snapshot(directory("once", { file: "x" }), { contents });
  const file = fileIn(root, "file");
  const readings = [contents.loadLater(file), contents.loadLater(file)];
  assert.equal(readings[0], readings[1]);
  assert.deepEqual(await Promise.all(readings), [Buffer.from("x"), Buffer.from("x")]);
});

test("ContentCache refuses a file that has another size than its snapshot, and goes on refusing", async () => {
  const contents = new ContentCache();
  const path = directory("changed", { file: "x" });
  const { root } = await snapshot(path, { contents });
  const file = fileIn(root, "file");
  writeFileSync(join(path, "file"), "longer");
  assert.throws(() => contents.load(file), { name: "SnapshotChangedError" });
  await assert.rejects(contents.loadLater(file), { name: "SnapshotChangedError" });
});
