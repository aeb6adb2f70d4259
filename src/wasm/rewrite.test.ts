// What a guest sees must be the same, rewritten or not: results, traps, and memory.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type HarnessInstance, instantiate } from "../../test/suites/wasm-harness.ts";
import { readModule } from "./read-module.ts";
import { rewrite } from "./rewrite.ts";
import { CONTROL } from "./rewritten.ts";
import { assembleText } from "./text.ts";

type Call = readonly [name: string, ...args: (number | bigint)[]];

/** What a call gave: a result, or how it ended. */
function attempt(fn: unknown, args: readonly unknown[]): unknown {
  assert.ok(typeof fn === "function");
  try {
    return fn(...args);
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : error;
  }
}

/** Asserts that calls give the same, in order, in an original and a rewritten instance. */
function compare(
  bytes: Uint8Array,
  calls: readonly Call[],
  imports: WebAssembly.Imports = {},
): HarnessInstance {
  const original = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports;
  const rewritten = instantiate(bytes, imports);
  rewritten.tickAlways();
  for (const [name, ...args] of calls) {
    const expected = attempt(original[name], args);
    assert.deepEqual(
      attempt(rewritten.instance.exports[name], args),
      expected,
      `${name}(${args.join(", ")})`,
    );
  }
  const memory = original.memory;
  if (memory instanceof WebAssembly.Memory) {
    assert.equal(
      Buffer.compare(rewritten.memories[0]?.bytes ?? new Uint8Array(), new Uint8Array(memory.buffer)),
      0,
    );
  }
  return rewritten;
}

const MEMORY_64 = 2n ** 32n;

