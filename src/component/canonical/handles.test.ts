// Resources: who holds what, who is lent what, who lets go. The tests are the core code of instance 1,
// and instance 0 is a component that defines a resource.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Builtin, CanonicalOptions, LiftedFunction, LoweredFunction } from "../plan.ts";
import type { FunctionType, ResourceType, ValueType } from "../types.ts";
import { builtinFunction } from "./builtin-function.ts";
import { CanonicalError } from "./canonical-error.ts";
import { GuestResource } from "./guest-resource.ts";
import { HANDLES_MAX } from "./handle-table.ts";
import { TestSlot } from "./test-slot.ts";

const HOST: ResourceType = { kind: "imported", interface: "wasi:io/poll@0.2.0", name: "pollable" };
const GUEST: ResourceType = {
  kind: "defined",
  name: "r",
  owner: 0,
  destructor: { instance: 0, name: "destructor" },
};
const OTHER: ResourceType = { kind: "defined", name: "other", owner: 0 };
const OPTIONS: CanonicalOptions = { stringEncoding: "utf8" };

/** Instance 0 makes resources from 100 on, tells how many it destroyed, and drops what it is given. */
const PROVIDER = `(module
  (import "" "new" (func $new (param i32) (result i32)))
  (import "" "drop" (func $drop (param i32)))
  (import "" "host" (func $host))
  (global $next (mut i32) (i32.const 100))
  (global $destroyed (export "destroyed") (mut i32) (i32.const 0))
  (global $cleaned (export "cleaned") (mut i32) (i32.const 0))
  (func (export "make") (result i32)
    (global.set $next (i32.add (global.get $next) (i32.const 1)))
    (call $new (global.get $next)))
  (func (export "rep") (param i32) (result i32) (call $host) (local.get 0))
  (func (export "take") (param i32 i32) (call $drop (local.get 1)))
  (func (export "destructor") (param i32) (global.set $destroyed (local.get 0)))
  (func (export "clean") (param i32) (global.set $cleaned (local.get 0)))
  (func (export "clean-badly") (param i32) (call $host))
  (func (export "keep") (param i32)))`;

const own = (resource: ResourceType): ValueType => ({ kind: "own", resource });
const borrow = (resource: ResourceType): ValueType => ({ kind: "borrow", resource });

function type(params: readonly ValueType[], result?: ValueType): FunctionType {
  return {
    params: params.map((each, index) => ({ name: `p${index}`, type: each })),
    ...(result && { result }),
  };
}

interface Shared {
  readonly name: string;
  readonly type: FunctionType;
  readonly postReturn?: string;
  /** The component instance that has it; it runs core code of instance 0 all the same. */
  readonly in?: number;
}

/** Functions by number; each is lifted, and lowered for instance 1. */
const SHARED = {
  make: { name: "make", type: type([], own(GUEST)) },
  rep: { name: "rep", type: type([borrow(GUEST)], { kind: "u32" }), postReturn: "clean" },
  take: { name: "take", type: type([borrow(GUEST), own(GUEST)]) },
  /** Is lent a handle, and keeps it. */
  keep: { name: "keep", type: type([borrow(GUEST)]), in: 2 },
  keepHost: { name: "keep", type: type([borrow(HOST)]), in: 2 },
  numbers: { name: "rep", type: type([{ kind: "u32" }], { kind: "u32" }) },
  badPostReturn: { name: "rep", type: type([{ kind: "u8" }], { kind: "u8" }), postReturn: "clean-badly" },
  keepMany: {
    name: "rep",
    type: type([{ kind: "list", element: borrow(GUEST), length: 1 }], { kind: "u32" }),
  },
} satisfies Record<string, Shared>;

type SharedName = keyof typeof SHARED;
const NAMES = Object.keys(SHARED);
const number = (name: SharedName) => NAMES.indexOf(name);

/** What `host` calls; a lowered function of instance 0 without parameters. */
const HOST_CALL: LoweredFunction = {
  callee: { kind: "import", index: 0 },
  type: type([]),
  options: OPTIONS,
  componentInstance: 0,
};

interface TestOptions {
  readonly host?: () => unknown;
  readonly gear?: "first" | "second";
}

