// Arguments, environment, clocks, streams, and the functions that only say no.

import assert from "node:assert/strict";
import { test } from "node:test";

import { AbiGuest, Exited, mount } from "./abi-guest.ts";
import { TemporaryFolder } from "./temporary.ts";

/** Reads a list as a C program does: sizes, then pointers to strings that end with a NUL. */
function readStrings(guest: AbiGuest, what: "args" | "environ"): string[] {
  const sizes = guest.allocate(8);
  assert.equal(guest.call(`${what}_sizes_get`, sizes, sizes + 4), "SUCCESS");
  const [count, bytes] = [guest.memory.readU32(sizes), guest.memory.readU32(sizes + 4)];
  const [pointers, strings] = [guest.allocate(count * 4), guest.allocate(bytes)];
  assert.equal(guest.call(`${what}_get`, pointers, strings), "SUCCESS");
  const end = strings + bytes;
  return Array.from({ length: count }, (_, index) => {
    const start = guest.memory.readU32(pointers + index * 4);
    const rest = guest.memory.read(start, end - start);
    return rest.subarray(0, rest.indexOf(0)).toString();
  });
}

const lists = [
  { args: [], because: "handlers get none" },
  { args: ["/path", ""], because: "an argument may be empty" },
  { args: ["é", "🦀", "a b"], because: "lengths are those of UTF-8" },
  { args: ["cut\0off", "next"], because: "a NUL ends a string, and the next one begins where it should" },
];
for (const { args, because } of lists) {
  test(`args_get gives ${JSON.stringify(args)}: ${because}`, () => {
    using guest = new AbiGuest({ call: { args } });
    assert.deepEqual(
      readStrings(guest, "args"),
      args.map((arg) => arg.split("\0")[0]),
    );
  });
}

test("environ_get gives the component's entries, then those of the call, which stay apart", () => {
  using guest = new AbiGuest({
    environment: { A: "1", É: "🦀" },
    call: {
      environment: [
        ["A", "2"],
        ["EMPTY", ""],
      ],
    },
  });
  assert.deepEqual(readStrings(guest, "environ"), ["A=1", "É=🦀", "A=2", "EMPTY="]);
});

test("clock_time_get and clock_res_get know two clocks, and no clocks of CPU time", () => {
  using guest = new AbiGuest();
  const at = guest.allocate(8);
  for (const [id, errno] of ["SUCCESS", "SUCCESS", "INVAL", "INVAL", "INVAL"].entries()) {
    assert.equal(guest.call("clock_time_get", id, 0, at), errno);
    assert.equal(guest.call("clock_res_get", id, at), errno);
  }
  guest.call("clock_time_get", 0, 0, at);
  const seconds = Number(guest.memory.readU64(at) / 1_000_000_000n);
  assert.ok(Math.abs(seconds - Date.now() / 1000) < 60);
});

test("standard input is read to its end, and never beyond", () => {
  using guest = new AbiGuest({ call: { stdin: Buffer.from("é🦀") } });
  assert.deepEqual(
    [guest.read(0, 3), guest.read(0, 100), guest.read(0, 100)],
    ["é\ufffd", "\ufffd\ufffd\ufffd", ""],
  );
});

test("streams are neither files nor terminals", () => {
  using guest = new AbiGuest();
  const stat = guest.allocate(64);
  for (const fd of [0, 1, 2]) {
    assert.equal(guest.call("fd_fdstat_get", fd, stat), "SUCCESS");
    assert.equal(guest.memory.readU8(stat), 0);
    assert.equal(guest.call("fd_filestat_get", fd, stat), "SUCCESS");
    assert.equal(guest.memory.readU8(stat + 16), 0);
    assert.equal(guest.call("fd_seek", fd, 0, 1, stat), "SPIPE");
    assert.equal(guest.call("fd_tell", fd, stat), "SPIPE");
    assert.equal(guest.call("fd_advise", fd, 0, 0, 0), "SPIPE");
    assert.equal(guest.call("fd_filestat_set_size", fd, 0), "SPIPE");
    assert.equal(guest.call("fd_prestat_get", fd, stat), "BADF");
  }
  assert.equal(guest.call("fd_pwrite", 1, 0, 0, 0, 8), "SPIPE");
  assert.equal(guest.call("fd_pread", 0, 0, 0, 0, 8), "SPIPE");
  assert.equal(guest.read(1), "BADF");
  assert.equal(guest.write(0, "x"), "BADF");
});

test("a guest that closes its streams is told so when it uses them", () => {
  using guest = new AbiGuest();
  assert.equal(guest.call("fd_close", 1), "SUCCESS");
  assert.equal(guest.call("fd_close", 1), "BADF");
  assert.equal(guest.write(1, "x"), "BADF");
});

for (const code of [0, 1, 33, 255, 2 ** 32 - 1]) {
  test(`proc_exit(${code}) ends the guest with that code`, () => {
    using guest = new AbiGuest();
    assert.throws(() => guest.call("proc_exit", code), new Exited(code));
  });
}

test("sockets: NOTSOCK for what is open, BADF for what is not", async () => {
  using folder = new TemporaryFolder();
  using mounted = new DisposableStack();
  using guest = new AbiGuest({ mounts: [await mount(mounted, folder.path)] });
  for (const name of ["sock_accept", "sock_recv", "sock_send", "sock_shutdown"]) {
    for (const fd of [0, 1, 3]) assert.equal(guest.call(name, fd), "NOTSOCK");
    for (const fd of [4, -1]) assert.equal(guest.call(name, fd), "BADF");
  }
});

test("proc_raise is NOTSUP, sched_yield succeeds", () => {
  using guest = new AbiGuest();
  assert.equal(guest.call("proc_raise", 6), "NOTSUP");
  assert.equal(guest.call("sched_yield"), "SUCCESS");
});

test("fd_fdstat_set_flags takes APPEND and NONBLOCK, and refuses to synchronise what is open", () => {
  using guest = new AbiGuest();
  const set = (flags: number) => guest.call("fd_fdstat_set_flags", 1, flags);
  assert.deepEqual([set(1), set(4), set(5), set(0)], Array(4).fill("SUCCESS"));
  assert.deepEqual([set(2), set(8), set(16), set(32), set(-1)], Array(5).fill("INVAL"));
});

test("wasi_unstable has the same functions, with layouts of its own", async () => {
  using folder = new TemporaryFolder({ file: "12345" });
  using mounted = new DisposableStack();
  const mounts = [await mount(mounted, folder.path, { kind: "snapshot", access: "read" })];
  using guest = new AbiGuest({ mounts, generation: "wasi_unstable" });
  const at = guest.allocate(64);
  guest.memory.write(at, new Uint8Array(64).fill(0xaa));
  const { fd } = guest.open("file");
  assert.equal(guest.call("fd_filestat_get", fd, at), "SUCCESS");
  assert.equal(guest.memory.readU8(at + 16), 4);
  assert.equal(guest.memory.readU32(at + 20), 1);
  assert.equal(guest.memory.readU64(at + 24), 5n);
  assert.deepEqual([...guest.memory.read(at + 56, 8)], Array(8).fill(0xaa));
  // Whence: 0 from where it is, 1 from the end, 2 from the start.
  const seek = (offset: number, whence: number) => {
    assert.equal(guest.call("fd_seek", fd, offset, whence, at), "SUCCESS");
    return Number(guest.memory.readU64(at));
  };
  assert.deepEqual([seek(2, 2), seek(1, 0), seek(-1, 1)], [2, 3, 4]);
  assert.equal(guest.read(fd), "5");
});
