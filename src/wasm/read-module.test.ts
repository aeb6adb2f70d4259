import assert from "node:assert/strict";
import { before, test } from "node:test";
import { ByteWriter } from "./byte-writer.ts";
import { isComponent, readLayout } from "./layout.ts";
import { MalformedModuleError } from "./malformed-module-error.ts";
import { MODULE_HEADER } from "./module-builder.ts";
import { OP, SECTION, TYPE } from "./opcodes.ts";
import { readModule } from "./read-module.ts";
import { rewrite } from "./rewrite.ts";
import { assembleText } from "./text.ts";

const EVERYTHING = `(module
  (import "m" "f" (func (param i32 i64 f32 f64 v128 funcref externref) (result i32 i32)))
  (import "m" "t" (table 1 10 funcref))
  (import "m" "m" (memory 2 3))
  (import "m" "g" (global (mut i64)))
  (import "m" "e" (tag (param f32)))
  (table 0 externref)
  (memory i64 5)
  (global (mut f32) (f32.const 1))
  (tag (param i32))
  (func $start (nop))
  (func (export "run") (param i32) (local i32) (i32.store (local.get 0) (i32.load offset=4 (local.get 0))))
  (start $start)
  (elem (table 0) (i32.const 0) func $start)
  (data (memory 0) (i32.const 0) "abc")
  (data "passive")
  (export "é🦀" (memory 1))
  (export "tag" (tag 1))
  (export "global" (global 0))
  (export "table" (table 1)))`;

let everything: Uint8Array;
before(async () => {
  everything = await assembleText(EVERYTHING);
});

test("readModule() describes imports, exports and memories of every kind", () => {
  const module = readModule(everything);
  assert.deepEqual(
    module.imports.map(({ module, name, kind, type }) => [module, name, kind, type]),
    [
      [
        "m",
        "f",
        "func",
        {
          params: ["i32", "i64", "f32", "f64", "v128", "ref null func", "ref null extern"],
          results: ["i32", "i32"],
        },
      ],
      ["m", "t", "table", { type: "ref null func", limits: { min: 1, max: 10, is64: false, shared: false } }],
      ["m", "m", "memory", { min: 2, max: 3, is64: false, shared: false }],
      ["m", "g", "global", { type: "i64", mutable: true }],
      ["m", "e", "tag", { params: ["f32"], results: [] }],
    ],
  );
  assert.deepEqual(
    module.exports.map(({ name, kind, index, type }) => [name, kind, index, type]),
    [
      ["run", "func", 2, { params: ["i32"], results: [] }],
      ["é🦀", "memory", 1, { min: 5, is64: true, shared: false }],
      ["tag", "tag", 1, { params: ["i32"], results: [] }],
      ["global", "global", 0, { type: "i64", mutable: true }],
      ["table", "table", 1, { type: "ref null extern", limits: { min: 0, is64: false, shared: false } }],
    ],
  );
  assert.deepEqual(module.memories, [
    { min: 2, max: 3, is64: false, shared: false },
    { min: 5, is64: true, shared: false },
  ]);
  assert.equal(module.functionCount, 3);
  assert.ok(module.hasStart);
  assert.deepEqual(
    module.customSections.map(({ name }) => name),
    ["name"],
  );
});

test("readModule() takes a module without anything in it", () => {
  const { imports, exports, memories, functionCount, hasStart } = readModule(MODULE_HEADER);
  assert.deepEqual(
    { imports, exports, memories, functionCount, hasStart },
    {
      imports: [],
      exports: [],
      memories: [],
      functionCount: 0,
      hasStart: false,
    },
  );
});

/** Runs what may only succeed, or say what is malformed. */
function attempt(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof MalformedModuleError)) throw error;
  }
}

for (const [name, read] of Object.entries({ readModule, rewrite })) {
  test(`${name}() of a module that is cut off anywhere throws nothing but MalformedModuleError`, () => {
    for (let length = 0; length < everything.length; length++)
      attempt(() => read(everything.slice(0, length)));
  });

  test(`${name}() of a module with any byte changed throws nothing but MalformedModuleError`, () => {
    for (let at = 0; at < everything.length; at++) {
      for (const byte of [0x00, 0x01, 0x40, 0x7f, 0x80, 0xff]) {
        const changed = everything.slice();
        changed[at] = byte;
        attempt(() => read(changed));
      }
    }
  });
}

function section(id: number, ...contents: readonly number[]): Uint8Array {
  return new ByteWriter().u8(id).sized(Uint8Array.from(contents)).take();
}

