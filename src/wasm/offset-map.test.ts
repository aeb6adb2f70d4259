import assert from "node:assert/strict";
import { test } from "node:test";
import { type HarnessInstance, instantiate } from "../../test/suites/wasm-harness.ts";
import { OffsetMap, originalOffset } from "./offset-map.ts";
import { OP } from "./opcodes.ts";
import { rewrite } from "./rewrite.ts";
import { assembleText } from "./text.ts";

interface Frame {
  readonly function: number;
  readonly offset: number;
}

/** The frames of WebAssembly in the stack of what is thrown. */
function framesOf(act: () => unknown): Frame[] {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof Error);
    return [...(error.stack ?? "").matchAll(/wasm-function\[(\d+)\]:0x([0-9a-f]+)/g)].map(
      ([, index, offset]) => ({
        function: Number(index),
        offset: Number.parseInt(offset ?? "", 16),
      }),
    );
  }
  assert.fail("nothing was thrown");
}

const TRAPPING = `(module (memory 1 2) (type $t (func)) (table 2 funcref)
  (func $deep (param i32 i32)
    (local.set 1 (i32.div_s (local.get 1) (i32.sub (local.get 0) (i32.const 1))))
    (if (i32.eq (local.get 0) (i32.const 2)) (then (i32.store offset=20 (i32.const -1) (local.get 1))))
    (if (i32.eq (local.get 0) (i32.const 3)) (then (i32.store offset=20 (i32.mul (local.get 1) (i32.const -1)) (i32.add (local.get 1) (local.get 0)))))
    (i32.store (local.get 1) (memory.grow (i32.const 1)))
    (if (i32.eq (local.get 0) (i32.const 4)) (then (memory.fill (i32.const -1) (i32.const 0) (i32.const 1))))
    (drop (memory.size))
    (if (i32.eq (local.get 0) (i32.const 5)) (then (call_indirect (type $t) (i32.const 1))))
    (loop (br_if 0 (i32.eqz (local.tee 1 (i32.const 1)))))
    (v128.store (i32.const 0) (v128.const i32x4 0 0 0 0))
    (unreachable))
  (func $middle (export "run") (param i32) (i64.store (i32.const 8) (i64.const 1)) (call $deep (local.get 0) (i32.const 1000))))`;

for (const kind of [1, 2, 3, 4, 5, 6]) {
  test(`OffsetMap leads every frame of a trap back to the original, for trap ${kind}`, async () => {
    const bytes = await assembleText(TRAPPING);
    const { run } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
    assert.ok(typeof run === "function");
    const guest = instantiate(bytes);
    const map = new OffsetMap({ original: bytes, rewritten: rewrite(bytes).bytes });
    const frames = framesOf(() => guest.call("run", kind));
    const mapped = frames.map((frame) => ({ function: frame.function, offset: map.original(frame.offset) }));
    assert.deepEqual(
      mapped.filter(({ offset }) => offset !== undefined),
      framesOf(() => run(kind)),
    );
  });
}

/** The rewritten offset of the frame of a function, when it ticks. */
function tickOffset(guest: HarnessInstance, call: () => unknown): number {
  guest.tickAlways();
  const frame = framesOf(call).find((one) => one.function === 0);
  assert.ok(frame);
  return frame.offset;
}

test("OffsetMap takes a check at the entry for the first instruction", async () => {
  const interrupt = (): never => {
    throw new Error("enough");
  };
  const entry = await assembleText('(module (func (export "f") (local i32 i64) (nop) (call 0)))');
  const inEntry = instantiate(entry, {}, { poll: interrupt });
  const nop = Buffer.from(entry).indexOf(Buffer.of(0x01, OP.CALL, 0, OP.END));
  assert.equal(
    originalOffset(
      entry,
      {},
      tickOffset(inEntry, () => inEntry.call("f")),
    ),
    nop,
  );
});

test("OffsetMap knows nothing outside of the guest's functions", async () => {
  const bytes = await assembleText("(module (func (nop)))");
  const map = new OffsetMap({ original: bytes, rewritten: rewrite(bytes).bytes });
  assert.equal(map.original(0), undefined);
  assert.equal(map.original(1 << 20), undefined);
  assert.equal(map.original(-1), undefined);
  assert.equal(originalOffset(await assembleText("(module)"), {}, 8), undefined);
});

test("OffsetMap finds a place behind a call of what another function made the 129th function", async () => {
  const others = "(func)".repeat(124);
  const bytes = await assembleText(`(module (memory 1) ${others}
    (func (drop (memory.grow (i32.const 0))))
    (func (export "run") (memory.fill (i32.const 0) (i32.const 0) (i32.const 1)) (unreachable)))`);
  const guest = instantiate(bytes);
  const map = new OffsetMap({ original: bytes, rewritten: rewrite(bytes).bytes });
  const [frame] = framesOf(() => guest.call("run"));
  assert.ok(frame);
  const { run } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
  assert.ok(typeof run === "function");
  assert.deepEqual(
    [{ ...frame, offset: map.original(frame.offset) }],
    framesOf(() => run()),
  );
});
