// Values of every type go through components, and come out as they went in.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Random, randomType, randomValue } from "../../src/component/canonical/random-value.ts";
import type { ValueType } from "../../src/component/mod.ts";
import { Engine } from "../../src/engine/mod.ts";
import { Forwarding, Thing } from "./forward.ts";
import { THING, writeForwarder } from "./forwarder.ts";

const ROUNDS = 12;
const TYPES_A_ROUND = 6;
const ENCODINGS = ["utf8", "utf16", "latin1+utf16"] as const;

const owned = new DisposableStack();
after(() => owned.dispose());
const engines = (["first", "second"] as const).map((gearing) => ({
  gearing,
  engine: owned.use(new Engine({ gearing })),
}));

test(`values of ${ROUNDS * TYPES_A_ROUND} random types are forwarded by components in every encoding`, async () => {
  const random = new Random(3);
  for (let round = 0; round < ROUNDS; round++) {
    const types = Array.from({ length: TYPES_A_ROUND }, () => randomType(random, 4));
    const values = types.map((type) => randomValue(random, type));
    const bytes = await writeForwarder(types, { stringEncoding: random.pick(ENCODINGS) });
    for (const { engine } of engines) {
      using forwarding = await Forwarding.create(engine, bytes, types);
      for (const [index, value] of values.entries()) {
        const { seen, returned } = await forwarding.send(index, value);
        assert.deepStrictEqual([seen, returned], [value, value], `round ${round}, type ${index}`);
      }
    }
  }
});

const OWN: ValueType = { kind: "own", resource: THING };
const HANDLES: readonly { readonly what: string; readonly type: ValueType; wrap(thing: Thing): unknown }[] = [
  { what: "a resource", type: OWN, wrap: (thing) => thing },
  { what: "an optional resource", type: { kind: "option", payload: OWN }, wrap: (thing) => thing },
  {
    what: "a list of resources",
    type: { kind: "list", element: OWN },
    wrap: (thing) => [thing, new Thing()],
  },
  {
    what: "a resource in a result",
    type: { kind: "result", ok: OWN, error: { kind: "string" } },
    wrap: (thing) => ({ tag: "ok", val: thing }),
  },
];
test("resources of the host are forwarded, and are the same objects", async () => {
  const types = HANDLES.map(({ type }) => type);
  const bytes = await writeForwarder(types);
  for (const { engine, gearing } of engines) {
    using forwarding = await Forwarding.create(engine, bytes, types);
    for (const [index, { what, wrap }] of HANDLES.entries()) {
      const value = wrap(new Thing());
      const { seen, returned } = await forwarding.send(index, value);
      assert.deepStrictEqual([seen, returned], [value, value], `${what}, ${gearing} gear`);
      if (index === 0) assert.equal(returned, value);
    }
  }
});

test("a borrowed resource is lent on, and given back", async () => {
  const types: readonly ValueType[] = [{ kind: "borrow", resource: THING }];
  const bytes = await writeForwarder(types);
  for (const { engine } of engines) {
    using forwarding = await Forwarding.create(engine, bytes, types);
    const thing = new Thing();
    const { seen, returned } = await forwarding.send(0, thing);
    assert.equal(seen, thing);
    assert.equal(returned, undefined);
  }
});