function moduleOf(...sections: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter().append(MODULE_HEADER);
  for (const one of sections) writer.append(one);
  return writer.take();
}

/** A module with one function of type `() -> ()`, whose body is given without its size. */
function functionOf(body: Uint8Array): Uint8Array {
  return moduleOf(
    section(SECTION.TYPE, 1, TYPE.FUNC, 0, 0),
    section(SECTION.FUNCTION, 1, 0),
    new ByteWriter().u8(SECTION.CODE).sized(new ByteWriter().u8(1).sized(body).take()).take(),
  );
}

const U32_MAX = [0xff, 0xff, 0xff, 0xff, 0x0f];
const COMPONENT = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00);

const refusals = [
  { what: "an empty file", bytes: new Uint8Array(), reason: /begin with/, offset: 0 },
  { what: "text", bytes: new TextEncoder().encode("(module)"), reason: /begin with/, offset: 0 },
  {
    what: "another version",
    bytes: Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0),
    reason: /version/,
    offset: 4,
  },
  { what: "a component", bytes: COMPONENT, reason: /component/, offset: 4 },
  {
    what: "a section longer than the file",
    bytes: moduleOf(Uint8Array.of(1, ...U32_MAX)),
    reason: /4294967295 bytes, 0 left/,
    offset: 8,
  },
  { what: "an unknown section", bytes: moduleOf(section(14)), reason: /unknown section 14/, offset: 8 },
  {
    what: "a section twice",
    bytes: moduleOf(section(SECTION.TYPE, 0), section(SECTION.TYPE, 0)),
    reason: /out of order/,
    offset: 11,
  },
  {
    what: "a section with bytes left over",
    bytes: moduleOf(section(SECTION.TYPE, 0, 0)),
    reason: /1 bytes too many/,
    offset: 11,
  },
  ...[
    SECTION.TYPE,
    SECTION.IMPORT,
    SECTION.FUNCTION,
    SECTION.TABLE,
    SECTION.GLOBAL,
    SECTION.EXPORT,
    SECTION.DATA,
  ].map((id) => ({
    what: `a count of four billion in section ${id}`,
    bytes: moduleOf(section(id, ...U32_MAX)),
    reason: /4294967295 .* in 0 bytes/,
    offset: 10,
  })),
  {
    what: "a function type with four billion parameters",
    bytes: moduleOf(section(SECTION.TYPE, 1, TYPE.FUNC, ...U32_MAX)),
    reason: /4294967295 value types/,
    offset: 12,
  },
  {
    what: "functions without bodies",
    bytes: moduleOf(section(SECTION.TYPE, 1, TYPE.FUNC, 0, 0), section(SECTION.FUNCTION, 1, 0)),
    reason: /1 functions are declared, 0 have a body/,
    offset: 18,
  },
  {
    what: "an export of what is not there",
    bytes: moduleOf(section(SECTION.EXPORT, 1, 1, 0x61, 0, 5)),
    reason: /export "a"/,
    offset: 13,
  },
  {
    what: "a data segment longer than its section",
    bytes: moduleOf(section(SECTION.DATA, 1, 1, 100)),
    reason: /100 bytes in 0 bytes/,
    offset: 12,
  },
] as const;
for (const { what, bytes, reason, offset } of refusals) {
  test(`readLayout() refuses ${what}, and says where`, () => {
    assert.throws(
      () => readLayout(bytes),
      (error) => {
        assert.ok(error instanceof MalformedModuleError);
        assert.match(error.message, reason);
        assert.equal(error.offset, offset);
        return true;
      },
    );
  });
}

