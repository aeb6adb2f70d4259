// Nothing that a guest wrote survives a restore that copies back only what is marked.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type HarnessInstance, type HarnessMemory, instantiate } from "../../test/suites/wasm-harness.ts";
import { ModuleBuilder } from "./module-builder.ts";
import { OP } from "./opcodes.ts";
import { rewrite } from "./rewrite.ts";
import { CARD_SHIFT, STRADDLE_BYTES } from "./rewritten.ts";
import { assembleText } from "./text.ts";

const PAGES = 1;
const MEMORY_BYTES = PAGES * 65536;
const CARD_BYTES = 1 << CARD_SHIFT;
/** Addresses around the end of a card, of the control block's size, and of memory. */
const ADDRESSES = [0, ...range(4080, 4099), 8191, ...range(MEMORY_BYTES - 17, MEMORY_BYTES)];
/** Static offsets around what a mark covers. */
const OFFSETS = [0, 8, 12, 13, 31, 4095];

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

interface Storing {
  readonly instruction: string;
  /** A value that is no local and no constant, and one that is. */
  readonly computed: string;
  readonly simple: string;
  readonly bytes: number;
  /** Atomic accesses trap unless they are aligned; they give a result. */
  readonly atomic?: "store" | "rmw";
}

const I32 = { computed: "(i32.add (local.get $v) (i32.const 1))", simple: "(i32.const -1)" };
const I64 = { computed: "(i64.extend_i32_u (local.get $v))", simple: "(i64.const -1)" };
const F32 = { computed: "(f32.convert_i32_s (local.get $v))", simple: "(f32.const nan)" };
const F64 = { computed: "(f64.convert_i32_s (local.get $v))", simple: "(f64.const -1)" };
const V128 = { computed: "(i8x16.splat (local.get $v))", simple: "(v128.const i32x4 -1 -1 -1 -1)" };

const INSTRUCTIONS: readonly Storing[] = [
  { instruction: "i32.store", ...I32, bytes: 4 },
  { instruction: "i64.store", ...I64, bytes: 8 },
  { instruction: "f32.store", ...F32, bytes: 4 },
  { instruction: "f64.store", ...F64, bytes: 8 },
  { instruction: "i32.store8", ...I32, bytes: 1 },
  { instruction: "i32.store16", ...I32, bytes: 2 },
  { instruction: "i64.store8", ...I64, bytes: 1 },
  { instruction: "i64.store16", ...I64, bytes: 2 },
  { instruction: "i64.store32", ...I64, bytes: 4 },
  { instruction: "v128.store", ...V128, bytes: 16 },
  { instruction: "v128.store8_lane", ...V128, bytes: 1 },
  { instruction: "v128.store16_lane", ...V128, bytes: 2 },
  { instruction: "v128.store32_lane", ...V128, bytes: 4 },
  { instruction: "v128.store64_lane", ...V128, bytes: 8 },
  ...[
    ["i32", "", 4],
    ["i32", "8", 1],
    ["i32", "16", 2],
    ["i64", "", 8],
    ["i64", "8", 1],
    ["i64", "16", 2],
    ["i64", "32", 4],
  ].flatMap(([type, width, bytes]): Storing[] => {
    const values = type === "i32" ? I32 : I64;
    const rmw = ["add", "sub", "and", "or", "xor", "xchg"].map((operation) => ({
      instruction: `${type}.atomic.rmw${width}.${operation}${width && "_u"}`,
      ...values,
      bytes: Number(bytes),
      atomic: "rmw" as const,
    }));
    const exchange = {
      instruction: `${type}.atomic.rmw${width}.cmpxchg${width && "_u"}`,
      computed: `(${type}.const 0x55) ${values.computed}`,
      simple: `(${type}.const 0x55) ${values.simple}`,
      bytes: Number(bytes),
      atomic: "rmw" as const,
    };
    const store = {
      instruction: `${type}.atomic.store${width}`,
      ...values,
      bytes: Number(bytes),
      atomic: "store" as const,
    };
    return [store, ...rmw, exchange];
  }),
];

