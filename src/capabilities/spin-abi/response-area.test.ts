import assert from "node:assert/strict";
import { test } from "node:test";
import { GuestMemory, GuestMemoryFault, GuestTextFault } from "../../engine/mod.ts";
import { CONTROL } from "../../wasm/mod.ts";
import { GuestLimitError } from "./guest-reader.ts";
import { GuestTagError, readResponse } from "./response-area.ts";
import { SpinAbi } from "./version.ts";

const PAGE_BYTES = 65536;
const AREA = 256;
const LIST = 512;
const TEXTS = 1024;

/** One page of memory with words at places, as a guest may have left it. */
function memoryWith(words: Readonly<Record<number, number>>, text = ""): GuestMemory {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const cards = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  new Uint32Array(cards.buffer, CONTROL.PAGES, 1)[0] = 1;
  const view = new DataView(memory.buffer);
  for (const [at, word] of Object.entries(words)) view.setUint32(Number(at), word, true);
  Buffer.from(memory.buffer).write(text, TEXTS, "latin1");
  return new GuestMemory(memory, cards);
}

function abiOf(spinAbi?: string): SpinAbi {
  return SpinAbi.of({ id: "api", tool: spinAbi === undefined ? {} : { spindle: { spin_abi: spinAbi } } });
}

/** The words of an area at AREA, in the order of the layout. */
function area(stride: 4 | 8, words: readonly number[]): Record<number, number> {
  return Object.fromEntries(words.map((word, index) => [AREA + index * stride, word]));
}

const PAIR = { [LIST]: TEXTS, [LIST + 4]: 1, [LIST + 8]: TEXTS + 1, [LIST + 12]: 2 };
const ALL = [201, 1, LIST, 1, 1, TEXTS + 3, 4];

const SHOWN = [
  { stride: 8, words: ALL, shows: "A", headers: ["n", "va"], body: "body" },
  { stride: 4, words: ALL, shows: "B", headers: ["n", "va"], body: "body" },
  { stride: 8, words: [201, 1, LIST, 1], shows: "A", headers: ["n", "va"], body: undefined },
  { stride: 4, words: [201, 1, LIST, 1], shows: "B", headers: ["n", "va"], body: undefined },
  { stride: 8, words: [201, 0, 0, 0, 1, TEXTS + 3, 4], shows: "A", headers: [], body: "body" },
  { stride: 4, words: [201, 0, 0, 0, 1, TEXTS + 3, 4], shows: "B", headers: [], body: "body" },
  { stride: 8, words: [201, 1, 8, 0, 1, 1, 0], shows: "A", headers: [], body: "" },
  { stride: 4, words: [201, 1, 4, 0, 1, 1, 0], shows: "B", headers: [], body: "" },
] as const;
for (const { stride, words, shows, headers, body } of SHOWN) {
  test(`readResponse() reads ${words.length} values at every ${stride} bytes as generation ${shows}`, () => {
    const memory = memoryWith({ ...area(stride, words), ...PAIR }, "nvabody");
    const abi = abiOf();
    const response = readResponse(memory, AREA, abi);
    assert.deepEqual(
      { ...response, body: response.body && Buffer.from(response.body).toString() },
      {
        status: 201,
        headers,
        body,
      },
    );
    assert.deepEqual([abi.isKnown, abi.version.generation], [true, shows]);
  });
}

test("readResponse() learns nothing from a status alone, which reads the same in both generations", () => {
  for (const stride of [4, 8] as const) {
    const abi = abiOf();
    assert.deepEqual(readResponse(memoryWith(area(stride, [204])), AREA, abi), {
      status: 204,
      headers: [],
      body: undefined,
    });
    assert.equal(abi.isKnown, false);
  }
});

test("readResponse() does not take what generation B leaves in padding for generation A", () => {
  const words = { ...area(4, [200, 0, 1, 77, 1, TEXTS, 4]) };
  const response = readResponse(memoryWith(words, "body"), AREA, abiOf());
  assert.equal(Buffer.from(response.body ?? []).toString(), "body");
});

test("readResponse() goes by the manifest where it says the generation, whatever the tags look like", () => {
  const words = { ...area(8, ALL), ...PAIR, [AREA + 4]: 1 };
  assert.deepEqual(readResponse(memoryWith(words, "nvabody"), AREA, abiOf("0.1")).headers, ["n", "va"]);
});

