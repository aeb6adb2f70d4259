// Attempts to get out of a mount. Outside of it lie "secret" and what must not be touched.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

import type { MountSource } from "../../src/manifest/mod.ts";
import type { MountedDirectory } from "../../src/mounts/mod.ts";
import { AbiGuest, CREATE, DIRECTORY, mount } from "./abi-guest.ts";
import { TemporaryFolder } from "./temporary.ts";

interface Sandbox extends Disposable {
  /** Holds `inside`, which is mounted, and `outside`. */
  readonly folder: TemporaryFolder;
  readonly guest: AbiGuest;
  readonly mounted: MountedDirectory;
}

type Kind = Pick<MountSource, "kind" | "access"> & { readonly traversal?: "descriptors" | "paths" };

const KINDS: Readonly<Record<string, Kind>> = {
  "live, by descriptors": { kind: "live", access: "write", traversal: "descriptors" },
  "live, by paths": { kind: "live", access: "write", traversal: "paths" },
  snapshot: { kind: "snapshot", access: "read" },
};

async function sandbox(kind: Kind, prepare: (folder: TemporaryFolder) => void = () => {}): Promise<Sandbox> {
  using stack = new DisposableStack();
  const folder = stack.use(
    new TemporaryFolder({
      "outside/secret": "OUTSIDE",
      "inside/file": "inside",
      "inside/dir/file": "inside dir",
    }),
  );
  prepare(folder);
  const mounted = await mount(stack, folder.join("inside"), kind);
  const guest = stack.use(new AbiGuest({ mounts: [mounted] }));
  const owned = stack.move();
  return { folder, guest, mounted, [Symbol.dispose]: () => owned.dispose() };
}

function addLinks(folder: TemporaryFolder): void {
  const link = (target: string, name: string) => symlinkSync(target, folder.join(`inside/${name}`));
  link("/etc/passwd", "absolute");
  link("/etc", "absolute-dir");
  link(folder.join("inside/file"), "absolute-inside");
  link("../outside/secret", "relative");
  link("../outside", "relative-dir");
  link("..", "up");
  link("relative", "chain");
  link("dir/../..", "dots");
  link("../../outside/secret", "dir/relative");
  link(".", "here");
}

const escapes = [
  "..",
  "../outside/secret",
  "dir/../../outside/secret",
  "./../outside/secret",
  "dir/..//../outside/secret",
  "missing/../../outside/secret",
  "/etc/passwd",
  "//etc/passwd",
  "absolute",
  "absolute-dir/passwd",
  "absolute-inside",
  "relative",
  "relative-dir/secret",
  "relative-dir/../secret",
  "up/outside/secret",
  "up",
  "chain",
  "dots/outside/secret",
  "dir/relative",
  "here/here/../outside/secret",
];

for (const [name, kind] of Object.entries(KINDS)) {
  for (const path of escapes) {
    test(`path_open does not get out by "${path}" (${name})`, async () => {
      using box = await sandbox(kind, addLinks);
      const { errno } = box.guest.open(path);
      assert.ok(errno === "PERM" || (errno === "NOENT" && path.startsWith("missing")), errno);
      assert.equal(typeof box.guest.stat(path), "string", "path_filestat_get finds nothing there either");
    });
  }

  test(`path_readlink tells where an escaping link points to (${name})`, async () => {
    using box = await sandbox(kind, addLinks);
    const [buffer, result] = [box.guest.allocate(64), box.guest.allocate(4)];
    const errno = box.guest.call("path_readlink", 3, ...box.guest.text("absolute"), buffer, 64, result);
    assert.equal(errno, "SUCCESS");
    assert.equal(box.guest.memory.read(buffer, box.guest.memory.readU32(result)).toString(), "/etc/passwd");
  });

  test(`paths that stay inside are found, however they wind (${name})`, async () => {
    using box = await sandbox(kind, addLinks);
    for (const path of ["file", "./file", "dir/../file", "here/here/file", "dir/.././/dir/../file"]) {
      assert.equal(box.guest.contents(path), "inside", path);
    }
  });

  test(`".." from an opened directory does not reach its parent (${name})`, async () => {
    using box = await sandbox(kind);
    const { fd } = box.guest.open("dir", { open: DIRECTORY });
    assert.equal(box.guest.open("../file", { fd }).errno, "PERM");
    assert.equal(box.guest.open("..", { fd }).errno, "PERM");
    assert.equal(box.guest.contents("file", { fd }), "inside dir");
  });
}

