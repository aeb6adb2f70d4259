// Values of random types, through core values and through memory, and back.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { FunctionType, ValueType } from "../types.ts";
import { describeType } from "../wit/describe.ts";
import { CanonicalError } from "./canonical-error.ts";
import { lowerFunction } from "./lower-function.ts";
import { Random, randomType, randomValue } from "./random-value.ts";
import { MEMORY, REALLOC, TestSlot } from "./test-slot.ts";

const ROUNDS = 150;
const TYPES_A_ROUND = 4;

test(`values of ${ROUNDS * TYPES_A_ROUND} random types come back as they went`, async () => {
  const random = new Random(7);
  for (let round = 0; round < ROUNDS; round++) {
    const types = Array.from({ length: TYPES_A_ROUND }, () => randomType(random, 4));
    const values = types.map((type) => randomValue(random, type));
    await passThrough(types, values, random);
  }
});

/** All as parameters of one function, and one as its result. */
async function passThrough(types: readonly ValueType[], values: readonly unknown[], random: Random) {
  const last = random.below(types.length);
  const type: FunctionType = {
    params: types.map((each, index) => ({ name: `p${index}`, type: each })),
    ...(types[last] && { result: types[last] }),
  };
  const options = {
    memory: MEMORY,
    realloc: REALLOC,
    stringEncoding: random.pick(["utf8", "utf16", "latin1+utf16"] as const),
  };
  let received: readonly unknown[] = [];
  const host = (...args: never[]) => {
    received = args;
    return values[last];
  };
  const slot = await TestSlot.make(
    {
      lowered: [{ callee: { kind: "import", index: 0 }, type, options, componentInstance: 0 }],
      lifted: [{ core: MEMORY, type, options, componentInstance: 0 }],
    },
    { host: [host] },
  );
  const before = Buffer.from(slot.memory().bytes);
  const lifting = slot.lifting(0);
  const where = types.map((each) => describeType(each)).join("; ");
  const result = await slot.lowered(0)(...lifting.lower(values), 512);
  assert.ok(slot.memory().isChangedWhereMarked(before), where);
  assert.deepStrictEqual(received, values, where);
  assert.deepStrictEqual(lifting.lift(result ?? 512), values[last], where);
}

test("whatever core values a guest passes, and whatever its memory holds, they are lifted or trap", async () => {
  const random = new Random(11);
  const ends = { lifted: 0, trapped: 0 };
  for (let round = 0; round < ROUNDS * TYPES_A_ROUND; round++) {
    const type = { params: [{ name: "value", type: randomType(random, 4) }] };
    const options = { memory: MEMORY, realloc: REALLOC, stringEncoding: "utf8" } as const;
    const slot = await TestSlot.make(
      { lowered: [{ callee: { kind: "import", index: 0 }, type, options, componentInstance: 0 }] },
      { host: [() => undefined] },
    );
    const { view } = slot.memory();
    for (let at = 0; at < 4096; at += 4) view.setUint32(at, randomWord(random), true);
    const args = lowerFunction(slot.plan, 0).coreType.params.map((param) =>
      param === "i64" ? BigInt.asIntN(64, BigInt(randomWord(random))) : randomWord(random),
    );
    try {
      slot.lowered(0)(...args);
      ends.lifted++;
    } catch (error) {
      assert.ok(error instanceof CanonicalError, String(error));
      ends.trapped++;
    }
  }
  assert.ok(ends.lifted > ROUNDS && ends.trapped > ROUNDS, JSON.stringify(ends));
});

/** Often small and aligned, so that it may be a pointer or a length; sometimes anything. */
function randomWord(random: Random): number {
  return random.below(8) > 0 ? 8 * random.below(4) : random.below(2 ** 32) | 0;
}
