import assert from "node:assert/strict";
import { test } from "node:test";
import { ModuleBuilder } from "./module-builder.ts";
import { OP } from "./opcodes.ts";
import { readModule } from "./read-module.ts";

test("ModuleBuilder.build() gives a module that runs and that readModule() describes as it was asked for", () => {
  const builder = new ModuleBuilder();
  const double = builder.importFunction("host", "double", { params: ["i32"], results: ["i32"] });
  const count = builder.global({ type: "i32", mutable: true }, (code) => code.u8(OP.I32_CONST).signed(-5));
  const run = builder.func({ params: ["i32"], results: ["i32"] }, ["i64"], (code) => {
    code.u8(OP.LOCAL_GET).u32(0).u8(OP.CALL).u32(double).u8(OP.GLOBAL_GET).u32(count).u8(OP.I32_ADD);
  });
  const table = builder.table({
    type: "ref null func",
    limits: { min: 2, max: 4, is64: false, shared: false },
  });
  const memory = builder.memory({ min: 1, max: 2, is64: false, shared: true });
  builder.elements(1, [run]);
  builder.exportFunction("run", run);
  builder.exportTable("table", table);
  builder.exportMemory("memory", memory);
  builder.exportGlobal("count", count);
  const bytes = builder.build();

  const described = readModule(bytes);
  assert.deepEqual(
    described.exports.map(({ kind, name, index }) => [kind, name, index]),
    [
      ["func", "run", 1],
      ["table", "table", 0],
      ["memory", "memory", 0],
      ["global", "count", 0],
    ],
  );
  assert.deepEqual(described.memories, [{ min: 1, max: 2, is64: false, shared: true }]);

  const imports = { host: { double: (value: number) => value * 2 } };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
  assert.ok(typeof exports.run === "function" && exports.table instanceof WebAssembly.Table);
  assert.equal(exports.run(21), 37);
  assert.equal(exports.table.get(1), exports.run);
});

test("ModuleBuilder.type() writes equal types once", () => {
  const builder = new ModuleBuilder();
  const type = { params: ["i32", "ref null extern"], results: ["v128"] } as const;
  assert.equal(builder.type(type), builder.type({ ...type }));
  assert.notEqual(builder.type(type), builder.type({ params: [], results: [] }));
});

test("ModuleBuilder refuses an import behind a definition of the same kind", () => {
  const builder = new ModuleBuilder();
  builder.memory({ min: 0, is64: false, shared: false });
  assert.throws(() => builder.importMemory("m", "n", { min: 0, is64: false, shared: false }), /before any/);
});
