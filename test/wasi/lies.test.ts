// Guests that lie: pointers outside of memory, counts that overflow, numbers that mean nothing.

import assert from "node:assert/strict";
import { test } from "node:test";

import { AbiGuest, Exited, mount } from "./abi-guest.ts";
import { TemporaryFolder } from "./temporary.ts";

const MEMORY_BYTES = 4 * 65536;

const faults = [
  { call: ["args_sizes_get", MEMORY_BYTES, 0], because: "the count is written just past the end" },
  { call: ["args_sizes_get", 0, MEMORY_BYTES - 3], because: "the size straddles the end" },
  { call: ["environ_get", -4, 0], because: "a pointer of 2^32-4 is not one of -4" },
  { call: ["environ_get", 0, MEMORY_BYTES - 2], because: "the entries straddle the end" },
  { call: ["clock_time_get", 0, 0, MEMORY_BYTES - 7], because: "the time straddles the end" },
  { call: ["clock_res_get", 0, -1], because: "the resolution is outside" },
  { call: ["random_get", MEMORY_BYTES - 1, 2], because: "the buffer straddles the end" },
  { call: ["random_get", 0, -1], because: "a length of 2^32-1 is longer than memory" },
  { call: ["fd_write", 1, 0, 0x8000_0000, 8], because: "2^31 buffers do not fit in memory" },
  { call: ["fd_write", 1, 0, -1, 8], because: "2^32-1 buffers do not fit in memory" },
  { call: ["fd_write", 1, MEMORY_BYTES - 4, 1, 8], because: "the list straddles the end" },
  { call: ["fd_read", 0, -8, 1, 8], because: "the list is outside" },
  { call: ["fd_fdstat_get", 1, MEMORY_BYTES - 23], because: "the structure straddles the end" },
  { call: ["fd_filestat_get", 1, MEMORY_BYTES - 63], because: "the structure straddles the end" },
  { call: ["fd_prestat_get", 3, MEMORY_BYTES - 7], because: "the structure straddles the end" },
  { call: ["fd_prestat_dir_name", 3, MEMORY_BYTES, 1], because: "the name is written past the end" },
  { call: ["fd_readdir", 3, 0, MEMORY_BYTES + 1, 0, 8], because: "the buffer is longer than memory" },
  { call: ["fd_readdir", 3, 0, 64, 0, -1], because: "the result is outside" },
  { call: ["path_open", 3, 0, -1, 1, 0, 0, 0, 0, 8], because: "the path is outside" },
  { call: ["path_open", 3, 0, 0, -1, 0, 0, 0, 0, 8], because: "a length of 2^32-1 is longer than memory" },
  { call: ["path_filestat_get", 3, 0, MEMORY_BYTES, 1, 0], because: "the path is outside" },
  { call: ["path_readlink", 3, -1, 4, 0, 8, 8], because: "the path is outside" },
  { call: ["poll_oneoff", 0, 0, 0x8000_0000, 8], because: "2^31 subscriptions do not fit in memory" },
  { call: ["poll_oneoff", 0, MEMORY_BYTES - 31, 1, 8], because: "the event straddles the end" },
] as const;

for (const { call, because } of faults) {
  const [name, ...args] = call;
  test(`${name}(${args.join(", ")}) is FAULT: ${because}`, async () => {
    using folder = new TemporaryFolder();
    using mounted = new DisposableStack();
    using guest = new AbiGuest({
      mounts: [await mount(mounted, folder.path)],
      environment: { A: "1" },
    });
    assert.equal(guest.call(name, ...args), "FAULT");
  });
}

test("fd_write checks every buffer before it prints the first", () => {
  using guest = new AbiGuest();
  const [pointer, length] = guest.text("first");
  const list = guest.allocate(16);
  guest.memory.writeU32(list, pointer);
  guest.memory.writeU32(list + 4, length);
  guest.memory.writeU32(list + 8, MEMORY_BYTES - 1);
  guest.memory.writeU32(list + 12, 2);
  assert.equal(guest.call("fd_write", 1, list, 2, 8), "FAULT");
  assert.equal(guest.stdout.text, "");
});