const changes: readonly { readonly what: string; act(guest: AbiGuest): string }[] = [
  { what: "creating a file", act: (guest) => guest.open("relative-dir/new", { open: CREATE }).errno },
  { what: "creating through a link", act: (guest) => guest.open("dangling", { open: CREATE }).errno },
  { what: "creating a directory", act: (guest) => guest.onPath("path_create_directory", "up/new") },
  { what: "removing a directory", act: (guest) => guest.onPath("path_remove_directory", "up/outside/empty") },
  { what: "unlinking", act: (guest) => guest.onPath("path_unlink_file", "relative-dir/secret") },
  { what: "unlinking by ..", act: (guest) => guest.onPath("path_unlink_file", "../outside/secret") },
  {
    what: "renaming out",
    act: (guest) => guest.call("path_rename", 3, ...guest.text("file"), 3, ...guest.text("relative-dir/new")),
  },
  {
    what: "renaming in",
    act: (guest) => guest.call("path_rename", 3, ...guest.text("up/outside/secret"), 3, ...guest.text("new")),
  },
  {
    what: "linking out",
    act: (guest) => guest.call("path_link", 3, 0, ...guest.text("file"), 3, ...guest.text("up/new")),
  },
  {
    what: "linking in",
    act: (guest) =>
      guest.call("path_link", 3, 0, ...guest.text("relative-dir/secret"), 3, ...guest.text("new")),
  },
  {
    what: "making a symbolic link outside",
    act: (guest) => guest.call("path_symlink", ...guest.text("x"), 3, ...guest.text("up/new")),
  },
  {
    what: "making an absolute symbolic link",
    act: (guest) => guest.call("path_symlink", ...guest.text("/etc"), 3, ...guest.text("new")),
  },
  {
    what: "setting times",
    act: (guest) => guest.call("path_filestat_set_times", 3, 1, ...guest.text("relative"), 1, 1, 5),
  },
];

for (const traversal of ["descriptors", "paths"] as const) {
  for (const { what, act } of changes) {
    test(`${what} does not get out, and changes nothing there (${traversal})`, async () => {
      using box = await sandbox({ kind: "live", access: "write", traversal }, (folder) => {
        addLinks(folder);
        symlinkSync("../outside/new", folder.join("inside/dangling"));
        mkdirSync(folder.join("outside/empty"));
      });
      assert.equal(act(box.guest), "PERM");
      assert.deepEqual(readdirSync(box.folder.path).sort(), ["inside", "outside"]);
      assert.deepEqual(readdirSync(box.folder.join("outside")).sort(), ["empty", "secret"]);
      assert.ok(!existsSync(box.folder.join("inside/new")));
    });
  }

  test(`a directory that was moved out of the mount leads nowhere else (${traversal})`, async () => {
    using box = await sandbox({ kind: "live", access: "write", traversal });
    const { fd } = box.guest.open("dir", { open: DIRECTORY });
    renameSync(box.folder.join("inside/dir"), box.folder.join("outside/dir"));
    writeFileSync(box.folder.join("outside/dir/secret"), "OUTSIDE");
    assert.equal(box.guest.open("../secret", { fd }).errno, "PERM");
    assert.equal(box.guest.open("dir/secret").errno, "NOENT");
  });

  test(`a FIFO and a socket are seen, but opening one neither blocks nor succeeds (${traversal})`, async () => {
    using box = await sandbox({ kind: "live", access: "write", traversal });
    execFileSync("mkfifo", [box.folder.join("inside/fifo")]);
    for (const rights of [1n << 1n, 1n << 6n, (1n << 6n) | (1n << 1n)]) {
      assert.equal(box.guest.open("fifo", { rights }).errno, "NOTSUP");
    }
    assert.equal(box.guest.open("fifo", { open: CREATE }).errno, "NOTSUP");
    const stat = box.guest.stat("fifo");
    assert.ok(typeof stat === "object" && stat.type === 0);
  });
}

