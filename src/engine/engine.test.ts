import assert from "node:assert/strict";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assembleText } from "../wasm/mod.ts";
import type { Caller, WasmValue } from "./caller.ts";
import { Engine, type EngineOptions } from "./engine.ts";
import { InstancePre, type InstancePreOptions } from "./instance-pre.ts";
import { type Invocation, SlotsExhaustedError, TrapError } from "./invocation.ts";
import { LinkError } from "./link-module.ts";
import { Linker } from "./linker.ts";
import { Store, type StoreOptions } from "./store.ts";

/** What the host functions of these tests see: a log that a replay begins anew. */
interface Data {
  readonly log: string[];
  commits: number;
  rewinds: number;
}

const engines: Engine[] = [];
after(() => {
  for (const engine of engines) engine[Symbol.dispose]();
});

async function setUp(
  text: string,
  options: {
    engine?: EngineOptions;
    pre?: Partial<InstancePreOptions<Data>>;
    link?: (linker: Linker<Data>) => void;
  } = {},
): Promise<{ engine: Engine; pre: InstancePre<Data> }> {
  const engine = new Engine(options.engine);
  engines.push(engine);
  const linker = new Linker<Data>();
  options.link?.(linker);
  const module = await engine.compile(await assembleText(text));
  const pre = InstancePre.ofModule({ engine, linker }, module, {
    name: "guest",
    hooks: {
      rewind(data) {
        data.log.length = 0;
        data.rewinds++;
      },
      commit(data) {
        data.commits++;
      },
      initialData: () => newData(),
    },
    ...options.pre,
  });
  return { engine, pre };
}

function newData(): Data {
  return { log: [], commits: 0, rewinds: 0 };
}

/** Calls an export that takes and returns numbers, and gives the slot back. */
async function call(
  pre: InstancePre<Data>,
  exportName: string,
  args: readonly WasmValue[] = [],
  options: StoreOptions & { data?: Data; exited?: (code: number) => WasmValue } = {},
): Promise<WasmValue> {
  using instance = pre.instantiate(new Store(options.data ?? newData(), options));
  const { exited } = options;
  return await instance.run<WasmValue>({
    exportName,
    lower: () => args,
    lift: (_caller, result) => result,
    ...(exited && { exited: (_caller: Caller<Data>, code: number) => exited(code) }),
  });
}

const COUNTER = `(module
  (memory (export "memory") 1 10) (data (i32.const 8) "\\05")
  (global $calls (mut i32) (i32.const 0))
  (func (export "count") (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.store8 (i32.const 8) (i32.add (i32.load8_u (i32.const 8)) (i32.const 1)))
    (i64.store (i32.const 65528) (i64.const -1)) (drop (memory.grow (i32.const 1)))
    (i32.store (i32.const 70000) (i32.add (i32.load (i32.const 70000)) (i32.const 1)))
    (i32.add (i32.mul (global.get $calls) (i32.const 10000))
      (i32.add (i32.mul (memory.size) (i32.const 1000))
        (i32.add (i32.mul (i32.load (i32.const 70000)) (i32.const 100)) (i32.load8_u (i32.const 8)))))))`;

test("InstancePre gives every call memory, globals and size like new, from one recycled slot", async () => {
  const { pre } = await setUp(COUNTER);
  for (let round = 0; round < 5; round++) assert.equal(await call(pre, "count"), 12106);
  assert.equal(pre.pool.live, 1);
});

test("Instance.run() answers synchronously when the guest waits for nothing", async () => {
  const { pre } = await setUp(COUNTER);
  using instance = pre.instantiate(new Store(newData()));
  const result = instance.run<WasmValue>({
    exportName: "count",
    lower: () => [],
    lift: (_caller, value) => value,
  });
  assert.equal(result, 12106);
});