const cases: readonly { readonly what: string; readonly text: string; readonly calls: readonly Call[] }[] = [
  {
    what: "plain stores, inside and at the end of memory",
    text: `(memory (export "memory") 1)
      (func (export "i32") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
      (func (export "offset") (param i32 i32) (i32.store offset=65530 (local.get 0) (local.get 1)))
      (func (export "far") (param i32 i32) (i32.store offset=4294967295 (local.get 0) (local.get 1)))
      (func (export "f64") (param i32 f64) (f64.store offset=3 align=1 (i32.add (local.get 0) (i32.const 1)) (f64.neg (local.get 1))))
      (func (export "i64_32") (param i32 i64) (i64.store32 (local.get 0) (i64.mul (local.get 1) (local.get 1))))`,
    calls: [
      ["i32", 0, -1],
      ["i32", 65532, -2],
      ["i32", 65533, -3],
      ["i32", -1, -4],
      ["i32", -65536, -4],
      ["offset", 2, 5],
      ["offset", 3, 5],
      ["offset", -65529, 5],
      ["far", 1, 6],
      ["far", -1, 6],
      ["f64", 100, 1.5],
      ["f64", -4, 1.5],
      ["i64_32", 65532, 77n],
      ["i64_32", 65535, 77n],
    ],
  },
  {
    what: "memory.size and memory.grow up to the maximum",
    text: `(memory (export "memory") 1 3)
      (func (export "size") (result i32) (memory.size))
      (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
      (func (export "poke") (param i32) (i32.store8 (local.get 0) (i32.const 9)))`,
    calls: [
      ["grow", 0],
      ["poke", 65536],
      ["grow", 1],
      ["size"],
      ["poke", 65536],
      ["poke", 131072],
      ["grow", 2],
      ["grow", -1],
      ["grow", 65536],
      ["grow", 1],
      ["grow", 1],
      ["size"],
      ["poke", 196607],
      ["poke", 196608],
    ],
  },
  {
    what: "memory.fill, memory.copy and memory.init, empty, overlapping and out of bounds",
    text: `(memory (export "memory") 1) (data $d "passive data")
      (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
      (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
      (func (export "init") (param i32 i32 i32) (memory.init $d (local.get 0) (local.get 1) (local.get 2)))
      (func (export "drop") (data.drop $d))`,
    calls: [
      ["fill", 4090, 1, 10],
      ["fill", 65536, 1, 0],
      ["fill", 65537, 1, 0],
      ["fill", -1, 1, 0],
      ["fill", 65535, 1, 2],
      ["fill", -4096, 1, -1],
      ["fill", 1, 1, -1],
      ["fill", 0, 7, 65536],
      ["init", 10, 2, 5],
      ["init", 65536, 12, 0],
      ["init", 65536, 13, 0],
      ["init", 0, 0, 13],
      ["init", 65530, 0, 12],
      ["copy", 12, 10, 8],
      ["copy", 10, 12, 8],
      ["copy", 60000, 0, 5536],
      ["copy", 60000, 0, 5537],
      ["copy", 0, 60000, 5537],
      ["copy", 65536, 65536, 0],
      ["copy", 65537, 0, 0],
      ["copy", -1, -1, 2],
      ["drop"],
      ["init", 0, 0, 0],
      ["init", 0, 0, 1],
      ["init", 65536, 0, 0],
      ["init", 65537, 0, 0],
      ["drop"],
    ],
  },
  {
    what: "an active data segment counts as dropped",
    text: `(memory (export "memory") 1) (data $d (i32.const 5) "active")
      (func (export "init") (param i32 i32 i32) (memory.init $d (local.get 0) (local.get 1) (local.get 2)))
      (func (export "drop") (data.drop $d))`,
    calls: [["init", 0, 0, 0], ["init", 0, 0, 1], ["init", 0, 1, 0], ["drop"], ["init", 0, 0, 0]],
  },
  {
    what: "data segments are written in order, and a start function runs behind them",
    text: `(global $g (import "env" "base") i32) (memory (export "memory") 1)
      (global $h (mut i32) (i32.const 0))
      (data (i32.const 4) "aaaaaaaa") (data (global.get $g) "bb") (data (i32.add (global.get $g) (i32.const 1)) "c") (data (i32.const 65536) "")
      (func $start (global.set $h (i32.load (i32.const 8))))
      (start $start)
      (func (export "seen") (result i32) (global.get $h))`,
    calls: [["seen"]],
  },
  {
    what: "SIMD stores, whole and by lane",
    text: `(memory (export "memory") 1)
      (func (export "whole") (param i32 i64) (v128.store offset=1 (local.get 0) (i64x2.splat (local.get 1))))
      (func (export "lanes") (param i32 i32) (local v128) (local.set 2 (i32x4.splat (local.get 1)))
        (v128.store8_lane 3 (local.get 0) (local.get 2))
        (v128.store16_lane offset=2 1 (local.get 0) (i16x8.add (local.get 2) (local.get 2)))
        (v128.store32_lane offset=4 2 (i32.sub (local.get 0) (i32.const 1)) (local.get 2))
        (v128.store64_lane offset=9 1 (local.get 0) (local.get 2)))`,
    calls: [
      ["whole", 4085, -1n],
      ["whole", 65519, 5n],
      ["whole", 65520, 5n],
      ["lanes", 8190, 0x12345678],
      ["lanes", 65520, 1],
      ["lanes", 0, 1],
    ],
  },
  {
    what: "atomic accesses, misaligned ones too",
    text: `(memory (export "memory") 1 1)
      (func (export "store") (param i32 i64) (i64.atomic.store (local.get 0) (local.get 1)))
      (func (export "add") (param i32 i32) (result i32) (i32.atomic.rmw.add offset=4 (local.get 0) (i32.add (local.get 1) (i32.const 1))))
      (func (export "xchg8") (param i32 i64) (result i64) (i64.atomic.rmw8.xchg_u (i32.add (local.get 0) (i32.const 1)) (local.get 1)))
      (func (export "cmpxchg") (param i32 i32 i32) (result i32) (i32.atomic.rmw.cmpxchg (i32.mul (local.get 0) (i32.const 4)) (local.get 1) (local.get 2)))
      (func (export "cmpxchg64") (param i32 i64 i64) (result i64) (i64.atomic.rmw32.cmpxchg_u (local.get 0) (local.get 1) (local.get 2)))
      (func (export "notify") (param i32) (result i32) (memory.atomic.notify (local.get 0) (i32.const 1)) (atomic.fence))`,
    calls: [
      ["store", 4088, -1n],
      ["store", 4089, -1n],
      ["store", 65536, -1n],
      ["add", 4088, 5],
      ["add", 4088, 5],
      ["add", 4090, 5],
      ["xchg8", 4094, 300n],
      ["cmpxchg", 1024, 0, 7],
      ["cmpxchg", 1024, 7, 8],
      ["cmpxchg", 1024, 7, 9],
      ["cmpxchg64", 4096, 8n, 99n],
      ["notify", 0],
      ["notify", 65536],
    ],
  },
  {
    what: "memories with addresses of 64 bits",
    text: `(memory (export "memory") i64 1 3) (data $d "0123456789") (data (i64.const 65530) "end")
      (func (export "size") (result i64) (memory.size))
      (func (export "grow") (param i64) (result i64) (memory.grow (local.get 0)))
      (func (export "store") (param i64 i32) (i32.store offset=20 (local.get 0) (i32.add (local.get 1) (i32.const 1))))
      (func (export "far") (param i64 i64) (i64.store offset=0xffffffffffff0000 (local.get 0) (local.get 1)))
      (func (export "fill") (param i64 i32 i64) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
      (func (export "copy") (param i64 i64 i64) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
      (func (export "init") (param i64 i32 i32) (memory.init $d (local.get 0) (local.get 1) (local.get 2)))`,
    calls: [
      ["size"],
      ["store", 65512n, 1],
      ["store", 65513n, 1],
      ["store", -1n, 1],
      ["store", MEMORY_64, 1],
      ["far", 0n, 1n],
      ["far", 0x10000n, 1n],
      ["grow", 1n],
      ["grow", -1n],
      ["grow", MEMORY_64],
      ["grow", 2n],
      ["size"],
      ["fill", 65530n, 3, 20n],
      ["fill", 131072n, 3, 0n],
      ["fill", 131073n, 3, 0n],
      ["fill", MEMORY_64, 3, 1n],
      ["fill", -1n, 3, 2n],
      ["fill", 0n, 3, -1n],
      ["copy", 4090n, 65530n, 30n],
      ["copy", 0n, MEMORY_64, 1n],
      ["init", 131070n, 1, 2],
      ["init", 131070n, 1, 3],
      ["init", 0n, 5, 6],
    ],
  },
  {
    what: "several memories, of both kinds",
    text: `(memory (export "memory") 1) (memory $b i64 2 4) (memory $c 1)
      (data $d "initial")
      (func (export "init") (memory.init $b $d (i64.const 65533) (i32.const 0) (i32.const 7)) (memory.init $c $d (i32.const 3) (i32.const 1) (i32.const 3)))
      (func (export "store") (param i32 i64 i32)
        (i32.store (local.get 0) (local.get 2)) (i32.store $b offset=2 (local.get 1) (local.get 2)) (i32.store $c offset=16 (local.get 0) (local.get 2)))
      (func (export "to-a") (param i32 i64 i32) (memory.copy 0 $b (local.get 0) (local.get 1) (local.get 2)))
      (func (export "to-b") (param i64 i32 i32) (memory.copy $b $c (local.get 0) (local.get 1) (local.get 2)))
      (func (export "load") (param i64) (result i64) (i64.load $b (local.get 0)))
      (func (export "sizes") (result i32) (i32.add (memory.size $c) (i32.wrap_i64 (memory.size $b))))
      (func (export "grow") (result i64) (i64.add (memory.grow $b (i64.const 1)) (i64.extend_i32_s (memory.grow $c (i32.const 2)))))`,
    calls: [
      ["init"],
      ["store", 4094, 131066n, -1],
      ["store", 4094, 131067n, -1],
      ["store", 65536, 0n, -1],
      ["to-a", 4090, 0n, 20],
      ["to-b", 100n, 0, 40],
      ["to-a", 0, 131070n, 3],
      ["load", 3n],
      ["grow"],
      ["sizes"],
      ["grow"],
      ["sizes"],
    ],
  },
  {
    what: "loops, branches and calls, ticking at every check",
    text: `(memory (export "memory") 1)
      (func $fac (export "fac") (param i64) (result i64) (if (result i64) (i64.eqz (local.get 0)) (then (i64.const 1))
        (else (i64.mul (local.get 0) (call $fac (i64.sub (local.get 0) (i64.const 1)))))))
      (func (export "params") (param i32) (result i32) (local i32)
        (local.get 0) (i32.const 0)
        (loop (param i32 i32) (result i32)
          (local.set 1) (local.set 0)
          (i32.sub (local.get 0) (i32.const 1)) (i32.add (local.get 1) (local.get 0))
          (br_if 0 (i32.gt_s (local.get 0) (i32.const 1)))
          (i32.add)))
      (func (export "table") (param i32) (result i32) (block (block (block (br_table 0 1 2 (local.get 0))) (return (i32.const 10))) (return (i32.const 11))) (i32.const 12))
      (func $even (export "even") (param i32) (result i32) (if (i32.eqz (local.get 0)) (then (return (i32.const 1)))) (return_call $odd (i32.sub (local.get 0) (i32.const 1))))
      (func $odd (param i32) (result i32) (if (i32.eqz (local.get 0)) (then (return (i32.const 0)))) (return_call $even (i32.sub (local.get 0) (i32.const 1))))
      (func (export "dead") (param i32) (result i32) (return (local.get 0)) (i32.store) (i32.store offset=9 (i32.const 1)) (unreachable) (memory.fill) (memory.grow) (drop))`,
    calls: [
      ["fac", 20n],
      ["params", 10],
      ["table", 0],
      ["table", 1],
      ["table", 7],
      ["even", 100001],
      ["dead", 5],
    ],
  },
  {
    what: "exceptions of the legacy proposal, thrown across stores",
    text: `(memory (export "memory") 1) (tag $e (param i32 i64))
      (func $throw (param i32) (i32.store (local.get 0) (i32.const -1)) (throw $e (local.get 0) (i64.const 7)))
      (func (export "legacy") (param i32) (local $v i64)
        (try
          (do
            (i64.store offset=20 (local.get 0) (i64.const 1))
            (try (do (call $throw (local.get 0))) (delegate 0)))
          (catch $e (local.set $v) (local.set 0) (i64.store (local.get 0) (local.get $v)))
          (catch_all (unreachable))))
      (func (export "rethrown") (param i32)
        (try (do
          (try (do (call $throw (local.get 0)))
            (catch_all (i32.store offset=8 (local.get 0) (i32.const 5)) (rethrow 0))))
          (catch_all (i32.store offset=12 (local.get 0) (i32.const 6)))))`,
    calls: [
      ["legacy", 4093],
      ["legacy", 65533],
      ["rethrown", 12000],
      ["rethrown", 65530],
    ],
  },
  {
    what: "exceptions as references, thrown across stores",
    text: `(memory (export "memory") 1) (tag $e (param i32 i64))
      (func $throw (param i32) (i32.store (local.get 0) (i32.const -1)) (throw $e (local.get 0) (i64.const 7)))
      (func (export "current") (param i32) (local $v i64)
        (block $caught (result i32 i64 exnref)
          (try_table (catch_ref $e $caught) (call $throw (local.get 0)))
          (unreachable))
        (drop) (local.set $v) (local.set 0)
        (i64.store offset=40 (local.get 0) (local.get $v)))`,
    calls: [
      ["current", 8190],
      ["current", 65500],
    ],
  },
];