const codeRefusals = [
  { what: "an unknown opcode", code: [0x27], reason: /unknown opcode 0x27/ },
  {
    what: "an unknown opcode of two parts",
    code: [OP.PREFIX_BULK, 0x99, 0x01],
    reason: /unknown opcode 0xfc 0x99/,
  },
  { what: "an unknown SIMD opcode", code: [OP.PREFIX_SIMD, 0x94, 0x02], reason: /unknown opcode 0xfd 0x114/ },
  { what: "an unknown GC opcode", code: [OP.PREFIX_GC, 31], reason: /unknown opcode 0xfb 0x1f/ },
  { what: "an unknown atomic opcode", code: [OP.PREFIX_ATOMIC, 4], reason: /unknown opcode 0xfe 0x04/ },
  {
    what: "a branch table of four billion",
    code: [OP.BR_TABLE, ...U32_MAX],
    reason: /4294967295 branch targets/,
  },
  { what: "a local that is not there", code: [OP.LOCAL_GET, 9, 0x1a], reason: /invalid local index/ },
  {
    what: "an operand of the wrong type",
    code: [OP.I32_CONST, 0, OP.I64_EQZ, 0x1a],
    reason: /expected type i64/,
  },
];
for (const { what, code, reason } of codeRefusals) {
  test(`rewrite() refuses ${what}`, () => {
    const bytes = functionOf(Uint8Array.of(0, ...code, OP.END));
    assert.throws(
      () => rewrite(bytes),
      (error) => {
        assert.ok(error instanceof MalformedModuleError);
        assert.match(error.message, reason);
        assert.ok(error.offset > MODULE_HEADER.length && error.offset < bytes.length, `at ${error.offset}`);
        return true;
      },
    );
  });
}

test("rewrite() refuses indices of what only it has added: they are not there in the original", () => {
  const guesses = [
    Uint8Array.of(0, OP.CALL, 1, OP.END), // the function that ticks
    Uint8Array.of(0, OP.I32_CONST, 0, OP.I32_LOAD, 2, 0, 0x1a, OP.END), // a card table
    Uint8Array.of(0, OP.MEMORY_SIZE, 0, 0x1a, OP.END),
    Uint8Array.of(0, OP.I32_CONST, 0, OP.CALL_INDIRECT, 0, 0, OP.END), // the table of ticks
  ];
  for (const body of guesses) assert.throws(() => rewrite(functionOf(body)), MalformedModuleError);
});

test("rewrite() takes locals up to the limit of V8, and no more", () => {
  const withLocals = (count: number) =>
    functionOf(new ByteWriter().u8(1).u32(count).u8(TYPE.I32, OP.END).take());
  assert.ok(WebAssembly.validate(rewrite(withLocals(50_000)).bytes));
  assert.throws(() => rewrite(withLocals(50_001)), MalformedModuleError);
  assert.throws(() => rewrite(withLocals(0xffffffff)), MalformedModuleError);
});

test("rewrite() refuses a function that would be too large for V8 once rewritten", () => {
  const store = [OP.I32_CONST, 0, OP.I32_LOAD, 2, 0, OP.I32_CONST, 0, OP.I32_STORE, 2, 0];
  const body = new ByteWriter().u8(0);
  for (let count = 7_000_000 / store.length; count > 0; count--) body.u8(...store);
  const code = new ByteWriter().u8(1).sized(body.u8(OP.END).take());
  const bytes = moduleOf(
    section(SECTION.TYPE, 1, TYPE.FUNC, 0, 0),
    section(SECTION.FUNCTION, 1, 0),
    section(SECTION.MEMORY, 1, 0, 1),
    new ByteWriter().u8(SECTION.CODE).sized(code.take()).take(),
  );
  assert.ok(WebAssembly.validate(bytes));
  assert.throws(() => rewrite(bytes), /function 0 is too large/);
});

test("readModule() takes 20,000 types and no more", () => {
  const withTypes = (count: number) => {
    const types = new ByteWriter(3 * count + 8).u32(count);
    for (let left = count; left > 0; left--) types.u8(TYPE.FUNC, 0, 0);
    return moduleOf(new ByteWriter().u8(SECTION.TYPE).sized(types.take()).take());
  };
  assert.doesNotThrow(() => readModule(withTypes(20_000)));
  assert.throws(() => readModule(withTypes(20_001)), /more than 20000 types/);
});

test("rewrite() takes 100,000 nested blocks and conditions", () => {
  const depth = 100_000;
  const body = new ByteWriter().u8(0);
  for (let level = 0; level < depth; level++) {
    if (level % 2 === 0) body.u8(OP.BLOCK, TYPE.EMPTY);
    else body.u8(OP.I32_CONST, 0, OP.IF, TYPE.EMPTY);
  }
  for (let level = 0; level <= depth; level++) body.u8(OP.END);
  assert.ok(WebAssembly.validate(rewrite(functionOf(body.take())).bytes));
});

test("isComponent() tells a component from a core module, and from what is neither", () => {
  assert.equal(isComponent(COMPONENT), true);
  assert.equal(isComponent(MODULE_HEADER), false);
  assert.equal(isComponent(new Uint8Array()), false);
  assert.equal(isComponent(COMPONENT.slice(0, 6)), false);
});
