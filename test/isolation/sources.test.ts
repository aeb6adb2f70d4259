// Clocks and random bytes are those of the request, although a replay is given again what it had.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Engine, type EngineOptions } from "../../src/engine/mod.ts";
import { systemRandom, type WasiCall } from "../../src/wasi/mod.ts";
import { assembleText } from "../../src/wasm/mod.ts";
import { CountedSources } from "../guest-context.ts";
import { PlainInstance } from "./plain-instance.ts";
import { newTemplate, newWasi, Slots } from "./slots.ts";

const CALLS = 8;

// Each asks twice, and yields in between, so that a forced shift comes behind the first answer.
const ASKER = `(module
  (import "test" "call back" (func $call_back))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $sched_yield (result i32)))
  (memory (export "memory") 1)
  (func (export "nothing"))
  (func (export "be called back") (call $call_back))
  (func (export "random") (result i64)
    (drop (call $random_get (i32.const 0) (i32.const 8)))
    (drop (call $sched_yield))
    (drop (call $random_get (i32.const 4096) (i32.const 8)))
    (i64.xor (i64.load (i32.const 0)) (i64.rotl (i64.load (i32.const 4096)) (i64.const 1))))
  (func (export "clock") (result i64)
    (drop (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 0)))
    (drop (call $sched_yield))
    (drop (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 8)))
    (i64.add (i64.mul (i64.load (i32.const 0)) (i64.const 1000)) (i64.load (i32.const 8)))))`;

const bytes = await assembleText(ASKER);
const template = newTemplate();
const owned = new DisposableStack();
after(() => owned.dispose());

const SOURCES: Readonly<Record<string, () => Partial<WasiCall>>> = {
  random: () => ({ random: systemRandom }),
  clock: () => sources,
};
/** Of the whole process: no reading is given twice. */
const sources = new CountedSources();

const GEARS: Readonly<Record<string, EngineOptions>> = {
  "in first gear": { gearing: "first" },
  "in second gear": { gearing: "second" },
  "when replayed": { gearing: "first", forcesShift: (hostCall) => hostCall === 1 },
};

for (const [name, sourcesOf] of Object.entries(SOURCES)) {
  for (const [gear, options] of Object.entries(GEARS)) {
    test(`${name}: no request is given what another had, ${gear}`, async () => {
      using slots = await Slots.create(bytes, { engine: owned.use(new Engine(options)), template });
      const seen = new Set<unknown>();
      for (let left = CALLS; left > 0; left--) {
        const { result } = await slots.call(name, { wasi: newWasi(template, sourcesOf()) });
        assert.equal(typeof result, "bigint");
        seen.add(result);
      }
      assert.equal(seen.size, CALLS);
      assert.equal(slots.replays > 0, gear === "when replayed");
    });
  }

  test(`${name}: a request that is run with what another has noted is given the same`, () => {
    using wasi = newWasi(template, sourcesOf());
    const instance = new PlainInstance(bytes, wasi);
    const { result } = instance.call(name);
    wasi.rewind();
    assert.deepEqual(instance.call(name), { result });
  });
}
