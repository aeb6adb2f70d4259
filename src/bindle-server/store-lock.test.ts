import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import { StoreLock } from "./store-lock.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "spindle-lock-"));
  file = path.join(folder, "server.pid");
});
afterEach(() => rmSync(folder, { recursive: true }));

const take = () => StoreLock.take(folder, folder);

test("StoreLock.take() refuses a directory that is held, and takes it when it is released", async () => {
  {
    using _ = await take();
    assert.equal(readFileSync(file, "utf8"), `${process.pid}\n`);
    await assert.rejects(take(), {
      code: "BINDLE_STORE_BUSY",
      message: `Cannot use ${folder} to store bindles: another server uses it, process ${process.pid}`,
    });
    assert.deepEqual(readdirSync(folder), ["server.pid"]);
  }
  assert.deepEqual(readdirSync(folder), []);
  using _ = await take();
});

test("StoreLock.take() lets one of many have the directory", async () => {
  writeFileSync(file, `${spawnSync(process.execPath, ["-v"]).pid}\n`);
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, take));
  const taken = outcomes.filter((outcome) => outcome.status === "fulfilled");
  assert.equal(taken.length, 1);
  for (const { value } of taken) value[Symbol.dispose]();
});

test("StoreLock.take() refuses a directory that another live process holds", async () => {
  writeFileSync(file, `${process.ppid}\n`);
  await assert.rejects(take(), { code: "BINDLE_STORE_BUSY" });
});

const stale = [
  { what: "a process that is gone", text: () => `${spawnSync(process.execPath, ["-v"]).pid}\n` },
  { what: "an earlier process with this one's id", text: () => `${process.pid}\n` },
  { what: "nobody", text: () => "" },
  { what: "no process", text: () => "0\n" },
  { what: "a group of processes", text: () => "-1\n" },
  { what: "something else", text: () => "é🦀\n" },
];
for (const { what, text } of stale) {
  test(`StoreLock.take() takes over the lock of ${what}`, async () => {
    writeFileSync(file, text());
    using _ = await take();
    assert.equal(readFileSync(file, "utf8"), `${process.pid}\n`);
    assert.deepEqual(readdirSync(folder), ["server.pid"]);
  });
}

test("a StoreLock goes when its process ends", () => {
  const module = JSON.stringify(path.join(import.meta.dirname, "store-lock.ts"));
  const script = `const { StoreLock } = await import(${module});
    await StoreLock.take(process.argv[1], process.argv[1]);
    process.stdout.write(String((await import("node:fs")).existsSync(process.argv[1] + "/server.pid")));
    process.exit(3);`;
  const { stdout, status } = spawnSync(process.execPath, ["--input-type=module", "-e", script, folder]);
  assert.deepEqual([String(stdout), status], ["true", 3]);
  assert.equal(existsSync(file), false);
});

test("a StoreLock leaves what another has put in its place", async () => {
  {
    using _ = await take();
    writeFileSync(file, "1\n");
  }
  assert.equal(readFileSync(file, "utf8"), "1\n");
});