test("Instance.run() loses nothing of an earlier call when a later one waits, and initialises once", async () => {
  const text = `(module
    (import "host" "wait" (func $wait (result i32)))
    (import "host" "differs" (func $differs (result i32)))
    (memory (export "memory") 1) (global $n (mut i32) (i32.const 0))
    (func (export "_initialize") (global.set $n (i32.add (global.get $n) (call $differs))))
    (func (export "add") (param i32) (result i32)
      (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (local.get 0)))
      (i32.add (i32.load (i32.const 0)) (global.get $n)))
    (func (export "wait, add") (param i32) (result i32)
      (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (local.get 0)))
      (drop (call $wait))
      (i32.add (i32.load (i32.const 0)) (global.get $n))))`;
  const { pre } = await setUp(text, {
    link(linker) {
      linker.func("host", "differs", "-> i32", () => 1000);
      linker.suspending("host", "wait", "-> i32", (caller) => {
        caller.shift();
        return Promise.resolve(0);
      });
    },
  });
  const data = newData();
  using instance = pre.instantiate(new Store(data));
  const run = (exportName: string, arg: number) =>
    instance.run<WasmValue>({ exportName, lower: () => [arg], lift: (_caller, result) => result });
  assert.equal(await run("add", 1), 1001);
  assert.equal(await run("wait, add", 20), 1021);
  assert.equal(await run("add", 300), 1321);
  assert.equal(data.rewinds, 0);
});

const WAITER = `(module
  (import "host" "note" (func $note (param i32)))
  (import "host" "wait" (func $wait (param i32 i64) (result i64)))
  (memory (export "memory") 1) (global $n (mut i32) (i32.const 0))
  (func (export "run") (param i32) (result i32)
    (global.set $n (i32.add (global.get $n) (i32.const 1)))
    (call $note (i32.const 1))
    (i32.store (i32.const 0) (i32.wrap_i64 (call $wait (local.get 0) (i64.const 40))))
    (call $note (i32.const 2))
    (i32.add (i32.load (i32.const 0)) (global.get $n))))`;

function linkWaiter(
  linker: Linker<Data>,
  wait: (caller: Caller<Data>, ms: number) => Promise<bigint> | bigint,
): void {
  linker.func("host", "note", "i32 ->", (caller, n: number) => {
    caller.data.log.push(`note ${n}`);
    return undefined;
  });
  linker.suspending("host", "wait", "i32 i64 -> i64", (caller, ms: number, plus: bigint) => {
    const waited = wait(caller, ms);
    return waited instanceof Promise ? waited.then((value) => value + plus) : waited + plus;
  });
}

test("A host function that returns a promise without a shift ends the call, and has waited for nothing", async () => {
  let waits = 0;
  const { pre } = await setUp(WAITER, {
    link: (linker) =>
      linkWaiter(linker, async (caller, ms) => {
        caller.shift();
        waits++;
        await sleep(ms);
        return 1n;
      }),
  });
  // An async function would have shifted too late: its throw is a rejected promise.
  const data = newData();
  await assert.rejects(call(pre, "run", [1], { data }), TrapError);
  assert.equal(waits, 0);
});

test("A host function that shifts before it waits takes effect once", async () => {
  let waits = 0;
  const { pre } = await setUp(WAITER, {
    link: (linker) =>
      linkWaiter(linker, (caller, ms) => {
        caller.shift();
        waits++;
        return sleep(ms, 1n);
      }),
  });
  const data = newData();
  assert.equal(await call(pre, "run", [1], { data }), 42);
  assert.equal(waits, 1);
  assert.deepEqual(data, { log: ["note 1", "note 2"], commits: 1, rewinds: 1 });
  assert.equal(await call(pre, "run", [1]), 42);
});

test("A suspending import that need not wait stays in first gear", async () => {
  const { pre } = await setUp(WAITER, { link: (linker) => linkWaiter(linker, () => 1n) });
  const data = newData();
  assert.equal(await call(pre, "run", [0], { data }), 42);
  assert.equal(data.rewinds, 0);
});

test("A guest that waits blocks no other call", async () => {
  const { pre } = await setUp(WAITER, {
    link: (linker) =>
      linkWaiter(linker, (caller, ms) => {
        if (ms === 0) return 1n;
        caller.shift();
        return new Promise((resolve) => held.push(() => resolve(1n)));
      }),
  });
  const held: (() => void)[] = [];
  const slow = call(pre, "run", [1]);
  assert.equal(await call(pre, "run", [0]), 42);
  assert.equal(held.length, 1);
  held[0]?.();
  assert.equal(await slow, 42);
});

