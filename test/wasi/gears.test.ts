// What a call may do in first gear, what makes it shift, and what a replay sees.

import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";

import { ContentCache } from "../../src/mounts/mod.ts";
import { type Clock, type RandomSource, systemClock } from "../../src/wasi/mod.ts";
import { AbiGuest, ALL_RIGHTS, CREATE, mount, Shifted, TRUNCATE } from "./abi-guest.ts";
import { Printed } from "./run-command.ts";
import { TemporaryFolder } from "./temporary.ts";

/** Counts up, so that every reading is another. */
function countingClock(): Clock {
  let now = 0n;
  const next = () => {
    now++;
    return now;
  };
  return { ...systemClock, realtimeNs: next, monotonicNs: next };
}

function countingRandom(): RandomSource {
  let next = 0;
  return {
    fill(bytes) {
      for (let index = 0; index < bytes.length; index++) bytes[index] = next++;
    },
  };
}

function readClock(guest: AbiGuest, id: number): bigint {
  assert.equal(guest.call("clock_time_get", id, 0, 8), "SUCCESS");
  return guest.memory.readU64(8);
}

function readRandom(guest: AbiGuest, length: number): number[] {
  const buffer = guest.allocate(length);
  assert.equal(guest.call("random_get", buffer, length), "SUCCESS");
  return [...guest.memory.read(buffer, length)];
}

test("a replay gets the readings that it had, in their order, then fresh ones", () => {
  using guest = new AbiGuest({ gear: "first", call: { clock: countingClock(), random: countingRandom() } });
  const first = [readClock(guest, 0), readClock(guest, 1), readClock(guest, 0)];
  const bytes = [readRandom(guest, 3), readRandom(guest, 2)];
  assert.deepEqual(
    [first, bytes],
    [
      [1n, 2n, 3n],
      [
        [0, 1, 2],
        [3, 4],
      ],
    ],
  );
  guest.wasi.rewind();
  guest.gear = "second";
  assert.deepEqual([readClock(guest, 0), readClock(guest, 1), readClock(guest, 0)], first);
  assert.deepEqual(readRandom(guest, 5), [0, 1, 2, 3, 4]);
  assert.deepEqual([readClock(guest, 1), readClock(guest, 0)], [4n, 5n]);
  assert.deepEqual(readRandom(guest, 2), [5, 6]);
});

test("random bytes of a replay may be asked for in other pieces", () => {
  using guest = new AbiGuest({ gear: "first", call: { random: countingRandom() } });
  readRandom(guest, 4);
  guest.wasi.rewind();
  guest.gear = "second";
  assert.deepEqual(
    [readRandom(guest, 3), readRandom(guest, 3)],
    [
      [0, 1, 2],
      [3, 4, 5],
    ],
  );
});

test("a call shifts rather than keep more than 1,024 readings or 16 KiB of random bytes", () => {
  using guest = new AbiGuest({ gear: "first" });
  for (let reading = 0; reading < 1024; reading++) readClock(guest, 1);
  assert.throws(() => readClock(guest, 1), Shifted);
  const buffer = guest.allocate(16 * 1024 + 1);
  assert.equal(guest.call("random_get", buffer, 16 * 1024), "SUCCESS");
  assert.throws(() => guest.call("random_get", buffer, 1), Shifted);
  guest.wasi.rewind();
  guest.gear = "second";
  for (let reading = 0; reading < 5000; reading++) readClock(guest, 1);
  assert.equal(guest.call("random_get", buffer, 16 * 1024 + 1), "SUCCESS");
});

test("what is printed in first gear is seen when the call commits, in order over both streams", () => {
  const seen: string[] = [];
  const sink = (name: string) => ({
    held: false as const,
    write: (bytes: Uint8Array) => void seen.push(`${name}:${Buffer.from(bytes)}`),
  });
  using guest = new AbiGuest({ gear: "first", call: { stdout: sink("out"), stderr: sink("err") } });
  for (const [fd, text] of [
    [1, "a"],
    [1, "b"],
    [2, "c"],
    [1, "d"],
  ] as const) {
    assert.equal(guest.write(fd, text), 1);
  }
  assert.deepEqual(seen, []);
  guest.wasi.commit();
  assert.deepEqual(seen, ["out:ab", "err:c", "out:d"]);
  guest.wasi.commit();
  assert.equal(seen.length, 3);
});