/** Ways in which an address comes to a store, and whether the value is known beforehand. */
const SHAPES = {
  "local address, simple value": { address: "(local.get $p)", value: "simple" },
  "local address, computed value": { address: "(local.get $p)", value: "computed" },
  "address that is a sum, computed value": {
    address: "(ADDRESS.add (local.get $p) (ADDRESS.const 0))",
    value: "computed",
  },
  "computed address, simple value": {
    address: "(ADDRESS.or (local.get $p) (ADDRESS.const 0))",
    value: "simple",
  },
  "computed address, computed value": {
    address: "(ADDRESS.or (local.get $p) (ADDRESS.const 0))",
    value: "computed",
  },
} as const;

function storeFunction(
  storing: Storing,
  shape: keyof typeof SHAPES,
  { offset, address }: { offset: number; address: "i32" | "i64" },
): string {
  const { instruction, atomic } = storing;
  const lane = instruction.endsWith("_lane") ? " 0" : "";
  const align = atomic ? "" : " align=1";
  const operands = `${SHAPES[shape].address.replaceAll("ADDRESS", address)} ${storing[SHAPES[shape].value]}`;
  const store = `(${instruction} offset=${offset}${align}${lane} ${operands})`;
  return `(func (export "${shape} ${offset}") (param $p ${address}) (param $v i32) ${atomic === "rmw" ? `(drop ${store})` : store})`;
}

/** Fills the memory with what is no zero, so that a card that is missed is seen. */
function patterned(guest: HarnessInstance): HarnessInstance {
  guest.memories[0]?.bytes.fill(0x55);
  guest.takeImage();
  return guest;
}

/** Asserts that memory 0 is as `patterned` made it; says what is not. */
function assertPatterned(guest: HarnessInstance, because: string): void {
  const bytes = guest.memories[0]?.bytes ?? new Uint8Array();
  if (Buffer.compare(bytes, PATTERN) === 0) return;
  const at = bytes.findIndex((byte) => byte !== 0x55);
  assert.fail(`${because}: byte ${at} is ${bytes[at]} after the restore`);
}

const PATTERN = Buffer.alloc(MEMORY_BYTES, 0x55);

for (const address of ["i32", "i64"] as const) {
  for (const storing of INSTRUCTIONS) {
    // All that modify alike go the same way; one address type is enough for them.
    if (address === "i64" && /\.(sub|and|or|xor|xchg)/.test(storing.instruction)) continue;
    test(`${storing.instruction} is undone wherever it stores, with addresses of ${address}`, async () => {
      // The keys of a constant that nobody changes.
      const shapes = Object.keys(SHAPES) as (keyof typeof SHAPES)[];
      const functions = OFFSETS.flatMap((offset) =>
        shapes.map((shape) => storeFunction(storing, shape, { offset, address })),
      );
      const memory = `(memory ${address === "i64" ? "i64 " : ""}${PAGES} ${PAGES})`;
      const guest = patterned(instantiate(await assembleText(`(module ${memory} ${functions.join("\n")})`)));
      let stored = 0;
      for (const [offset, shape] of OFFSETS.flatMap((offset) =>
        shapes.map((shape) => [offset, shape] as const),
      )) {
        for (const at of ADDRESSES) {
          // Atomic accesses want their natural alignment.
          if (storing.atomic && (at + offset) % storing.bytes !== 0) continue;
          const pointer = address === "i64" ? BigInt(at) : at;
          if (!trapped(() => guest.call(`${shape} ${offset}`, pointer, 0xaa))) stored++;
          guest.restore();
          assertPatterned(guest, `${shape}, ${at} + ${offset}`);
        }
      }
      assert.ok(stored > 0);
    });
  }
}

function trapped(act: () => unknown): boolean {
  try {
    act();
    return false;
  } catch (error) {
    assert.ok(error instanceof WebAssembly.RuntimeError);
    return true;
  }
}

const BULK = `
  (data $d "0123456789abcdefghijklmnopqrstuvwxyz")
  (func (export "fill") (param $to ADDRESS) (param $from ADDRESS) (param $n ADDRESS) (memory.fill (local.get $to) (i32.const 0xaa) (local.get $n)))
  (func (export "copy") (param $to ADDRESS) (param $from ADDRESS) (param $n ADDRESS) (memory.copy (local.get $to) (local.get $from) (local.get $n)))
  (func (export "init") (param $to ADDRESS) (param $from i32) (param $n i32) (memory.init $d (local.get $to) (local.get $from) (local.get $n)))`;