async function makeSlot({ host = () => undefined, gear = "first" }: TestOptions = {}): Promise<TestSlot> {
  const shared: readonly Shared[] = Object.values(SHARED);
  const lifted = shared.map(
    ({ name, type: each, postReturn, in: componentInstance = 0 }): LiftedFunction => ({
      core: { instance: 0, name },
      type: each,
      options: { ...OPTIONS, ...(postReturn && { postReturn: { instance: 0, name: postReturn } }) },
      componentInstance,
    }),
  );
  const lowered = shared.map(
    (each, index): LoweredFunction => ({
      callee: { kind: "lifted", index },
      type: each.type,
      options: OPTIONS,
      componentInstance: 1,
    }),
  );
  const builtins: Record<string, Builtin> = {
    new: builtin("resource-new", 0),
    drop: builtin("resource-drop", 0),
    host: { kind: "lower", index: lowered.length },
  };
  const imports = Object.entries(builtins).map(([name, each]) => ({
    module: "",
    name,
    source: { kind: "builtin", builtin: each } as const,
  }));
  return TestSlot.make(
    {
      texts: [PROVIDER],
      instances: [{ module: 0, imports }],
      lifted,
      lowered: [...lowered, HOST_CALL],
      componentInstances: 3,
    },
    { host: [host], gear },
  );
}

type HandleBuiltin = Exclude<Builtin, { readonly kind: "lower" }>;

function builtin(
  kind: HandleBuiltin["kind"],
  componentInstance: number,
  resource: ResourceType = GUEST,
): HandleBuiltin {
  return { kind, resource, componentInstance };
}

function call(slot: TestSlot, name: SharedName, ...args: readonly number[]): unknown {
  return slot.lowered(number(name))(...args);
}

function drop(slot: TestSlot, index: number, resource: ResourceType = GUEST): unknown {
  return builtinFunction(builtin("resource-drop", 1, resource)).bind(slot.state)(index);
}

function destroyed(slot: TestSlot): unknown {
  return slot.global("destroyed").value;
}

function traps(run: () => unknown, reason: string): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof CanonicalError, String(error));
    assert.equal(error.message, reason);
    return true;
  });
}

test("handles are numbered from 1, and those set free last are given out first", async () => {
  const slot = await makeSlot();
  assert.deepEqual(
    [1, 2, 3].map(() => call(slot, "make")),
    [1, 2, 3],
  );
  drop(slot, 1);
  drop(slot, 3);
  assert.deepEqual(
    [1, 2, 3].map(() => call(slot, "make")),
    [3, 1, 4],
  );
});

test("a handle that is not there traps: never given out, dropped, 0, and 2^32-1", async () => {
  const slot = await makeSlot();
  call(slot, "make");
  drop(slot, 1);
  for (const index of [5, 1, 0]) traps(() => drop(slot, index), `unknown handle index ${index}`);
  traps(() => drop(slot, -1), "unknown handle index 4294967295");
  traps(() => call(slot, "rep", 1), "unknown handle index 1");
});

test("a handle of another type traps", async () => {
  const slot = await makeSlot();
  call(slot, "make");
  const expected = "handle index 1 used with the wrong type, expected";
  traps(
    () => drop(slot, 1, OTHER),
    `${expected} guest-defined resource but found a different guest-defined resource`,
  );
  traps(
    () => drop(slot, 1, HOST),
    `${expected} resource "pollable" of "wasi:io/poll@0.2.0" but found a different guest-defined resource`,
  );
});

test("a component is lent its own resource by its own number", async () => {
  const slot = await makeSlot();
  call(slot, "make");
  call(slot, "make");
  assert.deepEqual([call(slot, "rep", 1), call(slot, "rep", 2), call(slot, "rep", 1)], [101, 102, 101]);
});

test("resource.new and resource.rep are inverse", async () => {
  const slot = await makeSlot();
  const index = builtinFunction(builtin("resource-new", 0)).bind(slot.state)(7);
  const rep = builtinFunction(builtin("resource-rep", 0)).bind(slot.state);
  assert.ok(typeof index === "number");
  assert.equal(rep(index), 7);
  traps(() => rep(index + 1), `unknown handle index ${index + 1}`);
});

