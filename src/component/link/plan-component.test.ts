import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { MalformedComponentError, UnsupportedComponentError } from "../binary/component-error.ts";
import type { ComponentPlan, CoreSource } from "../plan.ts";
import { CompositionError } from "./composition-error.ts";
import { composeComponents, type Dependency, planComponent } from "./plan-component.ts";

const fixture = (name: string): Uint8Array =>
  readFileSync(join(import.meta.dirname, "../fixtures", `${name}.wasm`));

/** Instantiates the core modules in V8, with host functions that do nothing: a source that is missing or of another type fails. */
function instantiateCores(plan: ComponentPlan): WebAssembly.Instance[] {
  const instances: WebAssembly.Instance[] = [];
  for (const { module, imports } of plan.instances) {
    const given: WebAssembly.Imports = {};
    for (const { module: from, name, source } of imports) {
      given[from] = { ...given[from], [name]: importValue(instances, source) };
    }
    const compiled = new WebAssembly.Module(Uint8Array.from(plan.modules[module] ?? []));
    instances.push(new WebAssembly.Instance(compiled, given));
  }
  return instances;
}

function importValue(instances: readonly WebAssembly.Instance[], source: CoreSource): unknown {
  if (source.kind !== "export") return () => 0;
  const value = instances[source.ref.instance]?.exports[source.ref.name];
  assert(value, `nothing is exported as "${source.ref.name}"`);
  return value;
}

test("planComponent() plans what a toolchain makes: modules, imports by interface, lowered and lifted functions", () => {
  const plan = planComponent(fixture("greeter"));
  instantiateCores(plan);
  assert.deepEqual(plan.importNames, ["test:host/log@0.2.1", "test:greet/greetings@1.0.0"]);
  assert.deepEqual(
    plan.imports.map((item) => `${item.interface} ${item.name}`),
    [
      "test:host/log@0.2.1 open",
      "test:host/log@0.2.1 [method]sink.write",
      "test:greet/greetings@1.0.0 greet",
    ],
  );
  assert.deepEqual(plan.lowered[1]?.options, {
    stringEncoding: "utf8",
    memory: { instance: 1, name: "memory" },
  });
  assert.deepEqual(plan.lifted[0], {
    core: { instance: 1, name: "run" },
    type: { params: [], result: { kind: "string" } },
    options: {
      stringEncoding: "utf8",
      memory: { instance: 1, name: "memory" },
      postReturn: { instance: 1, name: "cabi_post_run" },
    },
    componentInstance: 0,
  });
  assert.deepEqual(plan.exports, [
    { kind: "instance", name: "test:greet/main", items: [{ kind: "function", name: "run", index: 0 }] },
  ]);
});

test("planComponent() takes a resource that one interface uses from another for the same", () => {
  const plan = planComponent(fixture("greeter"));
  const [sink] = plan.importedResources;
  assert.deepEqual(plan.importedResources, [
    { kind: "imported", interface: "test:host/log@0.2.1", name: "sink" },
  ]);
  const borrowed = plan.imports
    .flatMap(({ type }) => type.params)
    .filter(({ type }) => type.kind === "borrow");
  assert.equal(borrowed.length, 2);
  for (const { type } of borrowed) assert(type.kind === "borrow" && type.resource === sink);
});

test("planComponent() gives each instance of a component resources of its own", () => {
  const plan = planComponent(fixture("twice"));
  instantiateCores(plan);
  assert.equal(plan.componentInstances, 3);
  assert.deepEqual(plan.parents, [undefined, 0, 0]);
  assert.equal(plan.modules.length, 2);
  assert.equal(plan.instances.length, 4);
  const made = plan.lifted.map(({ type }) =>
    type.result?.kind === "own" ? type.result.resource : undefined,
  );
  assert.notEqual(made[0], made[1]);
  assert.deepEqual(made, [
    { kind: "defined", name: "counter", owner: 1, destructor: { instance: 0, name: "destroy" } },
    { kind: "defined", name: "counter", owner: 2, destructor: { instance: 2, name: "destroy" } },
  ]);
});

const greetings: Dependency = { label: "greetings", bytes: fixture("greetings") };

test("composeComponents() gives imports from a dependency, in another version that fits", () => {
  const plan = composeComponents(fixture("greeter"), {
    "test:greet/greetings@1.0.0": { dependency: greetings },
  });
  instantiateCores(plan);
  assert.equal(plan.componentInstances, 2);
  assert.deepEqual(plan.lowered.at(-1)?.callee, { kind: "lifted", index: 0 });
  assert.equal(plan.lifted[0]?.componentInstance, 1);
});

test("composeComponents() tells which imports of the host are a dependency's, and shares resources", () => {
  const plan = composeComponents(fixture("greeter"), {
    "test:greet/greetings@1.0.0": { dependency: greetings },
  });
  assert.deepEqual(
    plan.imports.map((item) => [item.importer, item.interface, item.name]),
    [
      ["greetings", "test:host/log@0.2.4", "[method]sink.write"],
      [undefined, "test:host/log@0.2.1", "open"],
      [undefined, "test:host/log@0.2.1", "[method]sink.write"],
    ],
  );
  assert.equal(plan.importedResources.length, 1);
});

