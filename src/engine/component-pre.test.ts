import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ComponentPlan, CoreImport, FunctionType, ImportedFunction } from "../component/mod.ts";
import { assembleText } from "../wasm/mod.ts";
import { ComponentLinkError } from "./component-link-error.ts";
import { ComponentLinker, type HostInterface, suspending } from "./component-linker.ts";
import { ComponentPre, type ComponentPreOptions, exportedFunction } from "./component-pre.ts";
import { Engine, type EngineOptions } from "./engine.ts";
import { TrapError } from "./invocation.ts";
import { Linker } from "./linker.ts";
import { Store } from "./store.ts";

/** Of one call. */
interface Data {
  readonly log: string[];
  rewinds: number;
}

const owned = new DisposableStack();
after(() => owned.dispose());

const NOTHING: FunctionType = { params: [] };
const U32 = { kind: "u32" } as const;
const NUMBER: FunctionType = { params: [], result: U32 };
const OPTIONS = { stringEncoding: "utf8" } as const;

/** A component with one core module, whose imports are functions of the host, and whose exports are its own. */
interface Guest {
  readonly text: string;
  readonly imports?: readonly {
    readonly interface: string;
    readonly name: string;
    readonly type: FunctionType;
  }[];
  readonly exports?: Readonly<Record<string, FunctionType>>;
}

async function planOf({ text, imports = [], exports = {} }: Guest): Promise<ComponentPlan> {
  const lifted = Object.entries(exports).map(([name, type]) => ({
    core: { instance: 0, name },
    type,
    options: OPTIONS,
    componentInstance: 0,
  }));
  const lowered = imports.map(({ type }, index) => ({
    callee: { kind: "import", index } as const,
    type,
    options: OPTIONS,
    componentInstance: 0,
  }));
  return {
    modules: [await assembleText(text)],
    instances: [{ module: 0, imports: imports.map((_, index) => loweredImport(index)) }],
    imports: imports.map((item): ImportedFunction => ({ ...item, importer: undefined })),
    importNames: imports.map((item) => item.interface),
    importedResources: [],
    lifted,
    lowered,
    exports: Object.keys(exports).map((name, index) => ({ kind: "function", name, index })),
    componentInstances: 1,
    parents: [undefined],
  };
}

function loweredImport(index: number): CoreImport {
  return {
    module: "host",
    name: `f${index}`,
    source: { kind: "builtin", builtin: { kind: "lower", index } },
  };
}

interface World {
  readonly host?: readonly HostInterface<Data>[];
  readonly engine?: EngineOptions;
  readonly pre?: Partial<ComponentPreOptions<Data>>;
}

async function link(
  plan: ComponentPlan,
  { host = [], engine, pre }: World = {},
): Promise<ComponentPre<Data>> {
  const components = new ComponentLinker<Data>();
  for (const each of host) components.define(each);
  const parts = {
    engine: owned.use(new Engine(engine)),
    linkers: { components, modules: new Linker<Data>() },
  };
  const component = await ComponentPre.create(parts, plan, {
    name: "guest",
    hooks: {
      rewind(data) {
        data.log.length = 0;
        data.rewinds++;
      },
      commit() {},
      initialData: newData,
    },
    ...pre,
  });
  owned.use(component.pre);
  return component;
}

function newData(): Data {
  return { log: [], rewinds: 0 };
}

/** Calls a function in a slot of its own. */
async function call(
  component: ComponentPre<Data>,
  name: string,
  options: {
    readonly args?: readonly unknown[];
    readonly data?: Data;
    readonly exited?: (code: number) => unknown;
  } = {},
): Promise<unknown> {
  const { args = [], data = newData(), exited } = options;
  using instance = component.pre.instantiate(new Store(data));
  return await instance.run(
    component.invocation<unknown>([name], {
      lower: () => args,
      lift: (_caller, result) => result,
      ...(exited && { exited: (_caller, code: number) => exited(code) }),
    }),
  );
}

async function linkErrorOf(plan: ComponentPlan, world: World): Promise<ComponentLinkError> {
  const error = await link(plan, world).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ComponentLinkError, String(error));
  return error;
}

