import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { MalformedModuleError, readModule } from "../../wasm/mod.ts";
import { MalformedComponentError, UnsupportedComponentError } from "../binary/component-error.ts";
import type { ComponentPlan, CoreSource } from "../plan.ts";
import { readBindingsProducers } from "./component-type.ts";
import { planCoreModule } from "./plan-component.ts";

const fixture = (name: string): Uint8Array =>
  readFileSync(join(import.meta.dirname, "../fixtures", `${name}.wasm`));

const CORE_HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

const text = (name: string): number[] => [name.length, ...Buffer.from(name)];

function customSection(name: string, contents: Iterable<number>): number[] {
  const bytes = [...text(name), ...contents];
  return [0, (bytes.length & 0x7f) | 0x80, bytes.length >> 7, ...bytes];
}

/** The component in the `component-type` section of `wrapped.wasm`. */
function worldComponent(): Uint8Array {
  const section = readModule(fixture("wrapped")).customSections.find(({ name }) =>
    name.startsWith("component-type"),
  );
  assert(section);
  return section.contents;
}

/** `wrapped.wasm` with another section behind its first one. */
function withSection(contents: Iterable<number>): Uint8Array {
  return Uint8Array.of(...fixture("wrapped"), ...customSection("component-type:more", contents));
}

function planned(bytes: Uint8Array): ComponentPlan {
  const plan = planCoreModule(bytes);
  assert(plan);
  return plan;
}

function told(source: CoreSource): string {
  switch (source.kind) {
    case "host":
      return `host ${source.module} ${source.name}`;
    case "export":
      return `export ${source.ref.instance} ${source.ref.name}`;
    case "builtin": {
      const { builtin } = source;
      if (builtin.kind === "lower") return `lower ${builtin.index}`;
      return `${builtin.kind} ${builtin.resource.kind} ${builtin.resource.name}`;
    }
  }
}

const namings = [
  { name: "wrapped", memory: "memory", realloc: "cabi_realloc", initialize: "_initialize" },
  {
    name: "wrapped-standard",
    memory: "cm32p2_memory",
    realloc: "cm32p2_realloc",
    initialize: "cm32p2_initialize",
  },
];

for (const { name, memory, realloc, initialize } of namings) {
  test(`planCoreModule() finds what ${name}.wasm imports: from its world, and beside it from the host`, () => {
    const plan = planned(fixture(name));
    assert.deepEqual(
      plan.instances[0]?.imports.map(({ source }) => told(source)),
      [
        "host wasi_snapshot_preview1 fd_write",
        "lower 0",
        "lower 1",
        "resource-drop imported timer",
        "lower 2",
        "resource-new defined book",
        "resource-drop defined book",
      ],
    );
    assert.deepEqual(plan.importNames, ["test:wrapped/clock@1.2.3", "note"]);
    assert.deepEqual(
      plan.imports.map((item) => [item.interface, item.name]),
      [
        ["test:wrapped/clock@1.2.3", "[constructor]timer"],
        ["test:wrapped/clock@1.2.3", "[method]timer.elapsed"],
        [undefined, "note"],
      ],
    );
  });

  test(`planCoreModule() finds what ${name}.wasm exports, and calls it with its own memory`, () => {
    const plan = planned(fixture(name));
    const exported = plan.exports.find((item) => item.name === "test:wrapped/shelf@1.2.3");
    assert(exported?.kind === "instance");
    assert.deepEqual(
      exported.items.map((item) => [item.kind, item.name]),
      [
        ["other", "book"],
        ["function", "[constructor]book"],
        ["function", "[method]book.title"],
      ],
    );
    const title = plan.lifted.find(({ core }) => core.name.endsWith("[method]book.title"));
    assert.deepEqual(title?.options.memory, { instance: 0, name: memory });
    assert.deepEqual(title.options.realloc, { instance: 0, name: realloc });
    assert.match(title.options.postReturn?.name ?? "", /post/);
    const [self] = title.type.params;
    assert(self?.type.kind === "borrow" && self.type.resource.kind === "defined");
    assert.match(self.type.resource.destructor?.name ?? "", /dtor/);
  });

  test(`planCoreModule() starts a reactor by another instance: ${name}.wasm`, () => {
    const plan = planned(fixture(name));
    const starter = plan.instances[1];
    assert.deepEqual(
      starter?.imports.map(({ source }) => told(source)),
      [`export 0 ${initialize}`],
    );
    let started = 0;
    const module = new WebAssembly.Module(Uint8Array.from(plan.modules[starter.module] ?? []));
    new WebAssembly.Instance(module, { "": { [initialize]: () => started++ } });
    assert.equal(started, 1);
  });
}

