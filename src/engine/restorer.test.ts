import assert from "node:assert/strict";
import { test } from "node:test";
import { CARD_SHIFT, CONTROL, STRADDLE_BYTES } from "../wasm/mod.ts";
import { MemoryCell } from "./memory-cell.ts";
import { MemoryImages } from "./memory-images.ts";

const PAGE_BYTES = 65_536;
const CARD_BYTES = 1 << CARD_SHIFT;
const CARDS_PER_PAGE = PAGE_BYTES / CARD_BYTES;
/** The image ends in the midst of the second page. */
const IMAGE_BYTES = PAGE_BYTES + 10 * CARD_BYTES;
const PAGES = 3;

const KINDS = [
  { what: "a memory", is64: false, shared: false },
  { what: "a memory with addresses of 64 bits", is64: true, shared: false },
  { what: "a shared memory", is64: false, shared: true },
];

/** Sets of cards that a guest has written to. */
const SOILED: readonly { readonly what: string; readonly cards: readonly number[] }[] = [
  { what: "nothing", cards: [] },
  { what: "the first card", cards: [0] },
  { what: "the first and the last of eight", cards: [8, 15] },
  { what: "one of each eight", cards: [3, 11, 20, 31, 39] },
  { what: "sixteen in a row", cards: Array.from({ length: 16 }, (_, index) => 44 + index) },
  { what: "the last card of the image and the next", cards: [CARDS_PER_PAGE + 9, CARDS_PER_PAGE + 10] },
  { what: "cards that the image has not", cards: [2 * CARDS_PER_PAGE, 2 * CARDS_PER_PAGE + 77] },
  { what: "the last card", cards: [PAGES * CARDS_PER_PAGE - 1] },
  { what: "every card", cards: Array.from({ length: PAGES * CARDS_PER_PAGE }, (_, index) => index) },
];

for (const { what: kind, ...type } of KINDS) {
  const limits = { min: PAGES, max: 8, ...type };
  const cell = new MemoryCell(limits, 8);
  const marks = new Uint8Array(cell.cards.buffer, CONTROL.MARKS);
  const bytes = () => new Uint8Array(cell.memory.buffer);
  bytes().fill(0x55, 0, IMAGE_BYTES);
  const image = new MemoryImages().of(cell.capture());
  const fresh = bytes().slice();

  for (const { what, cards } of SOILED) {
    test(`Restorer puts back ${what} of ${kind}, and clears the marks`, () => {
      for (const card of cards) {
        const from = card * CARD_BYTES;
        bytes().fill(0xaa, from, from + CARD_BYTES + STRADDLE_BYTES);
        marks[card] = 1;
      }
      cell.restore(image);
      assert.equal(Buffer.compare(bytes(), fresh), 0);
      assert.ok(marks.every((mark) => mark === 0));
    });
  }

  test(`Restorer leaves what is not marked of ${kind} alone`, () => {
    const [before, marked, behind] = [15, 16, 18];
    for (const card of [before, marked, behind]) bytes()[card * CARD_BYTES + STRADDLE_BYTES] = 1;
    marks[marked] = 1;
    cell.restore(image);
    const left = [before, marked, behind].map((card) => bytes()[card * CARD_BYTES + STRADDLE_BYTES]);
    assert.deepEqual(left, [1, 0x55, 1]);
    for (const card of [before, behind]) marks[card] = 1;
    cell.restore(image);
  });

  test(`Restorer makes zero what ${kind} has grown by`, () => {
    const grown = PAGES + 2;
    // A memory with addresses of 64 bits takes a bigint, which the library's types do not know.
    cell.memory.grow((type.is64 ? 2n : 2) as number);
    new Int32Array(cell.cards.buffer)[CONTROL.PAGES / 4] = grown;
    for (const card of [PAGES * CARDS_PER_PAGE, grown * CARDS_PER_PAGE - 1]) {
      bytes().fill(0xaa, card * CARD_BYTES, (card + 1) * CARD_BYTES);
      marks[card] = 1;
    }
    cell.restore(image);
    assert.equal(cell.pages, PAGES);
    assert.ok(bytes().every((byte, at) => byte === (at < IMAGE_BYTES ? 0x55 : 0)));
  });
}

test("MemoryImages keeps one image for equal contents", () => {
  const images = new MemoryImages();
  const cells = [1, 1, 2].map((byte) => {
    const cell = new MemoryCell({ min: 1, max: 1, is64: false, shared: false }, 1);
    new Uint8Array(cell.memory.buffer).fill(byte, 0, 100);
    return images.of(cell.capture());
  });
  assert.equal(cells[0], cells[1]);
  assert.notEqual(cells[0], cells[2]);
});