test("an own handle that is given away is gone, and its receiver has another", async () => {
  const slot = await makeSlot();
  call(slot, "make");
  call(slot, "make");
  call(slot, "take", 1, 2);
  assert.equal(destroyed(slot), 102);
  traps(() => call(slot, "rep", 2), "unknown handle index 2");
  assert.equal(call(slot, "rep", 1), 101);
});

test("a handle cannot be given away by the call that it is lent to", async () => {
  const slot = await makeSlot();
  call(slot, "make");
  traps(() => call(slot, "take", 1, 1), "cannot remove owned resource while borrowed");
});

test("a handle is lent until the call returns, and no longer", async () => {
  const host = () => traps(() => drop(slot, 1), "cannot remove owned resource while borrowed");
  const slot: TestSlot = await makeSlot({ host });
  call(slot, "make");
  call(slot, "rep", 1);
  call(slot, "keepMany", 1);
  drop(slot, 1);
  assert.equal(destroyed(slot), 101);
});

test("whoever is lent a handle must drop it before the call returns", async () => {
  const slot = await makeSlot();
  call(slot, "make");
  traps(() => call(slot, "keep", 1), "borrow handles still remain at the end of the call");
});

test("a borrowed handle that is dropped before the end destroys nothing", async () => {
  const slot = await makeSlot();
  call(slot, "make");
  const lifting = slot.lifting(number("keep"));
  const [index] = lifting.lower([borrowed(slot, 1)]);
  builtinFunction(builtin("resource-drop", 2)).bind(slot.state)(index ?? 0);
  lifting.lift(undefined);
  assert.equal(destroyed(slot), 0);
});

function borrowed(slot: TestSlot, index: number): unknown {
  return slot.state.instance(1).liftBorrow(index, GUEST);
}

test("what is borrowed cannot be given away", async () => {
  const slot = await makeSlot();
  call(slot, "make");
  slot.lifting(number("keep")).lower([borrowed(slot, 1)]);
  traps(() => slot.state.instance(2).liftOwn(1, GUEST), "cannot lift own resource from a borrow");
});

test("post-return is called once, with the core result", async () => {
  const slot = await makeSlot();
  call(slot, "make");
  call(slot, "rep", 1);
  assert.equal(slot.global("cleaned").value, 101);
});

test("post-return may call nothing outside", async () => {
  const slot = await makeSlot();
  traps(() => call(slot, "badPostReturn", 1), "cannot leave component instance");
});

test("an allocator may call nothing outside", async () => {
  const slot = await TestSlot.make(
    {
      texts: [
        `(module (import "" "host" (func $host)) (memory (export "memory") 1)
          (func (export "realloc") (param i32 i32 i32 i32) (result i32) (call $host) (i32.const 0)))`,
      ],
      instances: [
        {
          module: 0,
          imports: [
            { module: "", name: "host", source: { kind: "builtin", builtin: { kind: "lower", index: 0 } } },
          ],
        },
      ],
      lowered: [HOST_CALL],
      lifted: [
        {
          core: { instance: 0, name: "memory" },
          type: type([{ kind: "string" }]),
          options: {
            stringEncoding: "utf8",
            memory: { instance: 0, name: "memory" },
            realloc: { instance: 0, name: "realloc" },
          },
          componentInstance: 0,
        },
      ],
    },
    { host: [() => undefined] },
  );
  traps(() => slot.lifting(0).lower(["text"]), "cannot leave component instance");
});

test("a component that is in the midst of a call cannot be entered", async () => {
  const host = () => {
    for (const name of ["numbers", "make"] as const)
      traps(() => call(slot, name, 1), "cannot enter component instance");
    calls++;
  };
  let calls = 0;
  const slot: TestSlot = await makeSlot({ host });
  assert.equal(call(slot, "numbers", 2 ** 31), -(2 ** 31));
  assert.equal(calls, 1);
  assert.equal(call(slot, "make"), 1);
});

test("the host may drop a resource of a component, once", async () => {
  const slot = await makeSlot();
  const made = slot.invoke(number("make"));
  assert.ok(made instanceof GuestResource);
  assert.equal(slot.invoke(number("rep"), made), 101);
  made.drop();
  assert.equal(destroyed(slot), 101);
  assert.throws(() => made.drop(), CanonicalError);
  assert.throws(() => slot.invoke(number("take"), made, made), CanonicalError);
});