const CLOCK: HostInterface<Data> = {
  wit: `interface test:clocks/clock@0.2.4 {
    now: func() -> u32;
    sleep: func(ms: u32);
  }`,
  functions: {
    now: (caller) => caller.data.log.push("now"),
    sleep: suspending((caller, ms: number) => {
      caller.shift();
      caller.data.log.push(`sleep ${ms}`);
      return nextTurn();
    }),
  },
};

const CALLS_NOW = `(module
  (import "host" "f0" (func $now (result i32)))
  (func (export "run") (result i32) (call $now)))`;

const nowOf = (interfaceName: string): Guest => ({
  text: CALLS_NOW,
  imports: [{ interface: interfaceName, name: "now", type: NUMBER }],
  exports: { run: NUMBER },
});

test("ComponentPre.create() tells every import that nobody provides, with what comes nearest", async () => {
  const plan = await planOf({
    text: `(module
      (import "host" "f0" (func (result i32)))
      (import "host" "f1" (func (result i32)))
      (import "host" "f2" (func)))`,
    imports: [
      { interface: "test:clocks/clok@0.2.0", name: "now", type: NUMBER },
      { interface: "test:clocks/clock@0.2.0", name: "no", type: NUMBER },
      { interface: "test:clocks/clock@0.2.0", name: "now", type: NOTHING },
    ],
  });
  const error = await linkErrorOf(plan, { host: [CLOCK] });
  assert.deepEqual(
    error.problems.map(({ import: { interface: from, name }, ...problem }) => ({ from, name, ...problem })),
    [
      {
        from: "test:clocks/clok@0.2.0",
        name: "now",
        reason: "unknown-interface",
        nearest: "test:clocks/clock@0.2.4",
      },
      { from: "test:clocks/clock@0.2.0", name: "no", reason: "unknown-function", nearest: "now" },
      {
        from: "test:clocks/clock@0.2.0",
        name: "now",
        reason: "type",
        difference: error.problems[2]?.difference,
      },
    ],
  );
  assert.match(error.message, /"test:clocks\/clok@0\.2\.0" "now".*"test:clocks\/clock@0\.2\.0" "no"/);
});

const DIFFERENCES: readonly { readonly type: FunctionType; readonly says: string }[] = [
  { type: NOTHING, says: "result: the component has nothing, the host u32" },
  { type: { params: [], result: { kind: "s32" } }, says: "result: the component has s32, the host u32" },
  {
    type: { params: [{ name: "ms", type: U32 }], result: U32 },
    says: "the component has func(ms: u32) -> u32, the host func() -> u32",
  },
];
for (const { type, says } of DIFFERENCES) {
  test(`ComponentPre.create() tells in which way an import differs: ${says}`, async () => {
    const params = type.params.length > 0 ? "(param i32)" : "";
    const results = type.result ? "(result i32)" : "";
    const plan = await planOf({
      text: `(module (import "host" "f0" (func ${params} ${results})))`,
      imports: [{ interface: "test:clocks/clock@0.2.0", name: "now", type }],
    });
    const [problem] = (await linkErrorOf(plan, { host: [CLOCK] })).problems;
    assert.equal(problem?.difference, says);
  });
}

test("ComponentPre.create() tells imports of core modules that the core linker has not got", async () => {
  const plan: ComponentPlan = {
    ...(await planOf({ text: `(module (import "env" "f" (func)))` })),
    instances: [
      {
        module: 0,
        imports: [{ module: "env", name: "f", source: { kind: "host", module: "env", name: "f" } }],
      },
    ],
  };
  const { coreProblems, message } = await linkErrorOf(plan, {});
  assert.deepEqual(
    coreProblems.map(({ import: { module, name } }) => [module, name]),
    [["env", "f"]],
  );
  assert.equal(message, '"env" "f"');
});