for (const { what, text, calls } of cases) {
  test(`rewrite() keeps what a guest sees: ${what}`, async () => {
    compare(await assembleText(`(module ${text})`), calls, { env: { base: 8 } });
  });
}

// The same for what the assembler does not know; the text is in the comment.

test("rewrite() keeps what a guest sees: arrays made of data segments", () => {
  // (module (type $a (array (mut i8))) (memory 1) (data $active (i32.const 0) "active") (data $passive "passive")
  //   (func (export "new-active") (param i32 i32) (result i32) (array.len (array.new_data $a $active (local.get 0) (local.get 1))))
  //   (func (export "new-passive") (param i32 i32) (result i32)
  //     (array.get_u $a (array.new_data $a $passive (local.get 0) (local.get 1)) (i32.const 0)))
  //   (func (export "init-passive") (param i32 i32) (result i32) (local $x (ref $a))
  //     (local.set $x (array.new_default $a (i32.const 4)))
  //     (array.init_data $a $passive (local.get $x) (i32.const 1) (local.get 0) (local.get 1))
  //     (array.get_u $a (local.get $x) (i32.const 1)))
  //   (func (export "drop") (data.drop $passive)))
  const bytes = Buffer.from(
    "AGFzbQEAAAABDQNeeAFgAn9/AX9gAAADBQQBAQECBQMBAAEHMgQKbmV3LWFjdGl2ZQAAC25ldy1wYXNzaXZlAAEMaW5pdC1wYXNzaXZl" +
      "AAIEZHJvcAADDAECCkQEDAAgACAB+wkAAPsPCw8AIAAgAfsJAAFBAPsNAAsfAQFkAEEE+wcAIQIgAkEBIAAgAfsSAAEgAkEB+w0ACwUA" +
      "/AkBCwsVAgBBAAsGYWN0aXZlAQdwYXNzaXZl",
    "base64",
  );
  const calls: Call[] = [
    ["new-active", 0, 0],
    ["new-active", 0, 1],
    ["new-passive", 2, 3],
    ["new-passive", 5, 3],
    ["init-passive", 4, 3],
    ["init-passive", 4, 4],
    ["drop"],
    ["new-passive", 2, 3],
    ["init-passive", 0, 0],
    ["init-passive", 0, 1],
  ];
  const rewritten = compare(bytes, calls);
  rewritten.restore();
  assert.equal(rewritten.call("new-passive", 2, 3), "s".charCodeAt(0), "the segment is there again");
});