test("a resource of a component is of no use once the slot is restored", async () => {
  const slot = await makeSlot();
  slot.state.save();
  const made = slot.invoke(number("make"));
  slot.state.restore();
  assert.ok(made instanceof GuestResource);
  assert.throws(() => made.drop(), CanonicalError);
  assert.throws(() => slot.invoke(number("rep"), made), CanonicalError);
  assert.equal(destroyed(slot), 0);
});

test("lowering refuses what is no resource of the type", async () => {
  const slot = await makeSlot();
  const other = new GuestResource(slot.state, OTHER, { rep: 1, own: true });
  for (const value of [other, undefined, 1, {}]) {
    assert.throws(() => slot.lifting(number("rep")).lower([value]), /Expected a resource|another type/);
    slot.state.restore();
  }
  assert.throws(() => slot.lifting(number("keepHost")).lower([undefined]), /Expected a resource/);
});

test("ComponentState.onDrop is told of host resources that are dropped, and of those left at the end", async () => {
  const slot = await makeSlot();
  const dropped: unknown[] = [];
  slot.state.onDrop = (_, object) => dropped.push(object);
  const { handles } = slot.state.instance(1);
  handles.addOwn(HOST, "kept by all");
  slot.state.save();
  handles.addOwn(HOST, "dropped");
  handles.addOwn(HOST, "left");
  handles.addBorrow(HOST, "borrowed");
  drop(slot, 2, HOST);
  assert.deepEqual(dropped, ["dropped"]);
  slot.state.restore();
  assert.deepEqual(dropped, ["dropped", "left"]);
  slot.state.restore();
  assert.deepEqual(dropped, ["dropped", "left"]);
});

test("ComponentState.restore() makes all handles what they were when saved, free ones included", async () => {
  const slot = await makeSlot();
  const { handles } = slot.state.instance(1);
  for (const rep of ["a", "b", "c", "d"]) handles.addOwn(HOST, rep);
  drop(slot, 2, HOST);
  drop(slot, 3, HOST);
  slot.state.save();
  for (let round = 0; round < 2; round++) {
    assert.equal(handles.addOwn(HOST, "e"), 3);
    assert.equal(handles.addOwn(HOST, "f"), 2);
    assert.equal(handles.addOwn(HOST, "g"), 5);
    drop(slot, 1, HOST);
    slot.state.restore();
    assert.equal(handles.get(1, HOST).rep, "a");
    assert.equal(handles.get(4, HOST).rep, "d");
    traps(() => handles.get(5, HOST), "unknown handle index 5");
  }
});

test("ComponentState.restore() lets in and out who was kept from it when the guest trapped", async () => {
  const slot = await makeSlot();
  slot.state.save();
  call(slot, "make");
  traps(() => call(slot, "badPostReturn", 1), "cannot leave component instance");
  traps(() => call(slot, "make"), "cannot enter component instance");
  slot.state.restore();
  assert.equal(call(slot, "make"), 1);
});

test(`an instance has at most ${HANDLES_MAX} handles`, async () => {
  const { handles } = (await makeSlot()).state.instance(1);
  for (let count = 0; count < HANDLES_MAX; count++) handles.addOwn(HOST, "x");
  traps(() => handles.addOwn(HOST, "x"), `more than ${HANDLES_MAX} handles`);
});

test("a destructor is kept out of a component that is in the midst of a call", async () => {
  const host = () => traps(() => drop(slot, 2), "cannot enter component instance");
  const slot: TestSlot = await makeSlot({ host });
  call(slot, "make");
  call(slot, "make");
  call(slot, "rep", 1);
});

test("in second gear a call from component to component may be suspended, and what is lent stays lent", async () => {
  const gate = Promise.withResolvers<void>();
  const slot = await makeSlot({ host: () => gate.promise, gear: "second" });
  await call(slot, "make");
  const waiting = call(slot, "rep", 1);
  assert.ok(waiting instanceof Promise);
  await new Promise(setImmediate);
  traps(() => drop(slot, 1), "cannot remove owned resource while borrowed");
  traps(() => call(slot, "make"), "cannot enter component instance");
  gate.resolve();
  assert.equal(await waiting, 101);
  await drop(slot, 1);
  assert.equal(destroyed(slot), 101);
});
