// Files and directories through preview 1, in mounts of each kind.

import assert from "node:assert/strict";
import { readFileSync, statSync, symlinkSync, utimesSync } from "node:fs";
import { test } from "node:test";

import type { MountSource } from "../../src/manifest/mod.ts";
import {
  AbiGuest,
  ALL_RIGHTS,
  CARD_BYTES,
  CREATE,
  DIRECTORY,
  EXCLUSIVE,
  mount,
  READ_RIGHTS,
  TRUNCATE,
} from "./abi-guest.ts";
import { TemporaryFolder } from "./temporary.ts";

type Kind = Pick<MountSource, "kind" | "access"> & { readonly traversal?: "descriptors" | "paths" };

const LIVE: Readonly<Record<string, Kind>> = {
  "live, by descriptors": { kind: "live", access: "write", traversal: "descriptors" },
  "live, by paths": { kind: "live", access: "write", traversal: "paths" },
};
const READ_ONLY: Readonly<Record<string, Kind>> = {
  snapshot: { kind: "snapshot", access: "read" },
  "live read-only": { kind: "live", access: "read" },
};
const ALL = { ...LIVE, ...READ_ONLY };

const APPEND = 1;
const START = 0;
const CURRENT = 1;
const END = 2;

interface World extends Disposable {
  readonly folder: TemporaryFolder;
  readonly guest: AbiGuest;
}