test("planCoreModule() leaves a module alone that has no component type", () => {
  assert.equal(planCoreModule(Uint8Array.from(CORE_HEADER)), undefined);
  assert.equal(readBindingsProducers(Uint8Array.from(CORE_HEADER)), undefined);
});

test("planCoreModule() reads the format of 2023, in which the section begins with the name of the world", () => {
  const old = customSection("component-type:library", [3, 1, ...text("library"), ...worldComponent()]);
  const [plan, expected] = [planned(fixture("wrapped")), fixture("wrapped")];
  const only = withoutSection(expected, "component-type");
  const made = planned(Uint8Array.of(...only, ...old));
  assert.deepEqual(made.exports, plan.exports);
  assert.equal(made.lowered[0]?.options.stringEncoding, "utf16");
});

/** The module without its custom sections of this name. */
function withoutSection(bytes: Uint8Array, prefix: string): Uint8Array {
  const found = readModule(bytes).customSections.find(({ name }) => name.startsWith(prefix));
  assert(found);
  // Id and size, of two bytes, stand before the name, whose length is one byte.
  const start = found.contents.byteOffset - bytes.byteOffset - found.name.length - 1 - 3;
  const end = found.contents.byteOffset - bytes.byteOffset + found.contents.length;
  return Uint8Array.of(...bytes.subarray(0, start), ...bytes.subarray(end));
}

test("planCoreModule() takes several sections together", () => {
  const plan = planned(withSection(worldComponent()));
  assert.equal(plan.imports.length, 3);
  assert.deepEqual(plan.exports, planned(fixture("wrapped")).exports);
});

test("readBindingsProducers() tells the versions of bindings generators, and of no other tool", () => {
  const producers = customSection("producers", [
    ...[1, ...text("processed-by"), 2],
    ...[...text("wit-component"), ...text("0.244.0")],
    ...[...text("wit-bindgen-rust"), ...text("0.51.0")],
  ]);
  const bytes = withSection([...worldComponent(), ...producers]);
  assert.deepEqual(readBindingsProducers(bytes), [{ name: "wit-bindgen-rust", version: "0.51.0" }]);
});

const unfit = [
  {
    because: "it does not export what its world has",
    bytes: () => Uint8Array.of(...CORE_HEADER, ...customSection("component-type", worldComponent())),
    error: MalformedComponentError,
    message: /the core module does not export "count"|does not export/,
  },
  {
    because: "its component type is cut",
    bytes: () => withSection(worldComponent().subarray(0, 100)),
    error: MalformedComponentError,
    message: /bytes/,
  },
  {
    because: "its component type has an unknown format",
    bytes: () => withSection([0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00]),
    error: UnsupportedComponentError,
    message: /a component type of format unknown/,
  },
  {
    because: "its component type has no such world",
    bytes: () => withSection([3, 0, ...text("other"), ...worldComponent()]),
    error: MalformedComponentError,
    message: /no world "other"/,
  },
];

for (const { because, bytes, error, message } of unfit) {
  test(`planCoreModule() refuses a module: ${because}`, () => {
    assert.throws(
      () => planCoreModule(bytes()),
      (thrown) => thrown instanceof error && message.test(thrown.message),
    );
  });
}

test("planCoreModule() plans wrapped.wasm with any byte changed, or says why not", () => {
  const bytes = fixture("wrapped");
  for (let at = CORE_HEADER.length; at < bytes.length; at++) {
    const original = bytes[at] ?? 0;
    for (const changed of [0x00, 0x7f, 0xff, original ^ 1, original + 1]) {
      bytes[at] = changed;
      try {
        planCoreModule(bytes);
        readBindingsProducers(bytes);
      } catch (error) {
        const isExpected =
          error instanceof MalformedModuleError ||
          error instanceof MalformedComponentError ||
          error instanceof UnsupportedComponentError;
        assert(isExpected, `byte ${at} as ${changed}: ${error}`);
      }
    }
    bytes[at] = original;
  }
});