test("rewrite() caps memory.grow at the number of pages in the control block, which is also the size", async () => {
  const text = '(memory 1) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))';
  const guest = instantiate(await assembleText(`(module ${text})`));
  const [memory] = guest.memories;
  assert.ok(memory);
  memory.control[CONTROL.PAGES_MAX / 4] = 3;
  assert.equal(guest.call("grow", 3), -1);
  assert.equal(guest.call("grow", 2), 1);
  assert.equal(guest.call("grow", 1), -1);
  assert.deepEqual([memory.pages, memory.memory.buffer.byteLength], [3, 3 * 65536]);
});

test("rewrite() lets the real memory grow only as far as the logical one has not been before", async () => {
  const text = '(memory 1) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))';
  const guest = instantiate(await assembleText(`(module ${text})`));
  guest.call("grow", 4);
  guest.restore();
  assert.equal(guest.call("grow", 2), 1);
  assert.equal(guest.memories[0]?.memory.buffer.byteLength, 5 * 65536);
  assert.equal(guest.call("grow", 3), 3);
  assert.equal(guest.memories[0]?.memory.buffer.byteLength, 6 * 65536);
});

test("rewrite() makes memory.grow fail where the real memory cannot grow", async () => {
  const text = '(memory 1 5) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))';
  const guest = instantiate(await assembleText(`(module ${text})`));
  // The host promises more than it can give.
  const [memory] = guest.memories;
  assert.ok(memory);
  memory.control[CONTROL.PAGES_MAX / 4] = 100;
  assert.equal(guest.call("grow", 5), -1);
  assert.equal(memory.pages, 1);
});