async function world(kind: Kind, files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<World> {
  using stack = new DisposableStack();
  const folder = stack.use(new TemporaryFolder(files));
  const guest = stack.use(new AbiGuest({ mounts: [await mount(stack, folder.path, kind)] }));
  const owned = stack.move();
  return { folder, guest, [Symbol.dispose]: () => owned.dispose() };
}

function seek(guest: AbiGuest, fd: number, offset: number, whence: number): number | string {
  const result = guest.allocate(8);
  const errno = guest.call("fd_seek", fd, offset, whence, result);
  return errno === "SUCCESS" ? Number(guest.memory.readU64(result)) : errno;
}

function tell(guest: AbiGuest, fd: number): number {
  const result = guest.allocate(8);
  assert.equal(guest.call("fd_tell", fd, result), "SUCCESS");
  return Number(guest.memory.readU64(result));
}

for (const [name, kind] of Object.entries(ALL)) {
  test(`files are read from where the descriptor is, and past it without moving it (${name})`, async () => {
    using it = await world(kind, { "a/é🦀.txt": "0123456789" });
    const { guest } = it;
    const { fd } = guest.open("a/é🦀.txt");
    assert.equal(guest.read(fd, 4), "0123");
    assert.equal(tell(guest, fd), 4);
    const [buffer, result] = [guest.allocate(3), guest.allocate(4)];
    assert.equal(guest.call("fd_pread", fd, ...guest.iovec(buffer, 3), 7, result), "SUCCESS");
    assert.equal(guest.memory.read(buffer, 3).toString(), "789");
    assert.equal(guest.read(fd, 100), "456789");
    assert.equal(guest.read(fd, 100), "");
  });

  test(`an empty file has no bytes (${name})`, async () => {
    using it = await world(kind, { empty: "" });
    assert.equal(it.guest.contents("empty"), "");
    const stat = it.guest.stat("empty");
    assert.ok(typeof stat === "object" && stat.size === 0n);
  });

  test(`fd_seek counts from the start, the place and the end, and not before the start (${name})`, async () => {
    using it = await world(kind, { file: "0123456789" });
    const { guest } = it;
    const { fd } = guest.open("file");
    assert.equal(seek(guest, fd, 4, START), 4);
    assert.equal(seek(guest, fd, 3, CURRENT), 7);
    assert.equal(seek(guest, fd, -1, END), 9);
    assert.equal(guest.read(fd), "9");
    assert.equal(seek(guest, fd, 1000, END), 1010);
    assert.equal(guest.read(fd), "");
    assert.equal(seek(guest, fd, -1, START), "INVAL");
    assert.equal(seek(guest, fd, 0, 3), "INVAL");
    assert.equal(seek(guest, fd, 2 ** 52, START), 2 ** 52);
    assert.equal(seek(guest, fd, 1, CURRENT), "OVERFLOW");
    assert.equal(tell(guest, fd), 2 ** 52);
    assert.equal(guest.read(fd), "");
  });

  test(`path_filestat_get and fd_filestat_get agree with each other and with fd_readdir (${name})`, async () => {
    using it = await world(kind, { "dir/file": "12345" });
    const { guest } = it;
    const byPath = guest.stat("dir/file");
    assert.ok(typeof byPath === "object");
    assert.equal(byPath.type, 4);
    assert.equal(byPath.size, 5n);
    const onDisk = statSync(it.folder.join("dir/file"), { bigint: true });
    assert.equal(byPath.modifiedNs, onDisk.mtimeNs);
    const dir = guest.open("dir", { open: DIRECTORY });
    const [self, parent, file, ...rest] = guest.list(dir.fd);
    assert.deepEqual(rest, []);
    assert.equal(file?.inode, byPath.inode);
    const of = (path: string) => {
      const stat = guest.stat(path);
      return typeof stat === "object" ? stat.inode : stat;
    };
    assert.deepEqual([self?.name, self?.inode], [".", of("dir")]);
    assert.deepEqual([parent?.name, parent?.inode], ["..", of(".")]);
  });

  test(`the parent of the root is the root (${name})`, async () => {
    using it = await world(kind);
    const [self, parent] = it.guest.list(3);
    assert.equal(self?.inode, parent?.inode);
  });

  test(`fd_readdir goes through a directory in pieces, in one order, and back by cookies (${name})`, async () => {
    const names = Array.from({ length: 100 }, (_, index) => `file-${String(index).padStart(3, "0")}`);
    using it = await world(kind, Object.fromEntries(names.map((file) => [file, ""])));
    const { guest } = it;
    const entries = guest.list(3);
    assert.deepEqual(
      entries.map((entry) => entry.name),
      [".", "..", ...names],
    );
    const [buffer, result] = [guest.allocate(512), guest.allocate(4)];
    assert.equal(guest.call("fd_readdir", 3, buffer, 512, entries[50]?.next ?? 0n, result), "SUCCESS");
    assert.equal(guest.memory.read(buffer + 24, 8).toString(), names[49]);
    assert.equal(guest.call("fd_readdir", 3, buffer, 512, 2n ** 63n, result), "SUCCESS");
    assert.equal(guest.memory.readU32(result), 0);
  });

  for (const length of [0, 1, 23, 24, 25, 26, 50]) {
    test(`fd_readdir cuts the last entry off at ${length} bytes, and says that they are used (${name})`, async () => {
      using it = await world(kind, { file: "" });
      const { guest } = it;
      const [buffer, result] = [guest.allocate(length + 8), guest.allocate(4)];
      guest.memory.write(buffer, new Uint8Array(length + 8).fill(0xaa));
      assert.equal(guest.call("fd_readdir", 3, buffer, length, 0, result), "SUCCESS");
      assert.equal(guest.memory.readU32(result), length);
      assert.deepEqual([...guest.memory.read(buffer + length, 8)], Array(8).fill(0xaa));
    });
  }

  test(`symbolic links are followed where asked, and 41 of them are too many (${name})`, async () => {
    using folder = new TemporaryFolder({ target: "found" });
    symlinkSync("target", folder.join("link-1"));
    for (let link = 2; link <= 41; link++) symlinkSync(`link-${link - 1}`, folder.join(`link-${link}`));
    symlinkSync("loop", folder.join("loop"));
    symlinkSync("nowhere", folder.join("dangling"));
    using mounted = new DisposableStack();
    using guest = new AbiGuest({ mounts: [await mount(mounted, folder.path, kind)] });
    assert.equal(guest.contents("link-1"), "found");
    assert.equal(guest.contents("link-40"), "found");
    assert.equal(guest.open("link-41").errno, "LOOP");
    assert.equal(guest.open("link-1", { follow: false }).errno, "LOOP");
    assert.equal(guest.open("loop").errno, "LOOP");
    assert.equal(guest.open("dangling").errno, "NOENT");
    const stat = guest.stat("link-1", "stay");
    assert.ok(typeof stat === "object" && stat.type === 7 && stat.size === 6n);
  });

  const wrong = [
    { path: "", errno: "NOENT", because: "an empty path names nothing" },
    { path: "nothing", errno: "NOENT", because: "there is no such file" },
    { path: "nothing/file", errno: "NOENT", because: "there is no such directory" },
    { path: "file/", errno: "NOTDIR", because: "a file is no directory" },
    { path: "file/.", errno: "NOTDIR", because: "a file is no directory" },
    { path: "file/below", errno: "NOTDIR", because: "a file has nothing in it" },
    { path: "link/below", errno: "NOTDIR", because: "a link to a file leads to nothing in it" },
    { path: "link/", errno: "NOTDIR", because: "a link to a file is no directory" },
    { path: "fi\0le", errno: "INVAL", because: "no name has a NUL" },
    { path: "x".repeat(4097), errno: "NAMETOOLONG", because: "a path has 4,096 bytes at most" },
  ] as const;
  for (const { path, errno, because } of wrong) {
    test(`path_open of ${JSON.stringify(path.slice(0, 20))} is ${errno}: ${because} (${name})`, async () => {
      using folder = new TemporaryFolder({ file: "" });
      symlinkSync("file", folder.join("link"));
      using mounted = new DisposableStack();
      using guest = new AbiGuest({ mounts: [await mount(mounted, folder.path, kind)] });
      assert.equal(guest.open(path).errno, errno);
    });
  }

  test(`files and directories are not taken for each other (${name})`, async () => {
    using it = await world(kind, { file: "", "dir/x": "" });
    const { guest } = it;
    assert.equal(guest.open("file", { open: DIRECTORY }).errno, "NOTDIR");
    const dir = guest.open("dir");
    const file = guest.open("file");
    assert.equal(guest.read(dir.fd), "ISDIR");
    assert.equal(guest.write(dir.fd, "x"), "ISDIR");
    assert.equal(seek(guest, dir.fd, 0, CURRENT), "ISDIR");
    assert.equal(guest.open("x", { fd: file.fd }).errno, "NOTDIR");
    assert.equal(guest.call("fd_readdir", file.fd, 0, 64, 0, 8), "NOTDIR");
    assert.equal(guest.open("x", { fd: 99 }).errno, "BADF");
    assert.equal(guest.open("x", { fd: 1 }).errno, "NOTDIR");
  });

  test(`a descriptor without FD_READ is not read, nor one without FD_WRITE written (${name})`, async () => {
    using it = await world(kind, { file: "x" });
    const { guest } = it;
    const { fd } = guest.open("file", { rights: READ_RIGHTS & ~(1n << 1n) });
    assert.equal(guest.read(fd), "BADF");
    assert.equal(guest.write(fd, "y"), "BADF");
    assert.equal(guest.call("fd_filestat_set_size", fd, 0), "BADF");
  });

  test(`1,024 files can be open in one call, and closing gives the lowest back (${name})`, async () => {
    using it = await world(kind, { file: "" });
    const { guest } = it;
    const [path, length] = guest.text("file");
    const result = guest.allocate(4);
    const open = () => guest.call("path_open", 3, 0, path, length, 0, 0, 0, 0, result);
    for (let fd = 4; fd < 4 + 1024; fd++) assert.equal(open(), "SUCCESS");
    assert.equal(open(), "MFILE");
    assert.equal(guest.call("fd_close", 500), "SUCCESS");
    assert.equal(open(), "SUCCESS");
    assert.equal(guest.memory.readU32(result), 500);
  });
}

for (const [name, kind] of Object.entries(READ_ONLY)) {
  test(`nothing can be changed where mounts are read-only (${name})`, async () => {
    using it = await world(kind, { file: "x", "dir/": "" });
    const { guest } = it;
    guest.gear = "first";
    assert.equal(guest.open("file", { rights: ALL_RIGHTS }).errno, "PERM");
    assert.equal(guest.open("file", { open: TRUNCATE }).errno, "PERM");
    assert.equal(guest.open("new", { open: CREATE }).errno, "PERM");
    assert.equal(guest.open("missing/new", { open: CREATE }).errno, "NOENT");
    assert.equal(guest.onPath("path_create_directory", "new"), "PERM");
    assert.equal(guest.onPath("path_remove_directory", "dir"), "PERM");
    assert.equal(guest.onPath("path_unlink_file", "file"), "PERM");
    assert.equal(guest.call("path_rename", 3, ...guest.text("file"), 3, ...guest.text("new")), "PERM");
    assert.equal(guest.call("path_link", 3, 0, ...guest.text("file"), 3, ...guest.text("new")), "PERM");
    assert.equal(guest.call("path_symlink", ...guest.text("file"), 3, ...guest.text("new")), "PERM");
    assert.equal(guest.call("path_filestat_set_times", 3, 0, ...guest.text("file"), 0, 0, 5), "PERM");
    assert.equal(guest.call("fd_filestat_set_times", 3, 0, 0, 5), "PERM");
    const { fd } = guest.open("file");
    assert.equal(guest.call("fd_filestat_set_times", fd, 0, 0, 5), "PERM");
    assert.equal(await guest.callLater("fd_sync", fd), "SUCCESS");
    assert.deepEqual(
      guest.list(3).map((entry) => entry.name),
      [".", "..", "dir", "file"],
    );
  });
}

for (const [name, kind] of Object.entries(READ_ONLY)) {
  test(`what is there is found, even by who would create it, where mounts are read-only (${name})`, async () => {
    using it = await world(kind, { file: "x", "dir/": "" });
    const { guest } = it;
    guest.gear = "first";
    assert.equal(guest.contents("file", { open: CREATE }), "x");
    assert.equal(guest.open("file", { open: CREATE | EXCLUSIVE }).errno, "EXIST");
    assert.equal(guest.open("dir", { open: CREATE }).errno, "ISDIR");
    assert.equal(guest.open("dir", { rights: ALL_RIGHTS }).errno, "ISDIR");
    assert.equal(guest.open("missing", { rights: ALL_RIGHTS }).errno, "NOENT");
    assert.equal(guest.onPath("path_create_directory", "dir"), "EXIST");
    assert.equal(guest.onPath("path_create_directory", "."), "EXIST");
  });
}

test("no mount is written through a directory of another that is read-only", async () => {
  using folder = new TemporaryFolder({ "a/file": "x", "b/": "" });
  using mounted = new DisposableStack();
  const mounts = [
    await mount(mounted, folder.join("a"), { guestPath: "/a" }),
    await mount(mounted, folder.join("b"), { guestPath: "/b", access: "read" }),
    await mount(mounted, folder.join("b"), { guestPath: "/c", kind: "snapshot" }),
  ];
  using guest = new AbiGuest({ mounts });
  const rename = (to: number) => guest.call("path_rename", 3, ...guest.text("file"), to, ...guest.text("y"));
  assert.equal(rename(4), "PERM");
  assert.equal(rename(5), "XDEV");
});

for (const [name, kind] of Object.entries(LIVE)) {
  test(`files are created, written, appended to, cut off, and read back (${name})`, async () => {
    using it = await world(kind);
    const { guest } = it;
    const { fd } = guest.open("new", { open: CREATE | EXCLUSIVE, rights: ALL_RIGHTS });
    assert.equal(guest.write(fd, "hello"), 5);
    assert.equal(seek(guest, fd, 1, START), 1);
    assert.equal(guest.write(fd, "a"), 1);
    const result = guest.allocate(4);
    assert.equal(guest.call("fd_pwrite", fd, ...guest.iovec(...guest.text("!")), 7, result), "SUCCESS");
    assert.equal(tell(guest, fd), 2);
    assert.equal(readFileSync(it.folder.join("new"), "utf8"), "hallo\0\0!");
    assert.equal(guest.call("fd_filestat_set_size", fd, 3), "SUCCESS");
    assert.equal(guest.call("fd_fdstat_set_flags", fd, APPEND), "SUCCESS");
    assert.equal(seek(guest, fd, 0, START), 0);
    assert.equal(guest.write(fd, "ve"), 2);
    assert.equal(tell(guest, fd), 5);
    assert.equal(await guest.callLater("fd_sync", fd), "SUCCESS");
    assert.equal(await guest.callLater("fd_datasync", fd), "SUCCESS");
    assert.equal(readFileSync(it.folder.join("new"), "utf8"), "halve");
    assert.equal(guest.open("new", { open: CREATE | EXCLUSIVE }).errno, "EXIST");
    assert.equal(guest.contents("new", { open: CREATE }), "halve");
    assert.equal(guest.contents("new", { open: TRUNCATE }), "");
  });

  test(`what two descriptors append to one file follows each other (${name})`, async () => {
    using it = await world(kind);
    const { guest } = it;
    const options = { open: CREATE, rights: ALL_RIGHTS, flags: APPEND };
    const [a, b] = [guest.open("log", options).fd, guest.open("log", options).fd];
    for (const fd of [a, b, a, b]) guest.write(fd, fd === a ? "a" : "b");
    assert.equal(guest.contents("log"), "abab");
  });

  test(`fd_allocate makes a file longer and never shorter (${name})`, async () => {
    using it = await world(kind, { file: "12345" });
    const { guest } = it;
    const { fd } = guest.open("file", { rights: ALL_RIGHTS });
    assert.equal(guest.call("fd_allocate", fd, 1, 2), "SUCCESS");
    assert.equal(readFileSync(it.folder.join("file"), "utf8"), "12345");
    assert.equal(guest.call("fd_allocate", fd, 4, 3), "SUCCESS");
    assert.equal(readFileSync(it.folder.join("file"), "utf8"), "12345\0\0");
    assert.equal(guest.call("fd_allocate", fd, 0, 0), "INVAL");
    assert.equal(guest.call("fd_allocate", fd, 2 ** 52, 1), "FBIG");
    assert.equal(guest.call("fd_allocate", 3, 0, 1), "ISDIR");
    assert.equal(guest.call("fd_allocate", 1, 0, 1), "SPIPE");
  });

  const timeCases = [
    { accessedNs: 1_600_000_000_000_000_001n, modifiedNs: 1_700_000_000_123_456_789n, what: "nanoseconds" },
    { accessedNs: 0n, modifiedNs: 1_000_000_000n, what: "whole seconds" },
    { accessedNs: 1n, modifiedNs: 4_000_000_000_999_999_999n, what: "past 2038" },
  ];
  for (const { accessedNs, modifiedNs, what } of timeCases) {
    test(`times are set exactly: ${what} (${name})`, async () => {
      using it = await world(kind, { file: "" });
      const { guest } = it;
      symlinkSync("file", it.folder.join("link"));
      const setByPath = (flags: number) =>
        guest.call("path_filestat_set_times", 3, 1, ...guest.text("link"), accessedNs, modifiedNs, flags);
      assert.equal(setByPath(1 | 4), "SUCCESS");
      const stat = guest.stat("file");
      assert.ok(typeof stat === "object");
      assert.deepEqual([stat.accessedNs, stat.modifiedNs], [accessedNs, modifiedNs]);
      const { fd } = guest.open("file");
      assert.equal(guest.call("fd_filestat_set_times", fd, 0, modifiedNs + 1n, 4), "SUCCESS");
      const later = guest.stat("file");
      assert.ok(typeof later === "object");
      assert.deepEqual([later.accessedNs, later.modifiedNs], [accessedNs, modifiedNs + 1n]);
    });
  }

  test(`a time can be set to now, but not to now and another (${name})`, async () => {
    using it = await world(kind, { file: "" });
    const { guest } = it;
    utimesSync(it.folder.join("file"), 1, 1);
    const set = (flags: number) =>
      guest.call("path_filestat_set_times", 3, 0, ...guest.text("file"), 0, 0, flags);
    assert.equal(set(8), "SUCCESS");
    const stat = guest.stat("file");
    assert.ok(typeof stat === "object" && stat.accessedNs === 1_000_000_000n);
    assert.ok(Math.abs(Number(stat.modifiedNs / 1_000_000n) - Date.now()) < 60_000);
    assert.deepEqual([set(1 | 2), set(4 | 8), set(16)], ["INVAL", "INVAL", "INVAL"]);
  });

  test(`directories, links and names are made, moved and removed as POSIX has it (${name})`, async () => {
    using it = await world(kind, { "full/file": "x" });
    const { guest } = it;
    const rename = (from: string, to: string) =>
      guest.call("path_rename", 3, ...guest.text(from), 3, ...guest.text(to));
    const link = (from: string, to: string, lookup = 0) =>
      guest.call("path_link", 3, lookup, ...guest.text(from), 3, ...guest.text(to));
    const symlink = (target: string, path: string) =>
      guest.call("path_symlink", ...guest.text(target), 3, ...guest.text(path));
    const results = {
      mkdir: guest.onPath("path_create_directory", "dir"),
      "mkdir with a slash": guest.onPath("path_create_directory", "dir2/"),
      "mkdir of what is there": guest.onPath("path_create_directory", "dir"),
      "mkdir of itself": guest.onPath("path_create_directory", "."),
      "mkdir below nothing": guest.onPath("path_create_directory", "no/dir"),
      "rename to an empty directory": rename("dir", "dir2"),
      "rename to a full directory": rename("dir2", "full"),
      "rename of a file to a directory": rename("full/file", "dir2"),
      "rename of a file with a slash": rename("full/file/", "file"),
      "rename of a file to a slash": rename("full/file", "file/"),
      "rename of the root": rename(".", "x"),
      "rename of a file": rename("full/file", "file"),
      "link to a file": link("file", "hard"),
      "link over a file": link("file", "hard"),
      "link to a directory": link("dir2", "hard2"),
      "link with a slash": link("file", "hard2/"),
      "link that follows": link("file", "hard2", 1),
      symlink: symlink("file", "soft"),
      "symlink over a file": symlink("file", "hard"),
      "symlink with a slash": symlink("file", "soft2/"),
      "symlink over a directory with a slash": symlink("file", "dir2/"),
      "unlink of a directory": guest.onPath("path_unlink_file", "dir2"),
      "unlink of a directory with a slash": guest.onPath("path_unlink_file", "dir2/"),
      "unlink of a file with a slash": guest.onPath("path_unlink_file", "file/"),
      "unlink of nothing": guest.onPath("path_unlink_file", "nothing"),
      "unlink of a link": guest.onPath("path_unlink_file", "soft"),
      "rmdir of a file": guest.onPath("path_remove_directory", "file"),
      "rmdir of the root": guest.onPath("path_remove_directory", "."),
      "rmdir with a slash": guest.onPath("path_remove_directory", "dir2/"),
    };
    assert.deepEqual(results, {
      mkdir: "SUCCESS",
      "mkdir with a slash": "SUCCESS",
      "mkdir of what is there": "EXIST",
      "mkdir of itself": "EXIST",
      "mkdir below nothing": "NOENT",
      "rename to an empty directory": "SUCCESS",
      "rename to a full directory": "NOTEMPTY",
      "rename of a file to a directory": "ISDIR",
      "rename of a file with a slash": "NOTDIR",
      "rename of a file to a slash": "NOTDIR",
      "rename of the root": "BUSY",
      "rename of a file": "SUCCESS",
      "link to a file": "SUCCESS",
      "link over a file": "EXIST",
      "link to a directory": "PERM",
      "link with a slash": "NOENT",
      "link that follows": "INVAL",
      symlink: "SUCCESS",
      "symlink over a file": "EXIST",
      "symlink with a slash": "NOENT",
      "symlink over a directory with a slash": "EXIST",
      "unlink of a directory": "ISDIR",
      "unlink of a directory with a slash": "ISDIR",
      "unlink of a file with a slash": "NOTDIR",
      "unlink of nothing": "NOENT",
      "unlink of a link": "SUCCESS",
      "rmdir of a file": "NOTDIR",
      "rmdir of the root": "INVAL",
      "rmdir with a slash": "SUCCESS",
    });
    assert.deepEqual(
      guest.list(3).map((entry) => entry.name),
      [".", "..", "file", "full", "hard"],
    );
  });

  test(`a directory opened for writing, or created, is ISDIR or EXIST (${name})`, async () => {
    using it = await world(kind, { "dir/": "" });
    const { guest } = it;
    assert.equal(guest.open("dir", { rights: ALL_RIGHTS }).errno, "ISDIR");
    assert.equal(guest.open(".", { rights: ALL_RIGHTS }).errno, "ISDIR");
    assert.equal(guest.open("dir", { open: CREATE }).errno, "ISDIR");
    assert.equal(guest.open("dir", { open: CREATE | EXCLUSIVE }).errno, "EXIST");
    assert.equal(guest.open("new/", { open: CREATE }).errno, "ISDIR");
    assert.equal(guest.open("dir", { open: CREATE | DIRECTORY }).errno, "INVAL");
    assert.equal(guest.open("dir", { open: 16 }).errno, "INVAL");
    assert.equal(guest.open("dir", { flags: 32 }).errno, "INVAL");
  });

  test(`a listing that has begun is not disturbed by what is created meanwhile (${name})`, async () => {
    using it = await world(kind, { a: "", c: "" });
    const { guest } = it;
    const [buffer, result] = [guest.allocate(512), guest.allocate(4)];
    assert.equal(guest.call("fd_readdir", 3, buffer, 25 + 26, 0, result), "SUCCESS");
    guest.open("b", { open: CREATE });
    assert.equal(guest.call("fd_readdir", 3, buffer, 512, 2, result), "SUCCESS");
    assert.equal(guest.memory.readU32(result), 2 * 25);
    assert.equal(guest.list(3).length, 5);
  });
}

test("rights can be given up, and never got back", async () => {
  using it = await world({ kind: "live", access: "write" }, { file: "x" });
  const { guest } = it;
  const stat = guest.allocate(24);
  const rightsOf = (fd: number) => {
    assert.equal(guest.call("fd_fdstat_get", fd, stat), "SUCCESS");
    return { base: guest.memory.readU64(stat + 8), inheriting: guest.memory.readU64(stat + 16) };
  };
  const before = rightsOf(3);
  const SET_SIZE = 1n << 19n;
  assert.equal(guest.call("fd_fdstat_set_rights", 3, before.base & ~SET_SIZE, before.inheriting), "SUCCESS");
  assert.equal(guest.call("fd_fdstat_set_rights", 3, before.base, before.inheriting), "NOTCAPABLE");
  assert.equal(guest.call("fd_fdstat_set_rights", 3, 1n << 63n, 0), "NOTCAPABLE");
  assert.equal(guest.open("file", { open: TRUNCATE }).errno, "NOTCAPABLE");
  assert.equal(guest.open("file", { rights: ALL_RIGHTS }).errno, "SUCCESS");
  assert.equal(guest.call("fd_fdstat_set_rights", 3, before.base & ~SET_SIZE, 0), "SUCCESS");
  const { fd } = guest.open("file", { rights: ALL_RIGHTS });
  assert.deepEqual(rightsOf(fd), { base: 0n, inheriting: 0n });
});

test("mounts that nest are preopens of their own, in the order of their paths", async () => {
  using folder = new TemporaryFolder({ "root/file": "root", "data/file": "data", "deep/file": "deep" });
  using mounted = new DisposableStack();
  const mounts = [
    await mount(mounted, folder.join("deep"), { guestPath: "/mnt/deep" }),
    await mount(mounted, folder.join("root"), { guestPath: "/", kind: "snapshot" }),
    await mount(mounted, folder.join("data"), { guestPath: "/mnt" }),
  ];
  using guest = new AbiGuest({ mounts });
  const [stat, name] = [guest.allocate(8), guest.allocate(32)];
  const names: string[] = [];
  for (let fd = 3; guest.call("fd_prestat_get", fd, stat) === "SUCCESS"; fd++) {
    const length = guest.memory.readU32(stat + 4);
    assert.equal(guest.call("fd_prestat_dir_name", fd, name, length - 1), "NAMETOOLONG");
    assert.equal(guest.call("fd_prestat_dir_name", fd, name, length), "SUCCESS");
    names.push(guest.memory.readText(name, length));
  }
  assert.deepEqual(names, ["/", "/mnt", "/mnt/deep"]);
  assert.deepEqual(
    [3, 4, 5].map((fd) => guest.contents("file", { fd })),
    ["root", "data", "deep"],
  );
  assert.equal(
    guest.open("mnt").errno,
    "NOENT",
    "a listing shows what is on disk, not what is mounted on it",
  );
});

test("fd_renumber moves a descriptor over another, which is closed", async () => {
  using it = await world({ kind: "live", access: "write" }, { a: "A", b: "B" });
  const { guest } = it;
  const [a, b] = [guest.open("a").fd, guest.open("b").fd];
  assert.equal(guest.call("fd_renumber", a, b), "SUCCESS");
  assert.equal(guest.read(b), "A");
  assert.equal(guest.read(a), "BADF");
  assert.equal(guest.call("fd_renumber", b, b), "SUCCESS");
  assert.equal(guest.call("fd_renumber", b, 99), "BADF");
  assert.equal(guest.call("fd_renumber", 99, b), "BADF");
  assert.equal(guest.call("fd_renumber", 1, b), "SUCCESS");
  assert.equal(guest.write(b, "to stdout"), 9);
  assert.equal(guest.stdout.text, "to stdout");
});

test("descriptors of the host are closed by the guest, by a replay, and at the end of the call", async () => {
  using it = await world({ kind: "live", access: "write" }, { "dir/file": "x" });
  const { guest } = it;
  const open = () => statSync("/proc/self/fd", { throwIfNoEntry: false }) && openDescriptors();
  const before = open();
  const file = guest.open("dir/file", { rights: ALL_RIGHTS, flags: APPEND });
  guest.write(file.fd, "y");
  guest.open("dir");
  guest.open("nothing/file");
  guest.open("dir/file/x");
  assert.equal(open(), before && before + 3, "a file, the same to append, a directory");
  guest.wasi.rewind();
  assert.equal(open(), before);
  guest.open("dir/file");
  guest.wasi[Symbol.dispose]();
  assert.equal(open(), before);
});

function openDescriptors(): number {
  let open = 0;
  for (let descriptor = 0; descriptor < 1024; descriptor++) {
    if (statSync(`/proc/self/fd/${descriptor}`, { throwIfNoEntry: false })) open++;
  }
  return open;
}

test("only what was written to is marked as written", async () => {
  using it = await world({ kind: "snapshot", access: "read" }, { file: "x" });
  const { guest } = it;
  const { fd } = guest.open("file");
  const list = guest.allocate(8);
  guest.memory.writeU32(list, 16 * CARD_BYTES);
  guest.memory.writeU32(list + 4, 20 * CARD_BYTES);
  guest.takeMarks();
  assert.equal(guest.call("fd_read", fd, list, 1, 8 * CARD_BYTES), "SUCCESS");
  assert.deepEqual(guest.takeMarks(), [8, 16]);
});