for (const shiftAt of [0, 1, 2]) {
  test(`A shift forced at host call ${shiftAt} changes neither answer nor log`, async () => {
    const link = (linker: Linker<Data>) => linkWaiter(linker, () => 1n);
    const forced = await setUp(WAITER, { engine: { forcesShift: (hostCall) => hostCall === shiftAt }, link });
    const second = await setUp(WAITER, { engine: { gearing: "second" }, link });
    const [a, b] = [newData(), newData()];
    assert.equal(
      await call(forced.pre, "run", [0], { data: a }),
      await call(second.pre, "run", [0], { data: b }),
    );
    assert.deepEqual(a.log, b.log);
    assert.equal(a.rewinds, 1);
  });
}

const MISBEHAVING = `(module
  (import "host" "fail" (func $fail)) (import "host" "exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func $deep (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0))))
  (func (export "trap") (result i32) unreachable)
  (func $inner (i32.store (i32.const 70000) (i32.const 1)))
  (func (export "outside") (result i32) (call $inner) (i32.const 0))
  (func (export "loop") (result i32) (loop $l (br $l)) (i32.const 0))
  (func (export "recurse") (result i32) (call $deep (i32.const 0)))
  (func (export "exit") (param i32) (result i32) (call $exit (local.get 0)) (i32.const 0))
  (func (export "catch") (result i32) (try (do (call $fail)) (catch_all)) (i32.const 7))
  (func (export "fine") (result i32) (i32.const 1)))`;

function linkMisbehaving(linker: Linker<Data>): void {
  linker.func("host", "fail", "->", () => {
    throw new Error("the host failed");
  });
  linker.func("host", "exit", "i32 ->", (caller, code: number) => caller.exit(code));
}

const failures = [
  { export: "trap", reason: "trap", message: /unreachable/ },
  { export: "outside", reason: "trap", message: /out of bounds/ },
  { export: "catch", reason: "trap", message: /the host failed/ },
  { export: "recurse", reason: "stack-overflow", message: /stack/ },
  { export: "exit", reason: "exit", message: /exited with code 3/, args: [3] },
  { export: "loop", reason: "deadline", message: /longer than 100 ms/ },
] as const;
for (const failure of failures) {
  test(`A guest that ends by ${failure.reason} in "${failure.export}" fails its own call only`, async () => {
    const { pre, engine } = await setUp(MISBEHAVING, { link: linkMisbehaving });
    const args = "args" in failure ? failure.args : [];
    await assert.rejects(call(pre, failure.export, args, { wallTimeMs: 100 }), (error) => {
      assert.ok(error instanceof TrapError);
      assert.equal(error.reason, failure.reason);
      assert.match(error.message, failure.message);
      assert.equal(error.exportName, failure.export);
      return true;
    });
    assert.equal(await call(pre, "fine"), 1);
    assert.ok(engine.memories <= 4);
  });
}

test("A slot in which a guest trapped is like new, and no memory is made for the next call", async () => {
  const { pre } = await setUp(`(module (memory (export "memory") 1 9) (global $n (mut i32) (i32.const 0))
    (func (export "trap") (drop (memory.grow (i32.const 2))) (memory.fill (i32.const 0) (i32.const 7) (i32.const 196608))
      (global.set $n (i32.const 1)) unreachable)
    (func (export "sum") (result i32)
      (i32.add (i32.add (memory.size) (global.get $n)) (i32.load8_u (i32.const 65535)))))`);
  for (let round = 0; round < 3; round++) {
    await assert.rejects(call(pre, "trap"), TrapError);
    assert.equal(await call(pre, "sum"), 1);
  }
  assert.equal(pre.pool.live, 1);
});

test("TrapError.backtrace names the frames of the original module, innermost first", async () => {
  const { pre } = await setUp(MISBEHAVING, { link: linkMisbehaving });
  await assert.rejects(call(pre, "outside"), (error) => {
    assert.ok(error instanceof TrapError);
    assert.match(error.backtrace[0] ?? "", /wasm-function\[4\]:0x[0-9a-f]+/);
    assert.match(error.backtrace[1] ?? "", /wasm-function\[5\]:0x[0-9a-f]+/);
    return true;
  });
});

test("An exit that the invocation expects gives its value, and the slot is used again", async () => {
  const { pre } = await setUp(MISBEHAVING, { link: linkMisbehaving });
  assert.equal(await call(pre, "exit", [5], { exited: (code) => code * 2 }), 10);
  assert.equal(await call(pre, "exit", [6], { exited: (code) => code * 2 }), 12);
  assert.equal(pre.pool.live, 1);
});