test("A rewritten guest leaves an innermost loop for where the original leaves it", async () => {
  const bytes = await assembleText(`(module (memory (export "memory") 1)
    (func (export "run") (param $how i32) (result i32) (local $turn i32)
      (block $far (result i32)
        (block $near
          (loop $loop (result i32)
            (local.set $turn (i32.add (local.get $turn) (i32.const 1)))
            (i32.store8 (local.get $turn) (local.get $how))
            (br_if $loop (i32.lt_u (local.get $turn) (i32.const 5)))
            (if (i32.eq (local.get $how) (i32.const 1)) (then (br $near)))
            (block $inside
              (br_if $inside (i32.ne (local.get $how) (i32.const 2)))
              (br $far (i32.const 20)))
            (if (i32.eq (local.get $how) (i32.const 3)) (then (return (i32.const 30))))
            (if (i32.eq (local.get $how) (i32.const 4))
              (then (if (i32.lt_u (local.get $turn) (i32.const 9)) (then (br $loop))))
              (else (br_if 4 (i32.const 50) (i32.eq (local.get $how) (i32.const 5))) (drop)))
            (br_if $far (i32.const 60) (i32.eq (local.get $how) (i32.const 6)))
            (local.get $turn)
            (i32.add))
          (return))
        (i32.const 10))
      (i32.add (local.get $turn))))`);
  const guest = compare(
    bytes,
    [0, 1, 2, 3, 4, 5, 6].map((how): Call => ["run", how]),
  );
  assert.notEqual(guest.rewritten.bytes.length, bytes.length);
});

