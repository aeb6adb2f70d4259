// The launcher: an older Node in front, Node 26 behind it, and nobody notices.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findOlderNode } from "./older-node.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const WITH_NODE = join(ROOT, "scripts", "with-node.mjs");
const LAUNCHER = join(ROOT, "bin", "spindle.mjs");

const older = findOlderNode();
const nodes = [
  { what: "Node 26", path: process.execPath },
  ...(older === undefined ? [] : [{ what: "an older Node", path: older }]),
];

for (const { what, path } of nodes) {
  test(`${what} runs code in Node 26`, () => {
    const { stdout } = spawnSync(path, [WITH_NODE, "-p", "process.versions.node"], { encoding: "utf8" });
    assert.match(stdout, /^26\./);
  });

  test(`${what} hands on arguments, standard input and the exit code`, () => {
    const code = `process.stdin.on("data", (text) => process.stdout.write(process.argv[1] + text)).on("end", () => process.exit(42))`;
    const { stdout, stderr, status } = spawnSync(path, [WITH_NODE, "-e", code, "é "], {
      input: "🦀",
      encoding: "utf8",
    });
    assert.deepEqual({ stdout, stderr, status }, { stdout: "é 🦀", stderr: "", status: 42 });
  });

  test(`${what} hands on SIGTERM, and how the process ends after it`, async () => {
    const code = `process.on("SIGTERM", () => process.exit(7)); setInterval(() => {}, 1000); console.log("ready")`;
    const child = spawn(path, [WITH_NODE, "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "exit"), [7, null]);
  });

  test(`${what} is ended by the signal that ended the process`, async () => {
    const code = `process.kill(process.pid, "SIGKILL")`;
    const child = spawn(path, [WITH_NODE, "-e", code], { stdio: "inherit" });
    assert.deepEqual(await once(child, "exit"), [null, "SIGKILL"]);
  });

  test(`${what} shows the version of Spindle, and no warnings`, () => {
    const { stdout, stderr, status } = spawnSync(path, [LAUNCHER, "--version"], { encoding: "utf8" });
    assert.match(stdout, /^spindle \d+\.\d+\.\d+\n$/);
    assert.deepEqual({ stderr, status }, { stderr: "", status: 0 });
  });
}

test("whenOrphaned() ends a process at once whose launcher has died before it looks", () => {
  const dead = spawnSync(process.execPath, ["-e", ""]).pid;
  const code = `
    const { whenOrphaned } = await import(${JSON.stringify(join(ROOT, "bin", "orphan.mjs"))});
    whenOrphaned(() => process.exit(7));
    process.exit(0);`;
  const { status } = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
    env: { ...process.env, SPINDLE_LAUNCHER: String(dead) },
    stdio: "inherit",
  });
  assert.equal(status, 7);
});

const signalsAtSpawn = older !== undefined && existsSync("/proc/self/task");
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`an older Node leaves no process behind when ${signal} comes as it starts one`, {
    skip: signalsAtSpawn ? false : "needs an older Node, and Linux to see the start",
    timeout: 30_000,
  }, async () => {
    const code = "setInterval(() => {}, 1000)";
    for (let attempt = 0; attempt < 5; attempt++) {
      const launcher = spawn(older ?? "", [WITH_NODE, "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
      const children = `/proc/${launcher.pid}/task/${launcher.pid}/children`;
      while (readFileSync(children, "utf8") === "");
      launcher.kill(signal);
      // Standard output closes when the last process that has it is gone.
      launcher.stdout.resume();
      await once(launcher, "close");
    }
  });
}

test("SIGTERM ends what a build command runs", {
  skip: process.platform === "win32",
  timeout: 30_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "spindle-build-"));
  const manifest = [
    'spin_version = "1"',
    'name = "a"',
    'version = "1.0.0"',
    'trigger = { type = "http", base = "/" }',
    "[[component]]",
    'id = "a"',
    'source = "a.wasm"',
    'trigger = { route = "/" }',
    `build = { command = "echo begun; sleep 60; echo done" }`,
  ];
  writeFileSync(join(folder, "spin.toml"), manifest.join("\n"));
  const launcher = spawn(older ?? process.execPath, [LAUNCHER, "up", "--build", "--from", folder], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  launcher.stderr.on("data", (text) => {
    stderr += text;
    if (/^begun$/m.test(stderr)) launcher.kill("SIGTERM");
  });
  // Standard error closes when the last process that has it is gone.
  await once(launcher, "close");
  assert.match(stderr, /^begun$/m);
  assert.doesNotMatch(stderr, /^done$/m);
  rmSync(folder, { recursive: true });
});

test("exclusively() lets one process at a time do its work, and takes over from one that died", async () => {
  const folder = mkdtempSync(join(tmpdir(), "spindle-lock-"));
  const log = join(folder, "log");
  const lock = join(folder, "lock");
  const dead = spawnSync(process.execPath, ["-e", ""]).pid;
  writeFileSync(log, "");
  writeFileSync(lock, String(dead));
  const code = `
    const { exclusively } = await import(${JSON.stringify(join(ROOT, "bin", "exclusively.mjs"))});
    const { appendFileSync } = await import("node:fs");
    exclusively(${JSON.stringify(lock)}, () => {
      appendFileSync(${JSON.stringify(log)}, "in ");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
      appendFileSync(${JSON.stringify(log)}, "out ");
    });`;
  const children = [1, 2, 3].map(() =>
    spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: "inherit" }),
  );
  await Promise.all(children.map((child) => once(child, "exit")));
  assert.equal(readFileSync(log, "utf8"), "in out ".repeat(3));
  rmSync(folder, { recursive: true });
});