for (const address of ["i32", "i64"] as const) {
  test(`memory.fill, memory.copy and memory.init are undone wherever they write, with addresses of ${address}`, async () => {
    const memory = `(memory ${address === "i64" ? "i64 " : ""}${PAGES} ${PAGES})`;
    const bytes = await assembleText(`(module ${memory} ${BULK.replaceAll("ADDRESS", address)})`);
    const guest = patterned(instantiate(bytes));
    const other = guest.memories[0];
    assert.ok(other);
    const cast = (value: number) => (address === "i64" ? BigInt(value) : value);
    for (const to of ADDRESSES) {
      for (const length of [0, 1, 2, 15, 16, 17, 36, 4095, 4096, 4097, 12288, 65536]) {
        // A copy that would be seen: the first bytes are made different, and marked as the host does.
        other.bytes.fill(0x33, 0, 64);
        other.marks[0] = 1;
        trapped(() => guest.call("fill", cast(to), cast(0), cast(length)));
        trapped(() => guest.call("copy", cast(to), cast(0), cast(length)));
        trapped(() => guest.call("copy", cast(0), cast(to), cast(length)));
        trapped(() => guest.call("init", cast(to), 0, length));
        guest.restore();
        assertPatterned(guest, `${length} bytes to ${to}`);
      }
    }
  });
}

function markedCards({ marks }: HarnessMemory): number[] {
  return [...marks.entries()].flatMap(([card, mark]) => (mark ? [card] : []));
}

test("A store marks one card, and nothing that it does not have to", async () => {
  const text =
    '(memory 1) (func (export "f") (param i32) (i64.store offset=8 align=1 (local.get 0) (i64.const 1)))';
  const guest = instantiate(await assembleText(`(module ${text})`));
  for (const at of ADDRESSES.filter((one) => one <= 65520)) {
    guest.call("f", at);
    assert.deepEqual(guest.memories.map(markedCards), [[at >>> CARD_SHIFT]], `at ${at}`);
    guest.restore();
  }
});

test("Any two stores off one local are undone, whichever of their marks is spared", async () => {
  const sizes = [
    { opcode: 0x3a, bytes: 1 },
    { opcode: 0x37, bytes: 8 },
  ];
  const offsets = [0, 1, 8, STRADDLE_BYTES, 2 * STRADDLE_BYTES].flatMap((offset) =>
    range(Math.max(0, offset - 8), offset + 2),
  );
  const pairs = offsets.flatMap((one) =>
    offsets.flatMap((two) => sizes.flatMap((first) => sizes.map((second) => ({ one, two, first, second })))),
  );
  const builder = new ModuleBuilder();
  builder.memory({ min: 1, max: 1, is64: false, shared: false });
  for (const [index, { one, two, first, second }] of pairs.entries()) {
    const run = builder.func({ params: ["i32"], results: [] }, [], (code) => {
      for (const [offset, { opcode, bytes }] of [[one, first] as const, [two, second] as const]) {
        code.u8(OP.LOCAL_GET, 0, bytes === 8 ? OP.I64_CONST : OP.I32_CONST).signed(-1);
        code.u8(opcode, 0).u32(offset);
      }
    });
    builder.exportFunction(String(index), run);
  }
  const guest = patterned(instantiate(builder.build()));
  const cardEnd = 8 * CARD_BYTES;
  for (const [index, pair] of pairs.entries()) {
    // Every place that the end of a card can have relative to the stores.
    const ends = [pair.one, pair.two].flatMap((offset) => range(offset - 1, offset + 8));
    for (const at of new Set([0, ...ends].map((end) => cardEnd - end))) {
      guest.call(String(index), at);
      guest.restore();
      const near = guest.memories[0]?.bytes.subarray(cardEnd - 1024, cardEnd + 1024);
      assert.ok(
        near?.every((byte) => byte === 0x55),
        `${JSON.stringify(pair)} at ${at}`,
      );
    }
  }
});