const ticking = [
  {
    what: "a loop that calls, at each turn",
    text: "(loop (call $leaf) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))",
    ticks: 6,
  },
  {
    what: "a short loop that holds another, once for each 64 turns of both",
    text: `(local.set 0 (i32.const 129)) (loop (if (i32.eqz (local.get 0)) (then (loop (br_if 0 (local.get 0)))))
      (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))`,
    ticks: 3,
  },
  {
    what: "a short loop without calls, once for each 64 turns",
    text: `(local.set 0 (i32.const 129)) (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))`,
    ticks: 3,
  },
  {
    what: "a short loop that begins again at two places, as often",
    text: `(local.set 0 (i32.const 129)) (loop (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (if (local.get 0) (then (br_if 1 (i32.and (local.get 0) (i32.const 1))) (br 1))))`,
    ticks: 3,
  },
  { what: "a function that calls, once", text: "(call $leaf)", ticks: 1 },
  { what: "a function that calls by a table, once", text: "(call_indirect $table (i32.const 2))", ticks: 1 },
  { what: "a function that calls an import, once", text: "(call $host)", ticks: 1 },
  {
    what: "a recursion, at each call",
    text: "(if (local.tee 0 (i32.sub (local.get 0) (i32.const 1))) (then (call $run (local.get 0))))",
    ticks: 5,
  },
  {
    what: "a chain of tail calls, at each call",
    text: "(if (local.tee 0 (i32.sub (local.get 0) (i32.const 1))) (then (return_call $run (local.get 0))))",
    ticks: 5,
  },
  {
    what: "each operation on memory in bulk",
    text: `(memory.fill (i32.const 0) (i32.const 1) (i32.const 9)) (memory.copy (i32.const 0) (i32.const 1) (i32.const 9))
      (memory.init $data (i32.const 0) (i32.const 0) (i32.const 1))`,
    ticks: 3,
  },
  {
    what: "each operation on tables in bulk",
    text: `(table.fill $table (i32.const 0) (ref.null func) (i32.const 2)) (drop (table.grow $table (ref.null func) (i32.const 2)))
      (table.copy $table $table (i32.const 0) (i32.const 1) (i32.const 1)) (table.init $table $elem (i32.const 0) (i32.const 0) (i32.const 1))`,
    ticks: 4,
  },
  { what: "a long function that calls none, once", text: "(nop)".repeat(256), ticks: 1 },
  { what: "no function that does none of this", text: "(i32.store (i32.const 0) (i32.const 1))", ticks: 0 },
];
for (const { what, text, ticks } of ticking) {
  test(`A rewritten guest ticks where the host wants it to: ${what}`, async () => {
    const polled: number[] = [];
    let waited = 0;
    const bytes = await assembleText(`(module (import "host" "f" (func $host))
      (memory 1) (data $data "data") (table $table 3 funcref) (elem $elem func $leaf)
      (elem (table $table) (i32.const 2) func $leaf) (func $leaf) (func $run (export "run") (param i32) ${text}))`);
    const poll = (): number => polled.push(0) & 1;
    const guest = instantiate(bytes, { host: { f: () => {} } }, { poll, wait: () => waited++ });
    guest.call("run", 5);
    assert.equal(polled.length, 0, "the host does not want it");
    guest.tickAlways();
    guest.call("run", 5);
    assert.equal(polled.length, ticks);
    assert.equal(waited, Math.ceil(ticks / 2), "it waits when the poll gives anything but 0");
  });
}