const TRACKS = [
  { asks: "test:clocks/clock@0.2.0", has: "test:clocks/clock@0.2.4", isServed: true },
  { asks: "test:clocks/clock@0.2.9", has: "test:clocks/clock@0.2.4", isServed: true },
  { asks: "test:clocks/clock@0.3.0", has: "test:clocks/clock@0.2.4", isServed: false },
  { asks: "test:clocks/clock@1.0.0", has: "test:clocks/clock@1.7.0", isServed: true },
  { asks: "test:clocks/clock@0.2.0-rc-1", has: "test:clocks/clock@0.2.0", isServed: false },
  { asks: "test:clocks/clock@0.2.0-rc-1", has: "test:clocks/clock@0.2.0-rc-1", isServed: true },
  { asks: "test:clocks/clock", has: "test:clocks/clock@0.2.0", isServed: false },
];
for (const { asks, has, isServed } of TRACKS) {
  test(`an import of ${asks} is ${isServed ? "" : "not "}served by ${has}`, async () => {
    const plan = await planOf(nowOf(asks));
    const host: HostInterface<Data> = {
      wit: `interface ${has} { now: func() -> u32; }`,
      functions: { now: () => 7 },
    };
    if (isServed) assert.equal(await call(await link(plan, { host: [host] }), "run"), 7);
    else assert.equal((await linkErrorOf(plan, { host: [host] })).problems[0]?.reason, "unknown-interface");
  });
}

test("the highest version of a track serves its imports", async () => {
  const version = (name: string, value: number): HostInterface<Data> => ({
    wit: `interface test:clocks/clock@${name} { now: func() -> u32; }`,
    functions: { now: () => value },
  });
  const plan = await planOf(nowOf("test:clocks/clock@0.2.0"));
  const host = [version("0.2.9", 9), version("0.2.10", 10), version("0.3.0", 30), version("0.2.0-rc", 1)];
  assert.equal(await call(await link(plan, { host }), "run"), 10);
});

test("an interface that may be missing is a trap with its own name, for whoever calls it", async () => {
  const guest: Guest = {
    text: `(module
      (import "host" "f0" (func $get (result i32)))
      (func (export "run") (result i32) (call $get))
      (func (export "idle") (result i32) (i32.const 3)))`,
    imports: [{ interface: "test:stores/store@1.0.0", name: "get", type: NUMBER }],
    exports: { run: NUMBER, idle: NUMBER },
  };
  const component = await link(await planOf(guest), { host: [CLOCK], pre: { isMissing: () => true } });
  assert.deepEqual(component.missing, ["test:stores/store@1.0.0"]);
  assert.equal(await call(component, "idle"), 3);
  await assert.rejects(call(component, "run"), /called "get" of "test:stores\/store@1\.0\.0"/);
});

test("a function that is missing from an interface which is there is an error at start-up all the same", async () => {
  const plan = await planOf({
    text: CALLS_NOW,
    imports: [{ interface: "test:clocks/clock@0.2.0", name: "then", type: NUMBER }],
  });
  const { problems } = await linkErrorOf(plan, { host: [CLOCK], pre: { isMissing: () => true } });
  assert.equal(problems[0]?.reason, "unknown-function");
});

test("a function that may not be used is answered with an error, or traps where its type has none", async () => {
  const guest: Guest = {
    text: `(module
      (import "host" "f0" (func $get (result i32)))
      (import "host" "f1" (func $check (result i32)))
      (func (export "get") (result i32) (call $get))
      (func (export "check") (result i32) (call $check)))`,
    imports: [
      { interface: "test:stores/store@1.0.0", name: "get", type: NUMBER },
      {
        interface: "test:stores/store@1.0.0",
        name: "check",
        type: { params: [], result: { kind: "result" } },
      },
    ],
    exports: { get: NUMBER, check: { params: [], result: { kind: "result" } } },
  };
  const component = await link(await planOf(guest), { pre: { isDenied: () => true } });
  assert.deepEqual(await call(component, "check"), { tag: "err" });
  await assert.rejects(call(component, "get"), /may not use "get" of "test:stores\/store@1\.0\.0"/);
});