const UNSPARED = [
  {
    what: "an address",
    text: `(i32.store (local.get $p) (i32.const 1)) (local.set $p (i32.const 9000)) (i32.store (local.get $p) (i32.const 1))`,
  },
  {
    what: "an address of 64 bits that is wrapped",
    text: `(i32.store (i32.wrap_i64 (local.get $w)) (i32.const 1)) (local.set $w (i64.const 9000)) (i32.store (i32.wrap_i64 (local.get $w)) (i32.const 1))`,
  },
  {
    what: "an address while it is on the stack",
    text: `(i32.store (local.get $p) (local.tee $p (i32.const 9000)))`,
  },
  {
    what: "a wrapped address while it is on the stack",
    text: `(i32.store (i32.wrap_i64 (local.get $w)) (i32.wrap_i64 (local.tee $w (i64.const 9000))))`,
  },
  {
    what: "the same address in another memory",
    text: `(i32.store (local.get $p) (i32.const 1)) (i32.store $b (local.get $p) (i32.const 1))`,
  },
  {
    what: "an address that is assigned in a block behind its mark",
    text: `(i32.store (local.get $p) (i32.const 1)) (block (local.set $p (i32.const 9000))) (i32.store (local.get $p) (i32.const 1))`,
  },
  {
    what: "an address that a loop assigns behind its store",
    text: `(i32.store (local.get $p) (i32.const 1))
      (loop (i32.store (local.get $p) (i32.const 1)) (if (i32.lt_u (local.get $p) (i32.const 40000)) (then (local.set $p (i32.const 45000)) (br 1))))`,
  },
  {
    what: "constant addresses of two cards",
    text: `(i32.store (i32.const 4000) (i32.const 1)) (i32.store offset=8 (i32.const 8184) (i32.const 1))`,
  },
  {
    what: "a constant address just behind what the card before covers",
    text: `(i32.store (i32.const 4000) (i32.const 1)) (i32.store (i32.const 4347) (i32.const 1)) (i32.store (i32.const 4348) (i32.const 1))`,
  },
  {
    what: "the same constant address in another memory",
    text: `(i32.store (i32.const 64) (i32.const 1)) (i32.store $b (i32.const 64) (i32.const 1))`,
  },
  {
    what: "a constant address that one of two branches marked",
    text: `(if (i32.eq (local.get $p) (i32.const 1)) (then (i32.store (i32.const 8) (i32.const 1)))) (i32.store (i32.const 8) (i32.const 1))`,
  },
  {
    what: "a constant address that an inner block marked, unless it was left early",
    text: `(block (block (br_if 1 (local.get $p)) (i32.store (i32.const 8) (i32.const 1))) (i32.store (i32.const 9) (i32.const 1))) (i32.store (i32.const 10) (i32.const 1))`,
  },
  {
    what: "an address that one of two branches marked",
    text: `(if (local.get $p) (then (nop)) (else (i32.store (local.get $p) (i32.const 1)))) (i32.store (local.get $p) (i32.const 1))`,
  },
  {
    what: "an address that a block marked, unless it was left early",
    text: `(block (br_if 0 (local.get $p)) (i32.store (local.get $p) (i32.const 1))) (i32.store (local.get $p) (i32.const 1))`,
  },
  {
    what: "an address that changes with each turn of a loop",
    text: `(i32.store (local.get $p) (i32.const 1))
      (loop (i32.store (local.get $p) (i32.const 1)) (br_if 0 (i32.lt_u (local.tee $p (i32.add (local.get $p) (i32.const 4096))) (i32.const 60000))))`,
  },
  {
    what: "an address that has moved on to another card",
    text: `(i32.store (local.get $p) (i32.const 1)) (local.set $p (i32.add (local.get $p) (i32.const 4096))) (i32.store (local.get $p) (i32.const 1))`,
  },
  {
    what: "an address that has moved back",
    text: `(i32.store (local.get $p) (i32.const 1)) (local.set $p (i32.sub (local.get $p) (i32.const 200))) (i32.store (local.get $p) (i32.const 1))`,
  },
  {
    what: "an address that has moved on in one of two branches",
    text: `(i32.store (local.get $p) (i32.const 1))
      (if (i32.eq (local.get $p) (i32.const 5000)) (then (local.set $p (i32.sub (local.get $p) (i32.const 200)))))
      (i32.store offset=400 (local.get $p) (i32.const 1))`,
  },
  {
    what: "an address that may have moved on in a block",
    text: `(i32.store (local.get $p) (i32.const 1))
      (block (br_if 0 (i32.gt_u (local.get $p) (i32.const 5000))) (local.set $p (i32.sub (local.get $p) (i32.const 200))))
      (i32.store offset=400 (local.get $p) (i32.const 1))`,
  },
  {
    what: "an address below a marked one",
    text: `(i32.store (local.get $p) (i32.const 1)) (i32.store (i32.sub (local.get $p) (i32.const 1000)) (i32.const 1))`,
  },
  {
    what: "a sum beyond what is marked",
    text: `(local.set $q (i32.add (local.get $p) (i32.const 4096))) (i32.store (local.get $p) (i32.const 1)) (i32.store (local.get $q) (i32.const 1))`,
  },
  {
    what: "a sum of an address that has moved on since",
    text: `(local.set $q (i32.add (local.get $p) (i32.const 8))) (local.set $p (i32.add (local.get $p) (i32.const 4096)))
      (i32.store (local.get $p) (i32.const 1)) (i32.store (local.get $q) (i32.const 1)) (i32.store offset=4096 (local.get $q) (i32.const 1))`,
  },
  {
    what: "a sum of an address that is another since",
    text: `(local.set $q (i32.add (local.get $p) (i32.const 8))) (local.set $p (i32.const 40000))
      (i32.store (local.get $p) (i32.const 1)) (i32.store (local.get $q) (i32.const 1))`,
  },
  {
    what: "a sum that one of two branches made",
    text: `(local.set $q (i32.const 40000)) (if (i32.eq (local.get $p) (i32.const 5000)) (then (local.set $q (local.get $p))))
      (i32.store (local.get $p) (i32.const 1)) (i32.store (local.get $q) (i32.const 1))`,
  },
  {
    what: "an address that becomes its own sum by way of another",
    text: `(i32.store (local.get $p) (i32.const 1)) (local.set $q (i32.add (local.get $p) (i32.const 4000)))
      (local.set $p (i32.add (local.get $q) (i32.const 4000))) (i32.store (local.get $p) (i32.const 1)) (i32.store (local.get $q) (i32.const 1))`,
  },
  {
    what: "a constant less an address",
    text: `(i32.store (local.get $p) (i32.const 1)) (i32.store (i32.sub (i32.const 30000) (local.get $p)) (i32.const 1))`,
  },
  {
    what: "an address that a loop within a loop assigns",
    text: `(i32.store (local.get $p) (i32.const 1))
      (loop (i32.store (local.get $p) (i32.const 1)) (loop (local.set $p (i32.add (local.get $p) (i32.const 9000)))) (br_if 0 (i32.lt_u (local.get $p) (i32.const 60000))))`,
  },
  {
    what: "an address that a loop assigns behind a block and a loop in it",
    text: `(i32.store (local.get $p) (i32.const 1))
      (loop (i32.store (local.get $p) (i32.const 1)) (block) (loop) (local.set $p (i32.add (local.get $p) (i32.const 9000))) (br_if 0 (i32.lt_u (local.get $p) (i32.const 55000))))`,
  },
  {
    what: "an address that a long loop assigns at its end",
    text: `(i32.store (local.get $p) (i32.const 1))
      (loop (i32.store (local.get $p) (i32.const 1)) ${"(nop)".repeat(2000)} (br_if 0 (i32.lt_u (local.tee $p (i32.add (local.get $p) (i32.const 4096))) (i32.const 60000))))`,
  },
  {
    what: "an address that the other branch marks",
    text: `(if (i32.eqz (local.get $p)) (then (i32.store (local.get $p) (i32.const 1))) (else (i32.store (local.get $p) (i32.const 1))))`,
  },
  {
    what: "an address that is only marked where nothing was thrown",
    text: `(try (do (call $throw (local.get $p)) (i32.store (local.get $p) (i32.const 1))) (catch $e (i32.store (local.get $p) (i32.const 2))))`,
  },
  {
    what: "an address that is only marked where nothing was thrown, caught with all others",
    text: `(try (do (call $throw (local.get $p)) (i32.store (local.get $p) (i32.const 1))) (catch_all (i32.store (local.get $p) (i32.const 2))))`,
  },
];
for (const { what, text } of UNSPARED) {
  test(`No mark is spared wrongly: ${what}`, async () => {
    const bytes = await assembleText(`(module (memory 1 1) (memory $b 1 1) (tag $e)
      (func $throw (param i32) (if (local.get 0) (then (throw $e))))
      (func (export "f") (param $p i32) (param $w i64) (local $q i32) ${text}))`);
    const guest = instantiate(bytes);
    // The last two are at an end of a card, and at a start.
    for (const at of [5000, 20_000, 20_470, 20_480]) {
      guest.call("f", at, BigInt(at));
      guest.restore();
      for (const { bytes } of guest.memories) assert.ok(bytes.every((byte) => byte === 0));
    }
  });
}

