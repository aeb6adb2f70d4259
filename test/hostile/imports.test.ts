// Every function that a guest may import, driven with values that no honest guest gives.
//
// Whatever it is given, a function answers with an error of its own, or ends the guest; nothing else comes
// out of the host, and what the host wrote is undone for the next request. The values are the same in
// every run; a failure names the seed of its round.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Caller, type GuestMemory, TrapError } from "../../src/engine/mod.ts";
import type { ExecutionContext, RuntimeContext } from "../../src/runtime/mod.ts";
import type { ValueType } from "../../src/wasm/mod.ts";
import { serve } from "../executors/servers.ts";
import { Random } from "../fuzz/random.ts";
import { COMPONENT_ID, guestContext } from "../guest-context.ts";
import { hostFault } from "./host-fault.ts";
import { allImports, type DrivenImport, driverModule, LIE, PAGES } from "./import-driver.ts";

const ROUNDS = 50;
/** Functions of one call, the last of which may wait. */
const CALLS_MAX = 4;
const MEMORY_BYTES = PAGES.min * 65_536;

/** Where `furnish` puts what pointers may point to: texts, lists of texts, subscriptions, garbage. */
const FURNISHED = { start: 0x1000, end: 0x4000 } as const;

const owned = new AsyncDisposableStack();
after(() => owned.disposeAsync());
const directory = await mkdtemp(join(tmpdir(), "spindle-hostile-"));
owned.defer(() => rm(directory, { recursive: true }));
let requests = 0;
const server = owned.use(
  await serve((_request, response) => {
    requests++;
    response.end("answer");
  }),
);

const IMPORTS = allImports();

/** Lengths, counts, descriptors, flags and pointers at all their edges. */
const EDGES = [
  ...[
    0, 1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 24, 48, 64, 255, 256, 1023, 1024, 1025, 2048, 2049, 4095, 4096, 4097,
  ],
  ...[
    65_535, 65_536, 0x7fff_fffe, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_fff8, 0xffff_fffe, 0xffff_ffff,
  ],
  ...[-64, -32, -24, -16, -8, -7, -4, -3, -2, -1, 0, 1].map((distance) => MEMORY_BYTES + distance),
];
const WIDE_EDGES = [
  0n,
  1n,
  -1n,
  2n ** 31n,
  2n ** 32n,
  2n ** 52n,
  2n ** 53n,
  2n ** 63n - 1n,
  -(2n ** 63n),
  1000n,
];

/** Texts that functions take for something: paths, URLs, methods, headers, what is no text at all. */
const TEXTS = [
  "file.txt",
  "new.txt",
  "folder",
  "..",
  "/",
  ".",
  "folder/../../etc/passwd",
  "a\0b",
  "x".repeat(300),
  "\xff\xfe",
  `${server.origin}/`,
  `http://127.0.0.1:${server.port + 1}/`,
  "http://[::1/",
  "self.alt",
  "/self",
  "GET",
  "CONNECT",
  "NO METHOD",
  "x-name:value\nx-other",
  "",
];

/** Each text has a place of its own. */
const TEXT_BYTES = 304;
const PIECES = TEXTS.map((text, index) => [FURNISHED.start + index * TEXT_BYTES, text.length] as const);
const LISTS = FURNISHED.start + TEXTS.length * TEXT_BYTES;

function piece(text: string): readonly [pointer: number, length: number] {
  return PIECES[TEXTS.indexOf(text)] ?? [0, 0];
}

const [NOTHING, RESULT] = [piece(""), FURNISHED.end + 64];
/** Calls that would succeed, to be spoilt in one place or two. */
const GOOD_CALLS: Readonly<Record<string, readonly (number | bigint)[]>> = {
  fd_pread: [5, LISTS, 2, 0n, RESULT],
  fd_pwrite: [5, LISTS, 2, 0n, RESULT],
  fd_read: [5, LISTS, 2, RESULT],
  fd_readdir: [6, RESULT + 8, 100, 0n, RESULT],
  fd_write: [1, LISTS, 2, RESULT],
  path_open: [3, 0, ...piece("file.txt"), 1, 2n, 2n, 0, RESULT],
  path_rename: [3, ...piece("file.txt"), 3, ...piece("new.txt")],
  path_symlink: [...piece("file.txt"), 3, ...piece("new.txt")],
  random_get: [RESULT, 64],
  req: [...piece(`${server.origin}/`), ...piece("GET"), ...NOTHING, ...NOTHING, RESULT, RESULT + 4],
  request: [0, ...piece(`${server.origin}/`), ...NOTHING, ...NOTHING, 0, ...NOTHING, RESULT],
};

