// wasi:filesystem, in mounts of each kind.

import assert from "node:assert/strict";
import { linkSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { test } from "node:test";

import { ContentCache } from "../../../src/mounts/mod.ts";
import { mount, Shifted } from "../abi-guest.ts";
import { TemporaryFolder } from "../temporary.ts";
import {
  InterfaceGuest,
  type InterfaceGuestOptions,
  OCTOBER,
  type Outcome,
  text,
} from "./interface-guest.ts";

const FS = "filesystem/types#[method]descriptor.";
const IN = "io/streams#[method]input-stream.";
const OUT = "io/streams#[method]output-stream.";
const FOLLOW = { symlinkFollow: true };
const STAY = { symlinkFollow: false };

type Descriptor = object;
type Stat = { readonly type: string; readonly size: bigint; readonly dataModificationTimestamp: object };

const FILES = { "a.txt": "contents of a", "dir/é.txt": "🦀", "dir/empty": "", "dir/sub/": "" };

interface OpenArguments {
  readonly open?: object;
  readonly flags?: object;
  readonly links?: object;
}

class World implements Disposable {
  readonly folder = new TemporaryFolder(FILES);
  readonly #mounted = new DisposableStack();
  guest!: InterfaceGuest;
  root!: Descriptor;

  static async open(
    kind: "live" | "snapshot" | "live read-only",
    options: InterfaceGuestOptions = {},
  ): Promise<World> {
    const world = new World();
    symlinkSync("a.txt", world.folder.join("link"));
    symlinkSync("../..", world.folder.join("dir/out"));
    const access = kind === "live" ? "write" : "read";
    const mountKind = kind === "snapshot" ? "snapshot" : "live";
    const contents = new ContentCache();
    const mounted = await mount(world.#mounted, world.folder.path, { kind: mountKind, access, contents });
    world.guest = new InterfaceGuest({ mounts: [mounted], ...options });
    const [root] = world.guest.call<[Descriptor, string][]>("filesystem/preopens#get-directories");
    assert.equal(root?.[1], "/");
    world.root = root[0];
    return world;
  }

  openAt(path: string, options: OpenArguments = {}): Descriptor {
    return this.guest.ok(`${FS}open-at`, ...this.#openArguments(path, options));
  }

  openError(path: string, options: OpenArguments = {}): unknown {
    return this.guest.err(`${FS}open-at`, ...this.#openArguments(path, options));
  }

  #openArguments(path: string, options: OpenArguments): unknown[] {
    const { open = {}, flags = { read: true }, links = FOLLOW } = options;
    return [this.root, links, path, open, flags];
  }

  contents(path: string): string {
    const file = this.openAt(path);
    const [bytes] = this.guest.ok<[Uint8Array, boolean]>(`${FS}read`, file, 1000n, 0n);
    this.guest.drop("filesystem/types#descriptor", file);
    return text(bytes);
  }

  [Symbol.dispose](): void {
    this.guest[Symbol.dispose]();
    this.#mounted.dispose();
    this.folder[Symbol.dispose]();
  }
}

const WRITE = { read: true, write: true };

for (const kind of ["live", "snapshot", "live read-only"] as const) {
  test(`${kind}: files are read from any place, in first gear, up to the end`, async () => {
    using world = await World.open(kind, { gear: "first" });
    const { guest } = world;
    const file = world.openAt("a.txt");
    assert.deepEqual(read(guest, file, 8n, 0n), ["contents", false]);
    assert.deepEqual(read(guest, file, 2n ** 64n - 1n, 9n), ["of a", false]);
    assert.deepEqual(read(guest, file, 10n, 13n), ["", true]);
    assert.deepEqual(read(guest, file, 10n, 2n ** 52n), ["", true]);
    assert.equal(guest.err(`${FS}read`, file, 10n, 2n ** 52n + 1n), "invalid");
    assert.equal(guest.err(`${FS}read`, world.root, 10n, 0n), "bad-descriptor");
    assert.equal(guest.ok(`${FS}get-type`, file), "regular-file");
    assert.equal(guest.ok<{ read: boolean }>(`${FS}get-flags`, file).read, true);
  });

  test(`${kind}: a stream reads a file from its place on, and outlives the descriptor`, async () => {
    using world = await World.open(kind, { gear: "first" });
    const { guest } = world;
    const file = world.openAt("a.txt");
    const stream = guest.ok(`${FS}read-via-stream`, file, 9n);
    guest.drop("filesystem/types#descriptor", file);
    assert.equal(guest.call("io/poll#[method]pollable.ready", guest.call(`${IN}subscribe`, stream)), true);
    assert.equal(text(guest.ok(`${IN}read`, stream, 2n)), "of");
    assert.equal(guest.ok(`${IN}blocking-skip`, stream, 1n), 1n);
    assert.equal(text(guest.ok(`${IN}blocking-read`, stream, 100n)), "a");
    assert.deepEqual(guest.err(`${IN}read`, stream, 1n), { tag: "closed" });
    guest.drop("io/streams#input-stream", stream);
    assert.equal(guest.err(`${FS}read-via-stream`, world.root, 0n), "is-directory");
    assert.equal(guest.err(`${FS}read-via-stream`, world.openAt("a.txt"), 2n ** 64n - 1n), "invalid");
  });

  test(`${kind}: a directory is listed with its types, without "." and ".."`, async () => {
    using world = await World.open(kind, { gear: "first" });
    const entries = list(world.guest, world.openAt("dir"));
    assert.deepEqual(
      entries.sort((a, b) => (a.name < b.name ? -1 : 1)),
      [
        { type: "regular-file", name: "empty" },
        { type: "symbolic-link", name: "out" },
        { type: "directory", name: "sub" },
        { type: "regular-file", name: "é.txt" },
      ],
    );
    assert.equal(world.guest.err(`${FS}read-directory`, world.openAt("a.txt")), "not-directory");
  });

  test(`${kind}: what is at a path is told without opening it`, async () => {
    using world = await World.open(kind, { gear: "first" });
    const { guest, root, folder } = world;
    const stat = guest.ok<Stat>(`${FS}stat-at`, root, FOLLOW, "link");
    const { mtimeNs } = statSync(folder.join("a.txt"), { bigint: true });
    assert.deepEqual([stat.type, stat.size], ["regular-file", 13n]);
    assert.deepEqual(stat.dataModificationTimestamp, {
      seconds: mtimeNs / 1_000_000_000n,
      nanoseconds: Number(mtimeNs % 1_000_000_000n),
    });
    assert.equal(guest.ok<Stat>(`${FS}stat-at`, root, STAY, "link").type, "symbolic-link");
    assert.equal(guest.ok<Stat>(`${FS}stat`, root).type, "directory");
    assert.equal(guest.ok(`${FS}readlink-at`, root, "link"), "a.txt");
    assert.equal(guest.err(`${FS}readlink-at`, root, "a.txt"), "invalid");
  });

  test(`${kind}: objects are told apart by their hashes, and by comparing them`, async () => {
    using world = await World.open(kind);
    const { guest, root } = world;
    const [a, link, other] = [world.openAt("a.txt"), world.openAt("link"), world.openAt("dir/empty")];
    assert.equal(guest.call(`${FS}is-same-object`, a, link), true);
    assert.equal(guest.call(`${FS}is-same-object`, a, other), false);
    const hash = guest.ok(`${FS}metadata-hash`, a);
    assert.deepEqual(guest.ok(`${FS}metadata-hash-at`, root, FOLLOW, "link"), hash);
    assert.notDeepEqual(guest.ok(`${FS}metadata-hash-at`, root, STAY, "link"), hash);
    assert.notDeepEqual(guest.ok(`${FS}metadata-hash`, other), hash);
  });

  const refused = [
    { path: "missing", code: "no-entry" },
    { path: "", code: "no-entry" },
    { path: "a.txt/x", code: "not-directory" },
    { path: "a.txt", open: { directory: true }, code: "not-directory" },
    { path: "dir", open: { directory: true, create: true }, code: "invalid" },
    { path: "link", links: STAY, code: "loop" },
    { path: "..", code: "not-permitted" },
    { path: "/a.txt", code: "not-permitted" },
    { path: "dir/out/x", code: "not-permitted" },
    { path: "x".repeat(4097), code: "name-too-long" },
    { path: "a\0b", code: "invalid" },
  ];
  for (const { path, code, ...options } of refused) {
    test(`${kind}: open-at(${JSON.stringify(path.slice(0, 20))}, ${JSON.stringify(options)}) is ${code}`, async () => {
      using world = await World.open(kind);
      assert.equal(world.openError(path, options), code);
    });
  }
}

test("live: files are created, written, cut off and appended to", async () => {
  using world = await World.open("live");
  const { guest, folder } = world;
  const file = world.openAt("new", { open: { create: true, exclusive: true }, flags: WRITE });
  assert.equal(guest.ok(`${FS}write`, file, Buffer.from("hello 🦀"), 2n), 10n);
  assert.equal(readFileSync(folder.join("new"), "utf8"), "\0\0hello 🦀");
  guest.ok(`${FS}set-size`, file, 7n);
  assert.equal(guest.err(`${FS}set-size`, file, 2n ** 52n + 1n), "file-too-large");
  const appended = guest.ok(`${FS}append-via-stream`, file);
  guest.ok(`${OUT}blocking-write-and-flush`, appended, Buffer.from("!"));
  const written = guest.ok(`${FS}write-via-stream`, file, 0n);
  assert.equal(guest.ok(`${OUT}check-write`, written), 1_048_576n);
  guest.ok(`${OUT}write`, written, Buffer.from("1"));
  guest.ok(`${OUT}write`, written, Buffer.from("2"));
  assert.equal(readFileSync(folder.join("new"), "utf8"), "12hello!");
  await guest.okLater(`${FS}sync`, file);
  await guest.okLater(`${FS}sync-data`, file);
  assert.equal(world.openError("new", { open: { create: true, exclusive: true }, flags: WRITE }), "exist");
  assert.equal(
    guest.ok<Stat>(`${FS}stat`, world.openAt("new", { open: { truncate: true }, flags: WRITE })).size,
    0n,
  );
});

test("live: a descriptor is good for what it was opened for", async () => {
  using world = await World.open("live");
  const { guest, root } = world;
  const [reading, writing] = [world.openAt("a.txt"), world.openAt("a.txt", { flags: { write: true } })];
  assert.equal(guest.err(`${FS}write`, reading, Buffer.from("x"), 0n), "bad-descriptor");
  assert.equal(guest.err(`${FS}write-via-stream`, reading, 0n), "bad-descriptor");
  assert.equal(guest.err(`${FS}append-via-stream`, reading), "bad-descriptor");
  assert.equal(guest.err(`${FS}set-size`, reading, 0n), "bad-descriptor");
  assert.equal(guest.err(`${FS}read`, writing, 1n, 0n), "bad-descriptor");
  assert.equal(guest.err(`${FS}read-via-stream`, writing, 0n), "bad-descriptor");
  assert.equal(guest.err(`${FS}write`, root, Buffer.from("x"), 0n), "bad-descriptor");
  assert.equal(guest.err(`${FS}stat-at`, reading, FOLLOW, "x"), "not-directory");
  assert.equal(guest.err(`${FS}open-at`, reading, FOLLOW, "x", {}, { read: true }), "not-directory");
  assert.equal(world.openError("dir", { flags: WRITE }), "is-directory");
  assert.equal(world.contents("a.txt"), "contents of a");
});

test("live: entries are made, moved, linked and removed", async () => {
  using world = await World.open("live");
  const { guest, root } = world;
  const dir = world.openAt("dir", { flags: { read: true, mutateDirectory: true } });
  guest.ok(`${FS}create-directory-at`, root, "new");
  assert.equal(guest.err(`${FS}create-directory-at`, root, "new"), "exist");
  guest.ok(`${FS}rename-at`, root, "a.txt", dir, "b.txt");
  guest.ok(`${FS}link-at`, dir, STAY, "b.txt", root, "c.txt");
  assert.equal(guest.err(`${FS}link-at`, dir, FOLLOW, "b.txt", root, "d.txt"), "invalid");
  guest.ok(`${FS}symlink-at`, root, "c.txt", "d.txt");
  assert.equal(guest.err(`${FS}symlink-at`, root, "/etc/passwd", "e.txt"), "not-permitted");
  assert.equal(world.contents("d.txt"), "contents of a");
  assert.equal(guest.err(`${FS}remove-directory-at`, root, "dir"), "not-empty");
  guest.ok(`${FS}remove-directory-at`, root, "new");
  assert.equal(guest.err(`${FS}unlink-file-at`, root, "dir"), "is-directory");
  guest.ok(`${FS}unlink-file-at`, root, "d.txt");
  assert.equal(guest.err(`${FS}unlink-file-at`, root, "d.txt"), "no-entry");
  assert.deepEqual(
    list(guest, root).map(({ name }) => name),
    ["c.txt", "dir", "link"],
  );
});

const at = (seconds: bigint, nanoseconds: number) => ({ tag: "timestamp", val: { seconds, nanoseconds } });

test("live: times are set to what is said, to now, or not at all", async () => {
  using world = await World.open("live");
  const { guest, root, folder } = world;
  utimesSync(folder.join("a.txt"), 1000, 2000);
  guest.ok(`${FS}set-times-at`, root, FOLLOW, "a.txt", at(5n, 500), { tag: "no-change" });
  const { atimeNs, mtimeNs } = statSync(folder.join("a.txt"), { bigint: true });
  assert.deepEqual([atimeNs, mtimeNs], [5_000_000_500n, 2_000_000_000_000n]);
  guest.ok(`${FS}set-times`, world.openAt("a.txt", { flags: WRITE }), { tag: "no-change" }, { tag: "now" });
  assert.ok(statSync(folder.join("a.txt")).mtimeMs > 1_600_000_000_000);
  const wrong = [
    { time: at(1n, 1_000_000_000), code: "invalid" },
    { time: at(2n ** 64n - 1n, 0), code: "overflow" },
  ];
  for (const { time, code } of wrong) {
    assert.equal(guest.err(`${FS}set-times`, root, time, { tag: "no-change" }), code);
  }
});

const changes: readonly { what: string; act(world: World): unknown }[] = [
  { what: "creating a file", act: (world) => world.openAt("new", { open: { create: true }, flags: WRITE }) },
  { what: "truncating", act: (world) => world.openAt("a.txt", { open: { truncate: true }, flags: WRITE }) },
  { what: "writing", act: (world) => onFile(world, "write", Buffer.from("x"), 0n) },
  { what: "setting a size", act: (world) => onFile(world, "set-size", 0n) },
  { what: "syncing", act: (world) => onFile(world, "sync") },
  {
    what: "writing to a stream",
    act: ({ guest, ...world }) => {
      const file = guest.ok(`${FS}open-at`, world.root, FOLLOW, "a.txt", {}, WRITE);
      return guest.ok(`${OUT}write`, guest.ok(`${FS}append-via-stream`, file), Buffer.from("x"));
    },
  },
  { what: "setting times", act: (world) => onRoot(world, "set-times", { tag: "now" }, { tag: "now" }) },
  { what: "making a directory", act: (world) => onRoot(world, "create-directory-at", "new") },
  { what: "removing a directory", act: (world) => onRoot(world, "remove-directory-at", "dir/sub") },
  { what: "unlinking", act: (world) => onRoot(world, "unlink-file-at", "a.txt") },
  { what: "renaming", act: (world) => onRoot(world, "rename-at", "a.txt", world.root, "new") },
  { what: "linking", act: (world) => onRoot(world, "link-at", STAY, "a.txt", world.root, "new") },
  { what: "linking symbolically", act: (world) => onRoot(world, "symlink-at", "a.txt", "new") },
];

for (const { what, act } of changes) {
  test(`${what} in a live mount shifts before it happens`, async () => {
    using world = await World.open("live", { gear: "first" });
    assert.throws(() => act(world), Shifted);
    assert.equal(readFileSync(world.folder.join("a.txt"), "utf8"), "contents of a");
    assert.equal(statSync(world.folder.join("new"), { throwIfNoEntry: false }), undefined);
  });
}

const readOnlyRefusals: readonly { what: string; act(world: World): unknown }[] = [
  { what: "creating", act: (world) => world.openError("new", { open: { create: true }, flags: WRITE }) },
  { what: "opening for writing", act: (world) => world.openError("a.txt", { flags: WRITE }) },
  { what: "truncating", act: (world) => world.openError("a.txt", { open: { truncate: true } }) },
  { what: "making a directory", act: (world) => refusedOnRoot(world, "create-directory-at", "new") },
  { what: "removing", act: (world) => refusedOnRoot(world, "unlink-file-at", "a.txt") },
  { what: "renaming", act: (world) => refusedOnRoot(world, "rename-at", "a.txt", world.root, "new") },
  {
    what: "setting times",
    act: (world) => refusedOnRoot(world, "set-times", { tag: "now" }, { tag: "now" }),
  },
];
for (const kind of ["snapshot", "live read-only"] as const) {
  for (const { what, act } of readOnlyRefusals) {
    test(`${kind}: ${what} is not-permitted, and needs no shift`, async () => {
      using world = await World.open(kind, { gear: "first" });
      assert.equal(act(world), "not-permitted");
    });
  }
}

test("a call can have 1,024 files open, streams of closed ones included", async () => {
  using world = await World.open("live read-only");
  const { guest } = world;
  const files = Array.from({ length: 1024 }, () => world.openAt("a.txt"));
  assert.equal(world.openError("a.txt"), "insufficient-memory");
  const stream = guest.ok(`${FS}read-via-stream`, files[0], 0n);
  guest.drop("filesystem/types#descriptor", files[0]);
  assert.equal(world.openError("a.txt"), "insufficient-memory");
  guest.drop("io/streams#input-stream", stream);
  world.openAt("a.txt");
});

test("listings count as open files, large ones as several", async () => {
  using folder = new TemporaryFolder();
  for (let count = 0; count < 1000; count++) writeFileSync(folder.join(`${count}`), "");
  using mounted = new DisposableStack();
  using guest = new InterfaceGuest({ mounts: [await mount(mounted, folder.path)] });
  const [[root] = []] = guest.call<Descriptor[][]>("filesystem/preopens#get-directories");
  const listings = Array.from({ length: 512 }, () => guest.ok(`${FS}read-directory`, root));
  assert.equal(guest.err(`${FS}read-directory`, root), "insufficient-memory");
  guest.drop("filesystem/types#directory-entry-stream", listings[0]);
  guest.ok(`${FS}read-directory`, root);
});

test("a replay begins with nothing open", async () => {
  using world = await World.open("live read-only", { gear: "first" });
  for (let count = 0; count < 1024; count++) world.openAt("a.txt");
  world.guest.wasi.rewind();
  world.guest.gear = "second";
  world.openAt("a.txt");
});

test("a stream tells what went wrong with its file once, and then is closed", async () => {
  using world = await World.open("snapshot");
  const { guest, folder } = world;
  const stream = guest.ok(`${FS}read-via-stream`, world.openAt("a.txt"), 0n);
  folder[Symbol.dispose]();
  const failed = guest.err(`${IN}read`, stream, 1n) as { readonly tag: string; readonly val: object };
  assert.equal(failed.tag, "last-operation-failed");
  assert.equal(guest.call("filesystem/types#filesystem-error-code", failed.val), "io");
  assert.equal(guest.call("io/error#[method]error.to-debug-string", failed.val), "The file answered IO");
  assert.deepEqual(guest.err(`${IN}read`, stream, 1n), { tag: "closed" });
});

test("the first reading of a large file of a snapshot shifts and waits, read() and a stream alike", async () => {
  using folder = new TemporaryFolder({ large: Buffer.alloc(1024 * 1024 + 1, "x") });
  for (const how of ["read", "stream"] as const) {
    using mounted = new DisposableStack();
    const options = { kind: "snapshot", access: "read", contents: new ContentCache() } as const;
    const mounts = [await mount(mounted, folder.path, options)];
    using first = new InterfaceGuest({ gear: "first", mounts });
    assert.throws(() => readLarge(first, how), Shifted);
    using second = new InterfaceGuest({ mounts });
    assert.equal(await readLarge(second, how), "xxx");
    assert.equal(await readLarge(first, how), "xxx");
  }
});

/** Throws at once what is thrown at once. */
function readLarge(guest: InterfaceGuest, how: "read" | "stream"): Promise<string> {
  const [[root] = []] = guest.call<Descriptor[][]>("filesystem/preopens#get-directories");
  const file = guest.ok(`${FS}open-at`, root, FOLLOW, "large", {}, { read: true });
  const outcome =
    how === "read"
      ? guest.call<Outcome<[Uint8Array]>>(`${FS}read`, file, 3n, 0n)
      : guest.call<Outcome<Uint8Array>>(`${IN}blocking-read`, guest.ok(`${FS}read-via-stream`, file, 0n), 3n);
  return Promise.resolve<Outcome<[Uint8Array] | Uint8Array>>(outcome).then(({ tag, val }) => {
    assert.equal(tag, "ok");
    // Of the two above, one returns a tuple, the other what is in it.
    return text(Array.isArray(val) ? val[0] : (val as Uint8Array));
  });
}

test("the draft of October opens with modes, which mean nothing, and has what was withdrawn", async () => {
  using world = await World.open("live", { version: OCTOBER });
  const { guest, root } = world;
  const modes = { readable: true };
  const file = guest.ok<Descriptor>(`${FS}open-at`, root, FOLLOW, "a.txt", {}, { read: true }, modes);
  assert.deepEqual(read(guest, file, 8n, 0n), ["contents", false]);
  assert.throws(
    () => guest.call(`${FS}lock-shared`, file),
    /"\[method\]descriptor\.lock-shared" was withdrawn/,
  );
});

test("hard links are one object", async () => {
  using world = await World.open("live");
  linkSync(world.folder.join("a.txt"), world.folder.join("hard"));
  assert.equal(world.guest.call(`${FS}is-same-object`, world.openAt("a.txt"), world.openAt("hard")), true);
});

function read(guest: InterfaceGuest, file: Descriptor, length: bigint, offset: bigint): [string, boolean] {
  const [bytes, isEnd] = guest.ok<[Uint8Array, boolean]>(`${FS}read`, file, length, offset);
  return [text(bytes), isEnd];
}

function list(guest: InterfaceGuest, directory: Descriptor): { type: string; name: string }[] {
  const stream = guest.ok(`${FS}read-directory`, directory);
  const entries: { type: string; name: string }[] = [];
  for (;;) {
    const entry = guest.ok<{ type: string; name: string } | undefined>(
      "filesystem/types#[method]directory-entry-stream.read-directory-entry",
      stream,
    );
    if (!entry) return entries;
    entries.push(entry);
  }
}

function onRoot({ guest, root }: World, name: string, ...args: unknown[]): unknown {
  return guest.ok(`${FS}${name}`, root, ...args);
}

function refusedOnRoot({ guest, root }: World, name: string, ...args: unknown[]): unknown {
  return guest.err(`${FS}${name}`, root, ...args);
}

function onFile(world: World, name: string, ...args: unknown[]): unknown {
  return world.guest.ok(`${FS}${name}`, world.openAt("a.txt", { flags: WRITE }), ...args);
}