test("what is printed in second gear is seen at once", () => {
  using guest = new AbiGuest({ gear: "second" });
  guest.write(1, "now");
  assert.equal(guest.stdout.text, "now");
});

test("what was printed before a replay is dropped, also by sinks that hold it", () => {
  for (const kind of ["held", "shown"] as const) {
    const stdout = new Printed(kind);
    using guest = new AbiGuest({ gear: "first", call: { stdout: stdout.sink } });
    guest.write(1, "first");
    guest.wasi.rewind();
    guest.gear = "second";
    guest.write(1, "second");
    guest.wasi.commit();
    assert.equal(stdout.text, "second");
  }
});

test("64 KiB of output fit in first gear, and one byte more shifts", () => {
  using guest = new AbiGuest({ gear: "first" });
  const page = "x".repeat(16 * 1024);
  for (let round = 0; round < 4; round++) assert.equal(guest.write(1, page), page.length);
  assert.throws(() => guest.write(1, "y"), Shifted);
});

test("a sink that holds takes any amount in first gear", () => {
  const stdout = new Printed("held");
  using guest = new AbiGuest({ gear: "first", call: { stdout: stdout.sink } });
  const page = "x".repeat(16 * 1024);
  for (let round = 0; round < 8; round++) assert.equal(guest.write(1, page), page.length);
  assert.equal(stdout.text.length, 128 * 1024);
});

test("a replay has the descriptors of the start", async () => {
  using folder = new TemporaryFolder({ file: "contents" });
  using mounted = new DisposableStack();
  const mounts = [await mount(mounted, folder.path, { kind: "snapshot", access: "read" })];
  using guest = new AbiGuest({ gear: "first", mounts, call: { stdin: Buffer.from("input") } });
  assert.equal(guest.read(0, 2), "in");
  assert.equal(guest.call("fd_close", 1), "SUCCESS");
  assert.equal(guest.open("file").fd, 1);
  guest.wasi.rewind();
  guest.gear = "second";
  assert.equal(guest.read(0), "input");
  assert.equal(guest.write(1, "x"), 1);
  assert.equal(guest.open("file").fd, 4);
});

const effects: readonly { readonly what: string; act(guest: AbiGuest): unknown }[] = [
  { what: "creating a file", act: (guest) => guest.open("new", { open: CREATE }) },
  { what: "truncating a file", act: (guest) => guest.open("file", { open: TRUNCATE }) },
  { what: "writing", act: (guest) => guest.write(guest.open("file", { rights: ALL_RIGHTS }).fd, "x") },
  {
    what: "setting a size",
    act: (guest) => guest.call("fd_filestat_set_size", guest.open("file", { rights: ALL_RIGHTS }).fd, 0),
  },
  {
    what: "allocating",
    act: (guest) => guest.call("fd_allocate", guest.open("file", { rights: ALL_RIGHTS }).fd, 0, 100),
  },
  { what: "setting times", act: (guest) => guest.call("fd_filestat_set_times", 3, 1, 1, 5) },
  { what: "making a directory", act: (guest) => guest.onPath("path_create_directory", "new") },
  { what: "removing a directory", act: (guest) => guest.onPath("path_remove_directory", "dir") },
  { what: "unlinking", act: (guest) => guest.onPath("path_unlink_file", "file") },
  {
    what: "renaming",
    act: (guest) => guest.call("path_rename", 3, ...guest.text("file"), 3, ...guest.text("new")),
  },
  {
    what: "linking",
    act: (guest) => guest.call("path_link", 3, 0, ...guest.text("file"), 3, ...guest.text("new")),
  },
  {
    what: "linking symbolically",
    act: (guest) => guest.call("path_symlink", ...guest.text("file"), 3, ...guest.text("new")),
  },
  { what: "waiting for the disk", act: (guest) => guest.callLater("fd_sync", guest.open("file").fd) },
];

for (const { what, act } of effects) {
  test(`${what} in a live mount shifts before it happens`, async () => {
    using folder = new TemporaryFolder({ file: "contents", "dir/": "" });
    using mounted = new DisposableStack();
    using guest = new AbiGuest({ gear: "first", mounts: [await mount(mounted, folder.path)] });
    await assert.rejects(async () => act(guest), Shifted);
    assert.equal(readFileSync(folder.join("file"), "utf8"), "contents");
    assert.ok(existsSync(folder.join("dir")) && !existsSync(folder.join("new")));
  });
}