const SLEEPER: Guest = {
  text: `(module
    (import "host" "f0" (func $now (result i32)))
    (import "host" "f1" (func $sleep (param i32)))
    (func (export "run") (result i32)
      (drop (call $now))
      (call $sleep (i32.const 5))
      (call $now)))`,
  imports: [
    { interface: "test:clocks/clock@0.2.0", name: "now", type: NUMBER },
    { interface: "test:clocks/clock@0.2.0", name: "sleep", type: { params: [{ name: "ms", type: U32 }] } },
  ],
  exports: { run: NUMBER },
};

for (const gearing of ["first", "second", "adaptive"] as const) {
  test(`a host function may wait for a guest that began in ${gearing} gear`, async () => {
    const component = await link(await planOf(SLEEPER), { host: [CLOCK], engine: { gearing } });
    for (let round = 0; round < 3; round++) {
      const data = newData();
      assert.equal(await call(component, "run", { data }), 3);
      assert.deepEqual(data.log, ["now", "sleep 5", "now"], "What the first gear did is gone");
      if (gearing !== "adaptive") assert.equal(data.rewinds, gearing === "first" ? 1 : 0);
    }
  });
}

test("a host function that waits and fails ends the guest", async () => {
  const host: HostInterface<Data> = {
    ...CLOCK,
    functions: {
      ...CLOCK.functions,
      sleep: suspending(async () => {
        await nextTurn();
        throw new Error("The clock broke");
      }),
    },
  };
  const component = await link(await planOf(SLEEPER), { host: [host], engine: { gearing: "second" } });
  await assert.rejects(call(component, "run"), (error) => {
    assert.ok(error instanceof TrapError);
    assert.equal(error.exportName, "run");
    return /The clock broke/.test(error.message);
  });
});

test("a host function that returns what its type does not say ends the guest", async () => {
  const host: HostInterface<Data> = { ...CLOCK, functions: { ...CLOCK.functions, now: () => -1 } };
  const component = await link(await planOf(nowOf("test:clocks/clock@0.2.0")), { host: [host] });
  await assert.rejects(call(component, "run"), /Expected a u32/);
});

/** Two component instances; the outer function of one calls the inner function of the other, which sleeps. */
async function pairPlan(): Promise<ComponentPlan> {
  const inner = `(module
    (import "host" "f0" (func $sleep (param i32)))
    (global $calls (mut i32) (i32.const 0))
    (func (export "inner") (param i32) (result i32)
      (call $sleep (local.get 0))
      (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
      (i32.add (local.get 0) (global.get $calls))))`;
  const outer = `(module
    (import "host" "f1" (func $inner (param i32) (result i32)))
    (func (export "outer") (param i32) (result i32)
      (call $inner (call $inner (local.get 0)))))`;
  const sleep: FunctionType = { params: [{ name: "ms", type: U32 }] };
  const type: FunctionType = { params: [{ name: "x", type: U32 }], result: U32 };
  const options = OPTIONS;
  return {
    ...(await planOf({
      text: inner,
      imports: [{ interface: "test:clocks/clock@0.2.0", name: "sleep", type: sleep }],
    })),
    modules: await Promise.all([inner, outer].map(assembleText)),
    instances: [
      { module: 0, imports: [loweredImport(0)] },
      { module: 1, imports: [loweredImport(1)] },
    ],
    lifted: [
      { core: { instance: 0, name: "inner" }, type, options, componentInstance: 0 },
      { core: { instance: 1, name: "outer" }, type, options, componentInstance: 1 },
    ],
    lowered: [
      { callee: { kind: "import", index: 0 }, type: sleep, options, componentInstance: 0 },
      { callee: { kind: "lifted", index: 0 }, type, options, componentInstance: 1 },
    ],
    exports: [
      { kind: "instance", name: "test:pair/api", items: [{ kind: "function", name: "outer", index: 1 }] },
    ],
    componentInstances: 2,
    parents: [undefined, undefined],
  };
}