const SPARED = [
  { what: "of a local, 248 bytes behind", more: "(i64.store offset=248 (local.get $p) (i64.const 1))" },
  { what: "of a local, in a block", more: "(block (i64.store (local.get $p) (i64.const 1)))" },
  { what: "of a local, behind a block", more: "(block) (i64.store (local.get $p) (i64.const 1))" },
  {
    what: "of a local, in a branch",
    more: "(if (local.get $p) (then (i64.store (local.get $p) (i64.const 1))))",
  },
  {
    what: "of a local, in a loop that does not assign it",
    more: "(loop (i64.store (local.get $p) (i64.const 1)) (br_if 0 (local.tee $q (i32.add (local.get $q) (i32.const 1)))))",
  },
  {
    what: "of the sum of a local and a constant",
    more: "(i64.store (i32.add (local.get $p) (i32.const 248)) (i64.const 1))",
  },
  {
    what: "of a local that has moved on",
    more: "(local.set $p (i32.add (local.get $p) (i32.const 248))) (i64.store (local.get $p) (i64.const 1))",
  },
  {
    what: "of another local that is a sum of it",
    more: "(local.set $q (i32.add (local.get $p) (i32.const 200))) (i64.store offset=48 (local.get $q) (i64.const 1))",
  },
  {
    what: "of what another local was a sum of, before that moved on",
    more: `(local.set $q (i32.add (local.get $p) (i32.const 8))) (local.set $p (i32.add (local.get $p) (i32.const 4096)))
      (i64.store (local.get $q) (i64.const 1))`,
  },
  { what: "of a constant, in the same card", more: "(i64.store offset=400 (i32.const 0) (i64.const 1))" },
  { what: "of a constant, in the 255 bytes behind it", more: "(i64.store (i32.const 759) (i64.const 1))" },
  { what: "beyond all memory", more: "(i64.store offset=4294967295 (i32.const 1) (i64.const 1))" },
];
for (const { what, more } of SPARED) {
  test(`A store needs no mark of its own: ${what}`, async () => {
    const codeBytes = async (text: string) => {
      const bytes = await assembleText(`(module (memory 1) (func (param $p i32) (local $q i32)
        (i32.store8 (local.get $p) (i32.const 1)) (i32.store8 (i32.const 16) (i32.const 1)) ${text}))`);
      return rewrite(bytes, { epoch: false }).bytes.length - bytes.length;
    };
    assert.equal(await codeBytes(more), await codeBytes(""));
  });
}