class HostileValues {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Fills part of the memory with things that pointers may point to. */
  furnish(memory: GuestMemory): void {
    const random = this.#random;
    for (const [index, [pointer]] of PIECES.entries()) memory.writeLatin1(pointer, TEXTS[index] ?? "");
    // Pairs of pointer and length, most of them good: lists of texts, of headers, of buffers.
    for (let at = LISTS; at < FURNISHED.end; at += 8) {
      const [pointer, length] = random.oneIn(5) ? [this.#i32(), this.#i32()] : random.pick(PIECES);
      memory.writeU32(at, pointer);
      memory.writeU32(at + 4, random.oneIn(8) ? this.#i32() : length);
    }
    if (random.oneIn(4)) memory.writeU32(LIE, this.#i32());
  }

  argumentsOf({ name, type }: DrivenImport): readonly (number | bigint)[] {
    const good = GOOD_CALLS[name.split(" ")[1] ?? ""];
    const bad = this.#bad(type.params);
    if (!good || this.#random.oneIn(2)) return bad;
    const spoilt = [this.#random.below(good.length), this.#random.below(good.length)];
    return good.map((value, index) => (spoilt.includes(index) ? (bad[index] ?? value) : value));
  }

  #bad(types: readonly ValueType[]): (number | bigint)[] {
    const random = this.#random;
    const values: (number | bigint)[] = [];
    while (values.length < types.length) {
      const [type, next] = [types[values.length], types[values.length + 1]];
      if (type === "i64") values.push(this.#i64());
      // The first is most often a descriptor, a handle or a method; then come texts.
      else if (values.length === 0 && !random.oneIn(3)) values.push(random.below(9));
      else if (next === "i32" && random.oneIn(2)) values.push(...random.pick(PIECES));
      else values.push(this.#i32());
    }
    return values;
  }

  #i64(): bigint {
    return this.#random.oneIn(3) ? BigInt(this.#random.u32()) : this.#random.pick(WIDE_EDGES);
  }

  #i32(): number {
    const random = this.#random;
    switch (random.below(8)) {
      case 0:
        return random.u32() | 0;
      case 1:
      case 2:
      case 3:
        return random.between(LISTS, FURNISHED.end) & (random.oneIn(3) ? -1 : -8);
      case 4:
        return random.below(12);
      default:
        return random.pick(EDGES) | 0;
    }
  }
}

interface Round {
  readonly calls: readonly { readonly name: string; readonly args: readonly (number | bigint)[] }[];
}

/** The functions that are called: others at random, then the one that the round is about. */
function planRound(target: DrivenImport, random: Random, values: HostileValues): Round {
  const others = Array.from({ length: random.below(CALLS_MAX) }, () => random.pick(IMPORTS));
  return {
    calls: [...others, target].map((each) => ({ name: each.name, args: values.argumentsOf(each) })),
  };
}

async function runRound(
  context: ExecutionContext<undefined>,
  target: DrivenImport,
  seed: number,
): Promise<unknown> {
  const random = new Random(seed);
  const values = new HostileValues(random);
  const { calls } = planRound(target, random, values);
  const last = calls.at(-1);
  const opens = random.oneIn(2);
  // A replay is given the same memory.
  const memorySeed = random.u32();
  using prepared = context.prepare(COMPONENT_ID, undefined, {
    stdin: Buffer.from("input"),
    args: ["guest", "é"],
  });
  return await prepared.run({
    exportName: target.name,
    lower(caller) {
      assert.ok(isZero(caller.memory), "an earlier request has left something in memory");
      new HostileValues(new Random(memorySeed)).furnish(caller.memory);
      if (opens) openFiles(caller);
      for (const { name, args } of calls.slice(0, -1)) caller.call(name, ...args);
      return last?.args ?? [];
    },
    lift: (_caller, result) => result,
    exited: () => undefined,
  });
}

/** So that descriptors beyond those of the start are good: a file at 5, a directory at 6. */
function openFiles(caller: Caller<RuntimeContext<undefined>>): void {
  const [path, result] = [FURNISHED.start, FURNISHED.end + 8];
  const all = (1n << 30n) - 1n;
  caller.call("wasi_snapshot_preview1 path_open", 3, 0, path, "file.txt".length, 1, all, all, 0, result);
  caller.memory.write(FURNISHED.end + 16, Buffer.from("."));
  const readable = all & ~(1n << 6n);
  caller.call("wasi_snapshot_preview1 path_open", 3, 0, FURNISHED.end + 16, 1, 2, readable, all, 0, result);
}

function isZero(memory: GuestMemory): boolean {
  return Buffer.compare(memory.bytes, Buffer.alloc(memory.bytes.length)) === 0;
}

/** What comes out of a round that may: an errno, a code, nothing, or the guest's end. */
function complaint(target: DrivenImport, outcome: { readonly result?: unknown; readonly error?: unknown }) {
  if (outcome.error !== undefined) {
    const { error } = outcome;
    if (error instanceof TrapError && error.reason === "deadline") return "it does not end";
    return hostFault(error);
  }
  const { result } = outcome;
  if (target.type.results.length === 0) return result === undefined ? undefined : `it answers ${result}`;
  const isErrno = typeof result === "number" && Number.isInteger(result) && result >= 0 && result <= 76;
  // An exit before the function was called.
  return isErrno || result === undefined ? undefined : `it answers ${result}`;
}

const SETTINGS = [
  { gearing: "first", memory: "unshared", access: "write" },
  { gearing: "second", memory: "unshared", access: "read" },
  { gearing: "second", memory: "shared", access: "write" },
] as const;
for (const { gearing, memory, access } of SETTINGS) {
  const path = join(directory, `${memory}.wasm`);
  await writeFile(path, driverModule(IMPORTS, memory));

  test(`Imports with hostile values, in ${gearing} gear, of a guest with ${memory} memory and files to ${access}`, async () => {
    const folder = await mkdtemp(join(directory, "files-"));
    await writeFile(join(folder, "file.txt"), "contents");
    using context = await guestContext(path, {
      environment: { NAME: "é" },
      allowedHosts: [`*://127.0.0.1:${server.port}`],
      mounts: [
        { guestPath: "/", hostPath: folder, kind: "live", access },
        { guestPath: "/snapshot", hostPath: folder, kind: "snapshot", access: "read" },
      ],
      engine: { gearing },
    });
    for (const [index, target] of IMPORTS.entries()) {
      for (let round = 0; round < ROUNDS; round++) {
        const seed = index * 1000 + round;
        const outcome = await runRound(context, target, seed).then(
          (result) => ({ result }),
          (error: unknown) => ({ error }),
        );
        assert.equal(complaint(target, outcome), undefined, `${target.name}, seed ${seed}`);
      }
    }
    assert.ok(requests > 0, "Some values are good enough for a request");
  });
}