/** Acts while another thread swaps entries, until both outcomes have been seen or the limit is reached. */
async function race(
  swaps: readonly (readonly [a: string, b: string, spare: string])[],
  act: () => string,
): Promise<Set<string>> {
  const swapper = new Worker(join(import.meta.dirname, "swapper.ts"), { workerData: swaps });
  const outcomes = new Set<string>();
  try {
    await once(swapper, "message");
    for (let round = 0; round < RACE_ROUNDS; round++) outcomes.add(act());
    return outcomes;
  } finally {
    await swapper.terminate();
  }
}

/** Enough for some hundred races to be met on a busy machine with two cores, in about a second. */
const RACE_ROUNDS = 10_000;

const onLinux = { skip: process.platform !== "linux" && "only Linux has descriptors for look-ups" };

test("a directory that is swapped with a link to outside is never followed there", onLinux, async () => {
  using box = await sandbox({ kind: "live", access: "write" }, (folder) => {
    mkdirSync(folder.join("inside/a"));
    writeFileSync(folder.join("inside/a/secret"), "inside");
    symlinkSync("../outside", folder.join("inside/b"));
  });
  const at = (name: string) => box.folder.join(`inside/${name}`);
  const outcomes = await race([[at("a"), at("b"), at("c")]], () => box.guest.contentsOnce("a/secret"));
  assert.ok(!outcomes.has("OUTSIDE"));
  assert.ok(outcomes.has("inside"), [...outcomes].join());
});

test("a file that is swapped with a link to outside is never read there", onLinux, async () => {
  using box = await sandbox({ kind: "live", access: "write" }, (folder) => {
    writeFileSync(folder.join("inside/a"), "inside");
    symlinkSync("../outside/secret", folder.join("inside/b"));
  });
  const at = (name: string) => box.folder.join(`inside/${name}`);
  const outcomes = await race([[at("a"), at("b"), at("c")]], () => box.guest.contentsOnce("a"));
  assert.ok(!outcomes.has("OUTSIDE"));
  assert.ok(outcomes.has("inside"), [...outcomes].join());
});

test("a file is never created behind a link that is swapped in", onLinux, async () => {
  using box = await sandbox({ kind: "live", access: "write" }, (folder) => {
    mkdirSync(folder.join("inside/a"));
    symlinkSync("../outside", folder.join("inside/b"));
  });
  const at = (name: string) => box.folder.join(`inside/${name}`);
  await race([[at("a"), at("b"), at("c")]], () => box.guest.contentsOnce("a/new", { open: CREATE }));
  assert.deepEqual(readdirSync(box.folder.join("outside")), ["secret"]);
});

test(
  '".." goes back where the path came from, even if the directory is moved meanwhile',
  onLinux,
  async () => {
    using box = await sandbox({ kind: "live", access: "write" }, (folder) => {
      mkdirSync(folder.join("inside/x/deep"), { recursive: true });
      mkdirSync(folder.join("outside/deep"));
      writeFileSync(folder.join("inside/x/secret"), "inside");
    });
    const swap = [
      box.folder.join("inside/x/deep"),
      box.folder.join("outside/deep"),
      box.folder.join("spare"),
    ] as const;
    const outcomes = await race([swap], () => box.guest.contentsOnce("x/deep/../secret"));
    assert.ok(!outcomes.has("OUTSIDE"));
    assert.ok(outcomes.has("inside"), [...outcomes].join());
  },
);

test("what was outside is as it was", async () => {
  using box = await sandbox({ kind: "live", access: "write" }, addLinks);
  for (const path of escapes) box.guest.open(path, { open: CREATE, rights: (1n << 30n) - 1n });
  assert.equal(readFileSync(box.folder.join("outside/secret"), "utf8"), "OUTSIDE");
});