test("What was grown is gone after a restore, and zero when it comes again", async () => {
  const guest = instantiate(
    await assembleText(`(module (memory 1)
      (func (export "size") (result i32) (memory.size))
      (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
      (func (export "store") (param i32) (i32.store (local.get 0) (i32.const -1)))
      (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))`),
  );
  guest.call("grow", 2);
  for (const at of [65533, 65536, 131070, 196604]) guest.call("store", at);
  guest.restore();
  assert.equal(guest.call("size"), 1);
  assert.equal(guest.call("grow", 2), 1);
  for (const at of [65533 - 1, 65536, 131070, 196604]) assert.equal(guest.call("load", at), 0, `at ${at}`);
});

test("Several memories are restored each by its own cards", async () => {
  const guest = instantiate(
    await assembleText(`(module (memory 1) (memory $b i64 1) (memory $c 1)
      (func (export "store") (param i32)
        (i32.store (local.get 0) (i32.const 1))
        (i32.store $b (i64.extend_i32_u (local.get 0)) (i32.const 2))
        (memory.copy $c 0 (i32.const 9000) (local.get 0) (i32.const 4))))`),
  );
  guest.call("store", 4094);
  assert.deepEqual(guest.memories.map(markedCards), [[7], [7], [17]]);
  guest.restore();
  for (const { bytes } of guest.memories) assert.ok(bytes.every((byte) => byte === 0));
});

