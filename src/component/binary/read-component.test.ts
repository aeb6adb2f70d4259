import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { MalformedComponentError, UnsupportedComponentError } from "./component-error.ts";
import { readComponent } from "./read-component.ts";

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00];
const FIXTURES = join(import.meta.dirname, "../fixtures");

/** Sections of fewer than 128 bytes. */
function component(...sections: readonly (readonly [id: number, ...contents: number[]])[]): Uint8Array {
  const bytes = sections.flatMap(([id, ...contents]) => [id, contents.length, ...contents]);
  return Uint8Array.of(...HEADER, ...bytes);
}

const text = (name: string): number[] => [name.length, ...Buffer.from(name)];

test("readComponent() reads the definitions in their order, with where they are", () => {
  const { definitions } = readComponent(component([7, 2, 0x7f, 0x69, 0x00], [6, 1, 0x03, 0x02, 0x00, 0x01]));
  assert.deepEqual(definitions, [
    { kind: "type", type: { kind: "primitive", type: "bool" }, offset: 11 },
    { kind: "type", type: { kind: "own", resource: 0 }, offset: 12 },
    { kind: "alias", sort: "type", target: { kind: "outer", scopes: 0, index: 1 }, offset: 17 },
  ]);
});

test("readComponent() keeps custom sections, whatever is in them", () => {
  const { customSections } = readComponent(component([0, ...text("component-name"), 0xff, 0xfe]));
  assert.deepEqual(
    customSections.map(({ name, contents }) => [name, [...contents]]),
    [["component-name", [0xff, 0xfe]]],
  );
});

test("readComponent() reads past built-ins that nobody gives yet, and names them", () => {
  const { definitions } = readComponent(component([8, 3, 0x05, 0x0f, 0x02, 0x01, 0x06, 0x03, 0x07]));
  assert.deepEqual(
    definitions.map((item) => (item.kind === "unsupported canon" ? item.name : item)),
    ["task.cancel", "stream.read", { kind: "resource-drop", resource: 7, offset: 16 }],
  );
});

const malformed = [
  { bytes: Uint8Array.of(), offset: 0, because: "it is empty" },
  { bytes: Uint8Array.of(...HEADER.slice(0, 7)), offset: 0, because: "its header is cut" },
  { bytes: Uint8Array.of(0x01, ...HEADER.slice(1)), offset: 0, because: "its magic is wrong" },
  { bytes: Uint8Array.of(...HEADER.slice(0, 4), 1, 0, 0, 0), offset: 4, because: "it is a core module" },
  { bytes: component([13]), offset: 10, because: "a section is unknown" },
  { bytes: component([7, 1, 0x7f, 0x7f]), offset: 12, because: "a section is longer than its contents" },
  { bytes: Uint8Array.of(...HEADER, 7, 9, 1), offset: 9, because: "a section ends beyond the bytes" },
  { bytes: component([7, 0x7f]), offset: 10, because: "a list is longer than what is left" },
  { bytes: component([7, 1, 0x72, 0]), offset: 12, because: "a record has no fields" },
  { bytes: component([7, 1, 0x6b, 0x50]), offset: 12, because: "a type code is unknown" },
  { bytes: component([7, 1, 0x42, 1, 3]), offset: 13, because: "an instance type has an import" },
  { bytes: component([8, 1, 0x44]), offset: 11, because: "a canon is unknown" },
  { bytes: component([8, 1, 1, 0, 0, 2, 3, 0, 3, 0]), offset: 17, because: "an option is given twice" },
  { bytes: component([6, 1, 1, 2, 0, 0]), offset: 11, because: "an outer alias takes what has state" },
  { bytes: component([10, 1, 0, 1, 0xff, 3, 1]), offset: 13, because: "a name is not UTF-8" },
];

for (const { bytes, offset, because } of malformed) {
  test(`readComponent() refuses a component at byte ${offset}: ${because}`, () => {
    assert.throws(
      () => readComponent(bytes),
      (error) => error instanceof MalformedComponentError && error.offset === offset,
    );
  });
}

test("readComponent() names what it cannot read because nobody makes it any more", () => {
  const namedResults = component([7, 1, 0x40, 0, 1, 1, ...text("a"), 0x7f]);
  assert.throws(
    () => readComponent(namedResults),
    (error) => error instanceof UnsupportedComponentError && error.feature === "named results",
  );
});

function nested(depth: number): Uint8Array {
  let bytes = Uint8Array.of(...HEADER);
  for (let level = 0; level < depth; level++) {
    const { length } = bytes;
    bytes = Uint8Array.of(...HEADER, 4, (length & 0x7f) | 0x80, length >> 7, ...bytes);
  }
  return bytes;
}

test("readComponent() reads components 100 deep in each other, and no deeper", () => {
  assert.equal(readComponent(nested(100)).definitions.length, 1);
  assert.throws(() => readComponent(nested(101)), MalformedComponentError);
});

test("readComponent() does not read more elements than any component has", () => {
  // One section of 1,000,001 types, each one byte.
  const contents = new Uint8Array(1_000_001 + 3).fill(0x7f);
  contents.set([0xc1, 0x84, 0x3d]);
  const size = [
    (contents.length & 0x7f) | 0x80,
    ((contents.length >> 7) & 0x7f) | 0x80,
    contents.length >> 14,
  ];
  const bytes = Buffer.concat([Uint8Array.of(...HEADER, 7, ...size), contents]);
  assert.throws(() => readComponent(bytes), /more than 1000000 elements/);
});

test("readComponent() refuses every prefix of a component that ends in a section", () => {
  const bytes = readFileSync(join(FIXTURES, "greeter.wasm"));
  let whole = 0;
  for (let length = 0; length < bytes.length; length++) {
    try {
      readComponent(bytes.subarray(0, length));
      whole++;
    } catch (error) {
      assert(error instanceof MalformedComponentError, `at ${length}: ${error}`);
    }
  }
  // Those that end where a section does are components too.
  const sections = readComponent(bytes).definitions.length + 2;
  assert(whole <= sections, `${whole} prefixes were read`);
});