for (const { count, errno } of [
  { count: 1024, errno: "SUCCESS" },
  { count: 1025, errno: "INVAL" },
]) {
  test(`fd_write answers ${errno} for ${count} buffers`, () => {
    using guest = new AbiGuest();
    const list = guest.allocate(count * 8);
    assert.equal(guest.call("fd_write", 1, list, count, 8), errno);
  });
}

for (const { count, errno } of [
  { count: 1023, errno: "SUCCESS" },
  { count: 1024, errno: "INVAL" },
]) {
  test(`fd_write answers ${errno} for ${count} times the same 4 MiB, because a length has 32 bits`, () => {
    using guest = new AbiGuest({ pages: 65, call: { stdout: { held: false, write() {} } } });
    const list = guest.allocate(count * 8);
    for (let index = 0; index < count; index++) guest.memory.writeU32(list + index * 8 + 4, 4 * 1024 * 1024);
    assert.equal(guest.call("fd_write", 1, list, count, 8), errno);
  });
}

test("fd_read gets its list right even if it reads over it", () => {
  using guest = new AbiGuest({ call: { stdin: new Uint8Array(16).fill(0xff) } });
  const list = guest.allocate(16);
  // The first buffer is the second entry of the list.
  guest.memory.writeU32(list, list + 8);
  guest.memory.writeU32(list + 4, 8);
  guest.memory.writeU32(list + 8, 8);
  guest.memory.writeU32(list + 12, 4);
  assert.equal(guest.call("fd_read", 0, list, 2, 0), "SUCCESS");
  assert.equal(guest.memory.readU32(0), 12);
});

test("a path that is not UTF-8 is ILSEQ", async () => {
  using folder = new TemporaryFolder();
  using mounted = new DisposableStack();
  using guest = new AbiGuest({ mounts: [await mount(mounted, folder.path)] });
  guest.memory.write(0, Uint8Array.of(0x66, 0xff, 0xfe));
  assert.equal(guest.call("path_open", 3, 0, 0, 3, 0, 0, 0, 0, 8), "ILSEQ");
});

/** A small generator, so that a failure can be repeated. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  };
}

const VALUES = [
  0,
  1,
  2,
  3,
  4,
  5,
  8,
  16,
  64,
  255,
  1024,
  4096,
  MEMORY_BYTES - 8,
  MEMORY_BYTES - 1,
  MEMORY_BYTES,
];
const ROUNDS = 300;

for (const traversal of ["descriptors", "paths"] as const) {
  for (const access of ["read", "write"] as const) {
    test(`no function throws anything but an exit, whatever its arguments (${traversal}, ${access})`, async () => {
      using folder = new TemporaryFolder({ "a/b": "b", c: "c" });
      using mounted = new DisposableStack();
      const mounts = [await mount(mounted, folder.path, { access, traversal })];
      const next = randomNumbers(1);
      for (const name of AbiGuest.names()) {
        using guest = new AbiGuest({ mounts, environment: { A: "1" } });
        guest.memory.write(0, Buffer.from("a/b\0c\0..\0.\0"));
        // A poll that really waits ends at once.
        guest.abort.abort();
        for (let round = 0; round < ROUNDS; round++) {
          const args = AbiGuest.parametersOf(name).map(() => {
            const choice = next() % (VALUES.length + 4);
            return VALUES[choice] ?? (choice % 2 ? next() : -(next() % 10));
          });
          await guest.callLater(name, ...args).catch((error: unknown) => {
            const isExit = error instanceof Exited || (error instanceof Error && error.name === "AbortError");
            assert.ok(isExit, `${name}(${args.join(", ")}): ${error}`);
          });
        }
      }
    });
  }
}