test("reading shifts for nothing: not in a live mount, not in a snapshot", async () => {
  using folder = new TemporaryFolder({ "dir/file": "contents" });
  using mounted = new DisposableStack();
  for (const kind of ["live", "snapshot"] as const) {
    const mounts = [await mount(mounted, folder.path, { kind, access: "read" })];
    using guest = new AbiGuest({ gear: "first", mounts });
    assert.equal(guest.contents("dir/file"), "contents");
    assert.equal(guest.list(3).length, 3);
    assert.ok(typeof guest.stat("dir/file") === "object");
  }
});

test("the first reading of a large file of a snapshot shifts and waits, the next ones do not", async () => {
  const contents = Buffer.alloc(1024 * 1024 + 1, "x");
  using folder = new TemporaryFolder({ small: contents.subarray(1), large: contents });
  using mounted = new DisposableStack();
  const mounts = [
    await mount(mounted, folder.path, { kind: "snapshot", access: "read", contents: new ContentCache() }),
  ];
  using first = new AbiGuest({ gear: "first", mounts });
  assert.equal(first.read(first.open("small").fd, 3), "xxx");
  const { fd } = first.open("large");
  assert.throws(() => first.read(fd, 3), Shifted);

  using second = new AbiGuest({ gear: "second", mounts });
  const [buffer, result] = [second.allocate(3), second.allocate(4)];
  const list = second.iovec(buffer, 3);
  assert.equal(await second.callLater("fd_read", second.open("large").fd, ...list, result), "SUCCESS");
  assert.equal(second.memory.read(buffer, 3).toString(), "xxx");
  assert.equal(first.read(fd, 3), "xxx");
});

test("a guest that is ended while it waits for the disk is not written to", async () => {
  using folder = new TemporaryFolder({ large: Buffer.alloc(1024 * 1024 + 1, "x") });
  using mounted = new DisposableStack();
  const mounts = [
    await mount(mounted, folder.path, { kind: "snapshot", access: "read", contents: new ContentCache() }),
  ];
  using guest = new AbiGuest({ mounts });
  const buffer = guest.allocate(8);
  const reading = guest.callLater("fd_read", guest.open("large").fd, ...guest.iovec(buffer, 3), buffer + 4);
  guest.abort.abort();
  await assert.rejects(reading, { name: "AbortError" });
  assert.deepEqual([...guest.memory.read(buffer, 8)], Array(8).fill(0));
});

test("a file too large for the cache is read piece by piece, without waiting", async () => {
  using folder = new TemporaryFolder({ large: "0123456789" });
  using mounted = new DisposableStack();
  const mounts = [
    await mount(mounted, folder.path, { kind: "snapshot", access: "read", contents: new ContentCache(16) }),
  ];
  using guest = new AbiGuest({ gear: "first", mounts });
  const { fd } = guest.open("large");
  assert.deepEqual([guest.read(fd, 4), guest.read(fd, 4), guest.read(fd, 4)], ["0123", "4567", "89"]);
});

test("a file of a snapshot that has been changed or removed on disk is IO, never other contents", async () => {
  using folder = new TemporaryFolder({ file: "before", gone: "before" });
  using mounted = new DisposableStack();
  const mounts = [
    await mount(mounted, folder.path, { kind: "snapshot", access: "read", contents: new ContentCache() }),
  ];
  using guest = new AbiGuest({ mounts });
  writeFileSync(folder.join("file"), "after that");
  assert.equal(guest.contents("file"), "IO");
  folder[Symbol.dispose]();
  assert.equal(guest.contents("gone"), "IO");
});

test("random bytes past 1 MiB are made in turns, all of them", async () => {
  using guest = new AbiGuest({ pages: 65 });
  const length = 3 * 1024 * 1024 + 5;
  const buffer = guest.allocate(length);
  assert.equal(await guest.callLater("random_get", buffer, length), "SUCCESS");
  for (let at = buffer; at + 16 <= buffer + length; at += 65536) {
    assert.ok(guest.memory.read(at, 16).some((byte) => byte !== 0));
  }
  assert.notDeepEqual([...guest.memory.read(buffer + length - 16, 16)], Array(16).fill(0));
});