const SIGNALLING_NAN = 0x7f800001;

test("Globals of every number type are restored bit by bit, signalling NaN and vectors too", async () => {
  const guest = instantiate(
    await assembleText(`(module
      (global $i (mut i32) (i32.const 1)) (global $j (mut i64) (i64.const 2)) (global $f (mut f32) (f32.const nan:0x1))
      (global $d (mut f64) (f64.const -0)) (global $v (mut v128) (v128.const i32x4 1 2 3 4)) (global $r (mut funcref) (ref.func $get))
      (func (export "change") (global.set $i (i32.const 9)) (global.set $j (i64.const 9)) (global.set $f (f32.const 9)) (global.set $d (f64.const 9))
        (global.set $v (v128.const i32x4 9 9 9 9)) (global.set $r (ref.null func)))
      (func $get (export "get") (result i32 i64 i32 i64 i64 i64 i32) (global.get $i) (global.get $j) (i32.reinterpret_f32 (global.get $f))
        (i64.reinterpret_f64 (global.get $d)) (i64x2.extract_lane 0 (global.get $v)) (i64x2.extract_lane 1 (global.get $v)) (ref.is_null (global.get $r))))`),
  );
  const before = guest.call("get");
  assert.deepEqual(before, [1, 2n, SIGNALLING_NAN, -(2n ** 63n), 0x200000001n, 0x400000003n, 0]);
  guest.call("change");
  assert.notDeepEqual(guest.call("get"), before);
  guest.restore();
  assert.deepEqual(guest.call("get"), before);
});

test("Globals that hold references are restored, those that cannot be null too", () => {
  // (module (type $s (struct (field i32))) (type $f (func (result i32)))
  //   (global $struct (mut (ref $s)) (struct.new $s (i32.const 1))) (global $null (mut (ref null $s)) (ref.null $s))
  //   (global $func (mut (ref $f)) (ref.func $one)) (global $i31 (mut i31ref) (ref.i31 (i32.const 5)))
  //   (func $one (type $f) (i32.const 1)) (func $two (type $f) (i32.const 2)) (elem declare func $two)
  //   (func (export "change") (global.set $struct (struct.new $s (i32.const 2))) (global.set $null (global.get $struct))
  //     (global.set $func (ref.func $two)) (global.set $i31 (ref.i31 (i32.const 6))))
  //   (func (export "sum") (result i32) (i32.add
  //     (i32.add (struct.get $s 0 (global.get $struct)) (call_ref $f (global.get $func)))
  //     (i32.add (i31.get_s (global.get $i31)) (ref.is_null (global.get $null))))))
  const bytes = Buffer.from(
    "AGFzbQEAAAABDANfAX8AYAABf2AAAAMFBAEBAgEGHQRkAAFBAfsAAAtjAAHQAAtkAQHSAAtsAUEF+xwLBxACBmNoYW5nZQACA3N1bQAD" +
      "CQUBAwABAQo6BAQAQQELBABBAgsXAEEC+wAAJAAjACQB0gEkAkEG+xwkAwsWACMA+wIAACMCFAFqIwP7HSMB0WpqCw==",
    "base64",
  );
  const guest = instantiate(bytes);
  assert.equal(guest.call("sum"), 8);
  guest.call("change");
  assert.equal(guest.call("sum"), 10);
  guest.restore();
  assert.equal(guest.call("sum"), 8);
});

test("A segment that was dropped is there again; one that was dropped by the start function is not", async () => {
  const guest = instantiate(
    await assembleText(`(module (memory 1) (data $early "early") (data $late "late")
      (func $start (data.drop $early)) (start $start)
      (func (export "early") (memory.init $early (i32.const 0) (i32.const 0) (i32.const 1)))
      (func (export "late") (memory.init $late (i32.const 0) (i32.const 0) (i32.const 1)))
      (func (export "drop") (data.drop $late)))`),
  );
  for (let round = 0; round < 2; round++) {
    assert.ok(
      trapped(() => guest.call("early")),
      "as in a fresh instance",
    );
    assert.ok(!trapped(() => guest.call("late")));
    guest.call("drop");
    assert.ok(trapped(() => guest.call("late")));
    guest.restore();
  }
});
