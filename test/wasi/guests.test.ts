// Real guests in the real engine: what they print and leave behind must not depend on gears and shifts.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import type { EngineOptions } from "../../src/engine/mod.ts";
import { type CommandOptions, runCommand } from "./run-command.ts";
import { TemporaryFolder } from "./temporary.ts";

const GUESTS = join(import.meta.dirname, "../../guests");

function guest(name: string): Buffer {
  return readFileSync(join(GUESTS, `${name}.wasm`));
}

/** What is below a directory: contents, and targets of links. */
function treeOf(path: string): unknown {
  return readdirSync(path, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((entry) => {
      const full = join(path, entry.name);
      if (entry.isDirectory()) return [entry.name, treeOf(full)];
      if (entry.isSymbolicLink()) return [entry.name, "->", readlinkSync(full)];
      return [entry.name, readFileSync(full, "utf8")];
    });
}

async function runFiles(options: CommandOptions): Promise<unknown> {
  using folder = new TemporaryFolder({ "there/": "" });
  const mounts = [{ guestPath: "/", hostPath: folder.path, kind: "live", access: "write" }] as const;
  const { exitCode, stdout, stderr, trap } = await runCommand(guest("wasi/files"), { mounts, ...options });
  assert.equal(trap, undefined);
  return { exitCode, stdout, stderr, tree: treeOf(folder.path) };
}

const FILES_STDOUT = `/: . .. there
mkdir: ok
mkdir again: File exists
/made/text> one
/made/text> two
/made/text> three
size 14
/made/text> one
/made/text> TWO
/made/text> three
symlink: ok
link: ok
readlink 4 text
lstat: ok
is a link: 1
stat: ok
is a file: 1, links 2, size 14
utimensat: ok
stat: ok
modified 1700000000.123456789
truncate: ok
/made/soft> one
rename: ok
rename to a directory: Resource busy
/made: . .. renamed soft text
open beyond: Operation not permitted
rmdir full: Directory not empty
unlink: ok
unlink again: No such file or directory
/made: . .. renamed text
`;

const FILES_TREE = [
  [
    "made",
    [
      ["renamed", "one"],
      ["text", "one"],
    ],
  ],
  ["there", []],
];

const GEARS: Readonly<Record<string, EngineOptions>> = {
  "in first gear while it can": {},
  "in second gear": { gearing: "second" },
  ...Object.fromEntries(
    // At distances that hit each kind of call, the last one beyond all that shift by themselves.
    [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144].map((shiftAt) => [
      `with a shift at host call ${shiftAt}`,
      { forcesShift: (hostCall: number) => hostCall === shiftAt },
    ]),
  ),
};

for (const [gears, engine] of Object.entries(GEARS)) {
  for (const held of [false, true]) {
    test(`a C program works through files the same ${gears}${held ? ", its output held" : ""}`, async () => {
      assert.deepEqual(await runFiles({ engine, held }), {
        exitCode: 7,
        stdout: FILES_STDOUT,
        stderr: "done\n",
        tree: FILES_TREE,
      });
    });
  }

  test(`a C program waits, and its replay has the same random bytes, ${gears}`, async () => {
    const { exitCode, stdout } = await runCommand(guest("wasi/waits"), { engine });
    assert.equal(exitCode, 0);
    assert.match(
      stdout,
      /^waiting\nwaited long enough: 1, random: 1\nstdout is ready: 1\nfirst random byte [0-9a-f]{2}\n$/,
    );
  });
}

test("a guest that waits for centuries ends when nobody waits for it", async () => {
  const { trap } = await runCommand(guest("wasi/waits"), { signal: AbortSignal.abort() });
  assert.equal(trap?.reason, "cancelled");
});

test("a guest of wasi_unstable reads files by its own layouts", async () => {
  using folder = new TemporaryFolder({ file: "12345" });
  for (const kind of ["snapshot", "live"] as const) {
    const mounts = [{ guestPath: "/", hostPath: folder.path, kind, access: "read" }] as const;
    const { exitCode, stdout } = await runCommand(guest("wasi/unstable"), { mounts });
    assert.deepEqual([exitCode, stdout], [0, "size 5, last byte 5\n"]);
  }
});

test("read-only mounts make the same C program fail as a read-only disk would", async () => {
  using folder = new TemporaryFolder({ file: "x" });
  for (const kind of ["snapshot", "live"] as const) {
    const mounts = [{ guestPath: "/", hostPath: folder.path, kind, access: "read" }] as const;
    const { exitCode, stdout } = await runCommand(guest("wasi/files"), { mounts });
    assert.deepEqual(
      [exitCode, stdout],
      [
        1,
        "/: . .. file\nmkdir: Operation not permitted\nmkdir again: Operation not permitted\nfopen: No such file or directory\n",
      ],
    );
  }
});

for (const name of ["c/wagi", "rust/wagi", "go/wagi", "assemblyscript/wagi", "wat/wagi"]) {
  test(`a CGI guest (${name}) prints the same in both gears, over a snapshot`, async () => {
    using folder = new TemporaryFolder({ "file.txt": "x", "dir/": "" });
    const run = (engine: EngineOptions) =>
      runCommand(guest(name), {
        engine,
        mounts: [{ guestPath: "/", hostPath: folder.path, kind: "snapshot", access: "read" }],
        environment: { REQUEST_METHOD: "POST", PATH_INFO: "/é" },
        args: ["/é", "a=1"],
        stdin: Buffer.from("a body of words"),
      });
    const first = await run({});
    assert.equal(first.trap, undefined);
    assert.equal(first.exitCode, 0);
    assert.match(first.stdout, /content-type/i);
    const shifts = [3, 12].map((shiftAt) => ({ forcesShift: (hostCall: number) => hostCall === shiftAt }));
    for (const engine of [{ gearing: "second" } as const, ...shifts]) {
      assert.deepEqual(await run(engine), first);
    }
  });
}