for (const gearing of ["first", "second"] as const) {
  test(`a component waits in another component that it called, from ${gearing} gear`, async () => {
    const component = await link(await pairPlan(), { host: [CLOCK], engine: { gearing } });
    const run = async (x: number, data: Data) => {
      using instance = component.pre.instantiate(new Store(data));
      const path = ["test:pair/api", "outer"];
      return await instance.run(
        component.invocation<unknown>(path, { lower: () => [x], lift: (_caller, result) => result }),
      );
    };
    const [one, other] = [newData(), newData()];
    // Both wait at the same time, each in a slot of its own.
    assert.deepEqual(await Promise.all([run(10, one), run(20, other)]), [13, 23]);
    assert.deepEqual(
      [one.log, other.log],
      [
        ["sleep 10", "sleep 11"],
        ["sleep 20", "sleep 21"],
      ],
    );
  });
}

test("exportedFunction() finds functions by path, and nothing else", async () => {
  const plan = await pairPlan();
  assert.equal(exportedFunction(plan, ["test:pair/api", "outer"]), 1);
  for (const path of [
    [],
    ["outer"],
    ["test:pair/api"],
    ["test:pair/api", "inner"],
    ["test:pair/api", "outer", "x"],
  ])
    assert.equal(exportedFunction(plan, path), undefined, path.join("#"));
});

const LEAVER: Guest = {
  text: `(module
    (import "host" "f0" (func $leave (param i32)))
    (func (export "run") (call $leave (i32.const 4)) unreachable))`,
  imports: [
    { interface: "test:exits/exit@1.0.0", name: "leave", type: { params: [{ name: "code", type: U32 }] } },
  ],
  exports: { run: NOTHING },
};
const EXIT: HostInterface<Data> = {
  wit: "interface test:exits/exit@1.0.0 { leave: func(code: u32); }",
  functions: { leave: (caller, code: number) => caller.exit(code) },
};
for (const gearing of ["first", "second"] as const) {
  test(`a guest that exits in ${gearing} gear ends as its invocation says`, async () => {
    const component = await link(await planOf(LEAVER), { host: [EXIT], engine: { gearing } });
    assert.equal(await call(component, "run", { exited: (code) => `left with ${code}` }), "left with 4");
    await assert.rejects(call(component, "run"), (error) => {
      return error instanceof TrapError && error.reason === "exit" && /code 4/.test(error.message);
    });
  });
}

const STARTER: Guest = {
  text: `(module
    (import "host" "f0" (func $now (result i32)))
    (global $started (mut i32) (i32.const 0))
    (func $start (global.set $started (i32.add (i32.const 100) (call $now))))
    (start $start)
    (func (export "run") (result i32) (global.get $started)))`,
  imports: [{ interface: "test:clocks/clock@0.2.0", name: "now", type: NUMBER }],
  exports: { run: NUMBER },
};
for (const isStable of [true, false]) {
  test(`a start function that calls the host runs ${isStable ? "once, if the answer is stable" : "in each call, if the answer may change"}`, async () => {
    let readings = 0;
    const host: HostInterface<Data> = { ...CLOCK, functions: { ...CLOCK.functions, now: () => ++readings } };
    const component = await link(await planOf(STARTER), { host: [host], pre: { isStable: () => isStable } });
    assert.equal(readings, isStable ? 1 : 0);
    assert.equal(component.pre.initializers.length, isStable ? 0 : 1);
    assert.equal(await call(component, "run"), 101);
    assert.equal(await call(component, "run"), isStable ? 101 : 102);
  });
}

test("a start function that traps ends each call, and not the start-up", async () => {
  const component = await link(
    await planOf({
      text: `(module (func $start unreachable) (start $start) (func (export "run")))`,
      exports: { run: NOTHING },
    }),
  );
  for (let round = 0; round < 2; round++) await assert.rejects(call(component, "run"), /unreachable/);
});

test("ComponentPre.invocation() throws for a function that is not exported", async () => {
  const component = await link(await planOf(SLEEPER), { host: [CLOCK] });
  assert.throws(
    () => component.invocation(["walk"], { lower: () => [], lift: () => undefined }),
    /exports no function "walk"/,
  );
});