test("A guest that computes without end lets others run, and they are answered", async () => {
  const { pre } = await setUp(MISBEHAVING, { link: linkMisbehaving });
  const hog = call(pre, "loop", [], { wallTimeMs: 300 });
  const rejected = assert.rejects(hog, TrapError);
  for (let n = 0; n < 20; n++) assert.equal(await call(pre, "fine"), 1);
  await rejected;
});

/** Each turn of the loop looks whether the call is late, and then pauses for longer than a call may take. */
const PAUSED = `(module
  (import "host" "pause" (func $pause))
  (func (export "run") (param $pauses i32) (result i32)
    (loop
      (call $pause)
      (br_if 0 (local.tee $pauses (i32.sub (local.get $pauses) (i32.const 1)))))
    (i32.const 7)))`;

test("A call in first gear is replayed when it is late twice; once the system may have had the core", async () => {
  const thread = new Int32Array(new SharedArrayBuffer(4));
  const { pre } = await setUp(PAUSED, {
    engine: { gearing: "first" },
    link: (linker) =>
      linker.func("host", "pause", "->", () => {
        Atomics.wait(thread, 0, 0, 20);
      }),
  });
  // The first call lasts until the clock ticks, and starts it.
  for (const { pauses, rewinds } of [
    { pauses: 20, rewinds: 1 },
    { pauses: 2, rewinds: 0 },
    { pauses: 20, rewinds: 1 },
  ]) {
    const data = newData();
    assert.equal(await call(pre, "run", [pauses], { data }), 7);
    assert.equal(data.rewinds, rewinds, `${pauses} pauses`);
  }
});

test("A guest that loops in its allocator is ended although it cannot be suspended there", async () => {
  const { pre } = await setUp(MISBEHAVING, { link: linkMisbehaving });
  using instance = pre.instantiate(new Store(newData()));
  const invocation: Invocation<Data, WasmValue> = {
    exportName: "fine",
    lower: (caller) => [caller.call("loop")],
    lift: (_caller, result) => result,
  };
  await assert.rejects(async () => instance.run(invocation), /cannot be suspended/);
});

test("A host function that calls the guest's allocator after its wait can end it there too", async () => {
  const { pre } = await setUp(
    `(module (import "host" "wait" (func $wait (param i32 i64) (result i64))) (memory (export "memory") 1)
      (func (export "loop") (result i32) (loop $l (br $l)) (i32.const 0))
      (func (export "run") (result i32) (i32.wrap_i64 (call $wait (i32.const 1) (i64.const 0)))))`,
    {
      link: (linker) => {
        linker.suspending("host", "wait", "i32 i64 -> i64", (caller) => {
          caller.shift();
          // Longer than the epoch's thread stays awake without a running guest.
          return sleep(60).then(() => BigInt(Number(caller.call("loop"))));
        });
      },
    },
  );
  await assert.rejects(call(pre, "run"), /cannot be suspended/);
});

test("Aborting the signal ends a guest that waits and one that computes", async () => {
  const { pre } = await setUp(WAITER, {
    link: (linker) =>
      linkWaiter(linker, (caller) => {
        caller.shift();
        return new Promise((_, reject) => caller.signal.addEventListener("abort", reject));
      }),
  });
  const waiting = call(pre, "run", [1], { signal: AbortSignal.timeout(20) });
  await assert.rejects(waiting, (error) => error instanceof TrapError && error.reason === "cancelled");
  const hogs = await setUp(MISBEHAVING, { link: linkMisbehaving });
  const computing = call(hogs.pre, "loop", [], { signal: AbortSignal.timeout(20) });
  await assert.rejects(computing, (error) => error instanceof TrapError && error.reason === "cancelled");
});

const INITIALIZED = `(module
  (import "host" "stable" (func $stable (result i32))) (import "host" "clock" (func $clock (result i32)))
  (memory (export "memory") 1) (global $ready (mut i32) (i32.const 0))
  (func $init (export "_initialize")
    (global.set $ready (i32.add (global.get $ready) (i32.const 1)))
    (i32.store (i32.const 40) (call IMPORT)))
  (func (export "run") (result i32)
    (i32.store (i32.const 44) (i32.add (i32.load (i32.const 44)) (i32.const 1)))
    (i32.add (i32.load (i32.const 44)) (i32.add (i32.mul (i32.const 100) (global.get $ready)) (i32.load (i32.const 40))))))`;