test("readResponse() reads an area of generation B that ends where memory ends", () => {
  const at = PAGE_BYTES - 28;
  const memory = memoryWith({ [at]: 200, [at + 16]: 1, [at + 20]: TEXTS, [at + 24]: 4 }, "body");
  assert.equal(Buffer.from(readResponse(memory, at, abiOf()).body ?? []).toString(), "body");
});

test("readResponse() takes headers that hold UTF-8 byte by byte", () => {
  const text = Buffer.from("é🦀").toString("latin1");
  const words = {
    ...area(4, [200, 1, LIST, 1]),
    [LIST]: TEXTS,
    [LIST + 4]: 2,
    [LIST + 8]: TEXTS,
    [LIST + 12]: 6,
  };
  assert.deepEqual(readResponse(memoryWith(words, text), AREA, abiOf()).headers, [text.slice(0, 2), text]);
});

const LIES: readonly {
  readonly lie: string;
  readonly words: Readonly<Record<number, number>>;
  readonly pointer?: number;
  readonly text?: string;
  readonly error: new (...args: never[]) => Error;
}[] = [
  { lie: "an area outside of memory", words: {}, pointer: 0xfffffff0, error: GuestMemoryFault },
  { lie: "an area across the end of memory", words: {}, pointer: PAGE_BYTES - 4, error: GuestMemoryFault },
  { lie: "a negative pointer", words: {}, pointer: -1, error: GuestMemoryFault },
  { lie: "tag 7 for headers", words: area(4, [200, 7]), error: GuestTagError },
  { lie: "tag 9 for the body", words: area(4, [200, 1, LIST, 0, 9]), error: GuestTagError },
  { lie: "2^31 headers", words: area(4, [200, 1, LIST, 2 ** 31]), error: GuestLimitError },
  { lie: "1025 headers", words: area(4, [200, 1, LIST, 1025]), error: GuestLimitError },
  { lie: "a list outside of memory", words: area(4, [200, 1, 2 ** 31, 1]), error: GuestMemoryFault },
  { lie: "a list across the end", words: area(4, [200, 1, PAGE_BYTES - 8, 1]), error: GuestMemoryFault },
  {
    lie: "a name outside of memory",
    words: { ...area(4, [200, 1, LIST, 1]), [LIST]: 0xffffffff, [LIST + 4]: 1 },
    error: GuestMemoryFault,
  },
  {
    lie: "a name of 2^32 - 1 bytes",
    words: { ...area(4, [200, 1, LIST, 1]), [LIST]: 1, [LIST + 4]: 0xffffffff },
    error: GuestLimitError,
  },
  {
    lie: "names that overlap to more than 256 KiB",
    words: {
      ...area(4, [200, 1, LIST, 5]),
      ...Object.fromEntries([0, 1, 2, 3, 4].map((index) => [LIST + 16 * index, TEXTS])),
      ...Object.fromEntries([0, 1, 2, 3, 4].map((index) => [LIST + 16 * index + 4, 60_000])),
    },
    error: GuestLimitError,
  },
  {
    lie: "a value that is not UTF-8",
    words: { ...area(4, [200, 1, LIST, 1]), ...PAIR },
    text: "n\xc3(",
    error: GuestTextFault,
  },
  {
    lie: "a body outside of memory",
    words: area(4, [200, 1, LIST, 0, 1, 0xfffffff0, 100]),
    error: GuestMemoryFault,
  },
  {
    lie: "a body of 2^32 - 1 bytes",
    words: area(4, [200, 1, LIST, 0, 1, 8, 0xffffffff]),
    error: GuestMemoryFault,
  },
];
for (const { lie, words, pointer = AREA, text, error } of LIES) {
  test(`readResponse() refuses ${lie}`, () => {
    assert.throws(() => readResponse(memoryWith(words, text), pointer, abiOf()), error);
  });
}

test("readResponse() takes 1024 headers", () => {
  const words = { ...area(4, [200, 1, LIST, 1024]) };
  assert.equal(readResponse(memoryWith(words), AREA, abiOf()).headers.length, 2048);
});

test("readResponse() takes an empty body that begins where memory ends", () => {
  const words = area(4, [200, 1, LIST, 0, 1, PAGE_BYTES, 0]);
  assert.deepEqual(readResponse(memoryWith(words), AREA, abiOf()).body, Buffer.alloc(0));
});