test("rewrite() without checks or cards imports and exports nothing for them", async () => {
  const bytes = await assembleText(
    '(module (memory 1) (func (export "f") (i32.store (i32.const 0) (i32.const 1))))',
  );
  assert.equal(rewrite(bytes, { epoch: false }).hooks.ticks, undefined);
  const guest = instantiate(bytes, {}, { cards: false });
  guest.call("f");
  assert.equal(guest.memories[0]?.marks.indexOf(1), -1);
});

test("rewrite() chooses names that the guest does not use", async () => {
  const bytes = await assembleText(`(module (import "spindle" "x" (func)) (import "spindle_" "x" (func))
    (global (mut i32) (i32.const 1)) (func (export "spindle:save")) (func (export "spindle:ticks")))`);
  const { hooks, importModule, original } = rewrite(bytes);
  assert.ok(!original.imports.some(({ module }) => module === importModule));
  const added: (string | undefined)[] = Object.values(hooks);
  assert.equal(added.length, 3);
  assert.ok(!original.exports.some(({ name }) => added.includes(name)));
});

test("rewrite() has no hooks where there is nothing to do", async () => {
  assert.deepEqual(rewrite(await assembleText("(module)")).hooks, {});
  assert.deepEqual(Object.keys(rewrite(await assembleText('(module (func (export "f")))')).hooks), ["ticks"]);
});

test("rewrite() gives imported memories a maximum, and keeps what they declare otherwise", async () => {
  const limits = async (type: string) => {
    const { bytes } = rewrite(await assembleText(`(module (import "m" "m" (memory ${type})))`));
    const [first] = readModule(bytes).imports;
    return first?.kind === "memory" ? first.type : undefined;
  };
  assert.deepEqual(await limits("2"), { min: 2, max: 65536, is64: false, shared: false });
  assert.deepEqual(await limits("2 5"), { min: 2, max: 5, is64: false, shared: false });
  assert.deepEqual(await limits("i64 2"), { min: 2, max: 262144, is64: true, shared: false });
  assert.deepEqual(await limits("1 7 shared"), { min: 1, max: 7, is64: false, shared: true });
});

test("rewrite() keeps custom sections, except those that speak of positions in the code", async () => {
  const bytes = await assembleText(
    '(module (@custom "producers" "p") (@custom ".debug_info" "d") (func $named))',
  );
  const { bytes: rewritten } = rewrite(bytes);
  assert.deepEqual(
    readModule(rewritten).customSections.map(({ name }) => name),
    ["producers", "name"],
  );
});

for (const type of ["32", "64"]) {
  test(`memory.atomic.wait${type} traps, for it would block the thread of all guests`, async () => {
    const wait = `(memory.atomic.wait${type} (i32.const 0) (i${type}.const 0) (i64.const 0))`;
    const bytes = await assembleText(
      `(module (memory 1 1 shared) (func (export "run") (result i32) (i32.add (i32.const 1) ${wait})))`,
    );
    assert.throws(() => instantiate(bytes).call("run"), /unreachable/);
  });
}