for (const [name, perCall] of [
  ["stable", 0],
  ["clock", 1],
] as const) {
  test(`_initialize that asks for ${name} runs ${perCall === 0 ? "once" : "in each call"}`, async () => {
    let asked = 0;
    const { pre } = await setUp(INITIALIZED.replace("IMPORT", `$${name}`), {
      link: (linker) => {
        const answer = () => {
          asked++;
          return 7;
        };
        linker.func("host", "stable", "-> i32", answer).func("host", "clock", "-> i32", answer);
      },
      pre: { isStable: (_module, importName) => importName === "stable" },
    });
    const before = asked;
    for (let round = 1; round <= 3; round++) {
      assert.equal(await call(pre, "run"), 108);
      assert.equal(asked - before, perCall * round);
    }
  });
}

test("A module whose table can change gets a fresh instance for every call", async () => {
  const { pre } = await setUp(`(module (table 2 funcref) (elem (i32.const 0) $one $two)
    (memory (export "memory") 1) (data (i32.const 0) "\\07")
    (type $t (func (result i32))) (func $one (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))
    (func (export "run") (result i32) (local i32)
      (local.set 0 (i32.add (call_indirect (type $t) (i32.const 0)) (i32.load8_u (i32.const 0))))
      (table.copy (i32.const 0) (i32.const 1) (i32.const 1)) (i32.store8 (i32.const 0) (i32.const 9))
      (local.get 0)))`);
  assert.equal(pre.isRecyclable, false);
  for (let round = 0; round < 3; round++) assert.equal(await call(pre, "run"), 8);
});

test("InstancePre refuses a module with every import that it lacks or has with another type", async () => {
  const text = `(module (import "host" "fail" (func (param i32))) (import "env" "memory" (memory 1))
    (import "other" "f" (func)))`;
  await assert.rejects(setUp(text, { link: linkMisbehaving }), (error) => {
    assert.ok(error instanceof LinkError);
    assert.deepEqual(
      error.problems.map((problem) => [problem.import.name, problem.reason]),
      [
        ["fail", "type"],
        ["memory", "unknown"],
        ["f", "unknown"],
      ],
    );
    return true;
  });
});

test("InstancePre.instantiate() throws SlotsExhaustedError where the process may have no more memories", async () => {
  const { pre } = await setUp(COUNTER, { engine: { memoriesMax: 4 } });
  using _first = pre.instantiate(new Store(newData()));
  using _second = pre.instantiate(new Store(newData()));
  assert.throws(() => pre.instantiate(new Store(newData())), SlotsExhaustedError);
});

test("memory.grow answers -1 beyond the cap of the component", async () => {
  const { pre } = await setUp(
    `(module (memory (export "memory") 1)
      (func (export "run") (param i32) (result i32) (memory.grow (local.get 0))))`,
    { pre: { memoryPagesMax: 3 } },
  );
  assert.equal(await call(pre, "run", [2]), 1);
  assert.equal(await call(pre, "run", [3]), -1);
});

test("Giving an instance back while its guest waits ends the guest and drops the slot", async () => {
  const { pre } = await setUp(WAITER, {
    link: (linker) =>
      linkWaiter(linker, (caller) => {
        caller.shift();
        return new Promise(() => undefined);
      }),
  });
  const instance = pre.instantiate(new Store(newData()));
  const running = instance.run<WasmValue>({
    exportName: "run",
    lower: () => [1],
    lift: (_caller, value) => value,
  });
  await sleep(5);
  instance[Symbol.dispose]();
  await assert.rejects(
    async () => running,
    (error) => error instanceof TrapError && error.reason === "cancelled",
  );
  assert.ok(pre.pool.live <= 1);
});

test("Engine.kept() resolves when the next engine need not rewrite what this one has", async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "spindle-engine-"));
  const bytes = await assembleText("(module (memory 1) (func (i32.store (i32.const 0) (i32.const 1))))");
  const options = { cacheDirectory: directory.path };
  using first = new Engine(options);
  assert.ok((await first.compile(bytes)).madeIn.rewriteMs > 0);
  await first.kept();
  using second = new Engine(options);
  assert.equal((await second.compile(bytes)).madeIn.rewriteMs, 0);
});