test("composeComponents() gives the export that is asked for", () => {
  const named = { dependency: greetings, exportName: "test:greet/greetings@1.1.0" };
  const plan = composeComponents(fixture("greeter"), { "test:greet/greetings@1.0.0": named });
  assert.equal(plan.componentInstances, 2);
});

const compositionErrors = [
  {
    because: "the dependency has no such export",
    dependencies: { "test:greet/greetings@1.0.0": { dependency: greetings, exportName: "other" } },
    message: /It does not export "other": it exports "test:greet\/greetings@1.1.0"/,
  },
  {
    because: "the component has no such import",
    dependencies: { "test:greet/partings": { dependency: greetings } },
    message: /The component does not import "test:greet\/partings"/,
  },
];

for (const { because, dependencies, message } of compositionErrors) {
  test(`composeComponents() fails if ${because}`, () => {
    assert.throws(
      () => composeComponents(fixture("greeter"), dependencies),
      (error) => error instanceof CompositionError && message.test(error.message),
    );
  });
}

test("composeComponents() refuses an export that has another type than the import", () => {
  const dependency = { dependency: greetings, exportName: "test:greet/greetings@1.1.0" };
  assert.throws(
    () => composeComponents(fixture("greeter"), { "test:host/log@0.2.1": dependency }),
    (error) =>
      error instanceof CompositionError &&
      error.label === "greetings" &&
      error.cause instanceof MalformedComponentError,
  );
});

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00];

/** The size of a section, in two bytes. */
const sized = (bytes: readonly number[]): number[] => [
  (bytes.length & 0x7f) | 0x80,
  bytes.length >> 7,
  ...bytes,
];

/** Components of which each instantiates the one before it `times`, and the last of which is instantiated. */
function chain(length: number, times: number): Uint8Array {
  const bytes = [...HEADER, 4, ...sized(HEADER)];
  for (let index = 0; index < length; index++) {
    const alias = [1, 4, 2, 1, (index & 0x7f) | 0x80, index >> 7];
    const instances = [times, ...Array.from({ length: times }, () => [0, 0, 0]).flat()];
    bytes.push(4, ...sized([...HEADER, 6, ...sized(alias), 5, ...sized(instances)]));
  }
  return Uint8Array.of(...bytes, 5, ...sized([1, 0, (length & 0x7f) | 0x80, length >> 7, 0]));
}

const blowUps = [
  { bytes: chain(20, 2), because: "instances multiply", message: /more than 1000 instances/ },
  { bytes: chain(300, 1), because: "instances nest", message: /instances nested more than 100 deep/ },
];

for (const { bytes, because, message } of blowUps) {
  test(`planComponent() gives up on a small component that is large when instantiated: ${because}`, () => {
    assert.throws(
      () => planComponent(bytes),
      (error) => error instanceof UnsupportedComponentError && message.test(error.message),
    );
  });
}

test("planComponent() plans as many instances as there may be", () => {
  assert.equal(planComponent(chain(8, 2)).componentInstances, 2 ** 9);
});

const names = ["greeter", "greetings", "twice"];

for (const name of names) {
  test(`planComponent() plans ${name}.wasm with any byte changed, or says why not`, () => {
    const bytes = fixture(name);
    for (let at = 8; at < bytes.length; at++) {
      const original = bytes[at] ?? 0;
      for (const changed of [0x00, 0x7f, 0xff, original ^ 1, original + 1]) {
        bytes[at] = changed;
        try {
          planComponent(bytes);
        } catch (error) {
          const isExpected =
            error instanceof MalformedComponentError || error instanceof UnsupportedComponentError;
          assert(isExpected, `byte ${at} as ${changed}: ${error}`);
        }
      }
      bytes[at] = original;
    }
  });
}

test("composeComponents() gives a core module that describes a component what that one imports", () => {
  const dependency: Dependency = { label: "clock", bytes: fixture("clock") };
  const plan = composeComponents(fixture("wrapped"), { "test:wrapped/clock@1.2.3": { dependency } });
  instantiateCores(plan);
  assert.deepEqual(plan.importNames, ["note"]);
  assert.deepEqual(
    plan.lowered.map(({ callee }) => callee.kind),
    ["lifted", "lifted", "import"],
  );
  const dropped = plan.instances[1]?.imports.find(({ name }) => name === "[resource-drop]timer")?.source;
  assert(dropped?.kind === "builtin" && dropped.builtin.kind === "resource-drop");
  assert.equal(dropped.builtin.resource.kind, "defined");
  assert.equal(dropped.builtin.componentInstance, 0);
  assert.deepEqual(plan.lifted.at(-1)?.options.memory, { instance: 1, name: "memory" });
});
