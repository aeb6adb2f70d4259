// No call of a component sees what an earlier one has left in its slot: neither in the memories, globals
// and tables of its core modules, nor in its tables of handles, however the call ended.
//
// A control shows of each attack that it succeeds where nobody restores the slot.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  ComponentLinker,
  ComponentPre,
  Engine,
  type EngineOptions,
  exportedFunction,
  type Instance,
  Linker,
  Store,
  suspending,
  TrapError,
} from "../../src/engine/mod.ts";
import {
  ATTACKS,
  attackPlan,
  type ComponentAttack,
  ENDINGS,
  type Ending,
  HOST_WIT,
} from "./component-attacks.ts";

const GEARS: Readonly<Record<string, EngineOptions>> = {
  "first gear": { gearing: "first" },
  "second gear": { gearing: "second" },
  "a shift at the first host call": { gearing: "first", forcesShift: (hostCall) => hostCall === 0 },
  "a shift at the third host call": { gearing: "first", forcesShift: (hostCall) => hostCall === 2 },
};

/** Of one call. */
interface CallData {
  /** Things that the host gave, and those of them that it got back. */
  given: number;
  dropped: number;
}

class Thing {}

/** What a call gave, or what it threw. */
interface Seen {
  readonly ends: Ending;
  readonly result?: unknown;
  readonly error?: unknown;
}

const owned = new DisposableStack();
after(() => owned.dispose());
const engines = Object.entries(GEARS).map(([gear, options]) => ({
  gear,
  engine: owned.use(new Engine(options)),
}));

const components = new ComponentLinker<CallData>().define({
  wit: HOST_WIT,
  functions: {
    get: (caller) => {
      caller.data.given++;
      return new Thing();
    },
    use: () => undefined,
    wait: suspending((caller) => {
      caller.shift();
      return nextTurn();
    }),
    leave: (caller) => caller.exit(0),
  },
  resources: { thing: { drop: (caller) => void caller.data.dropped++ } },
});

async function linked(engine: Engine, attack: ComponentAttack): Promise<ComponentPre<CallData>> {
  const linkers = { components, modules: new Linker<CallData>() };
  const pre = await ComponentPre.create({ engine, linkers }, await attackPlan(attack), {
    name: "guest",
    hooks: {
      rewind: (data) => Object.assign(data, newData()),
      commit() {},
      initialData: newData,
    },
  });
  owned.use(pre.pre);
  return pre;
}

function newData(): CallData {
  return { given: 0, dropped: 0 };
}

async function call(pre: ComponentPre<CallData>, instance: Instance<CallData>, name: string): Promise<Seen> {
  const params = pre.plan.lifted[exportedFunction(pre.plan, [name]) ?? -1]?.type.params ?? [];
  const args = params.map(({ type }) => (type.kind === "string" ? "é🦀" : new Thing()));
  const invocation = pre.invocation<Seen>([name], {
    lower: () => args,
    lift: (_caller, result) => ({ ends: "return", result }),
    exited: () => ({ ends: "exit" }),
  });
  try {
    return await instance.run(invocation);
  } catch (error) {
    assert.ok(error instanceof TrapError, String(error));
    return { ends: "trap", error };
  }
}

/** A call in a slot that is restored afterwards. */
async function callAlone(pre: ComponentPre<CallData>, name: string): Promise<Seen> {
  const data = newData();
  const instance = pre.pre.instantiate(new Store(data));
  const seen = await call(pre, instance, name);
  instance[Symbol.dispose]();
  return seen;
}

for (const attack of ATTACKS) {
  test(`${attack.name}: a recycled slot of a component shows none of it`, async () => {
    for (const { gear, engine } of engines) {
      const pre = await linked(engine, attack);
      for (const [name, { ends, says = /./ }] of Object.entries(ENDINGS)) {
        const where = `${gear}, ${name}`;
        const seen = await callAlone(pre, name);
        assert.equal(seen.ends, ends, `${where}: ${seen.error}`);
        if (ends === "trap") assert.match(String(seen.error), says, where);
        assert.deepEqual(await callAlone(pre, "look"), { ends: "return", result: 0 }, where);
      }
      assert.ok(pre.pre.pool.live <= 2, "Slots are used again");
    }
  });

  test(`${attack.name}: a slot of a component that nobody restores shows it`, async () => {
    using engine = new Engine({ gearing: "second" });
    const pre = await linked(engine, attack);
    for (const name of Object.keys(ENDINGS)) {
      using instance = pre.pre.instantiate(new Store(newData()));
      await call(pre, instance, name);
      const { result, error } = await call(pre, instance, "look");
      // After a trap, the component model itself lets nobody in.
      assert.ok(result === 1 || error !== undefined, `${name}: ${result}`);
    }
  });
}

test("whatever resources of the host a call leaves, the host gets each back once", async () => {
  const attack = ATTACKS.find(({ name }) => name === "resources of the host");
  assert.ok(attack);
  for (const { gear, engine } of engines) {
    const pre = await linked(engine, attack);
    for (const name of Object.keys(ENDINGS)) {
      const data = newData();
      const instance = pre.pre.instantiate(new Store(data));
      await call(pre, instance, name);
      instance[Symbol.dispose]();
      assert.equal(data.dropped, data.given, `${gear}, ${name}`);
    }
  }
});
