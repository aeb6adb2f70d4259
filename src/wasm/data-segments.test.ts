import assert from "node:assert/strict";
import test from "node:test";
import { DataSegments } from "./data-segments.ts";
import { readLayout } from "./layout.ts";
import { assembleText } from "./text.ts";

const cases = [
  {
    data: '(data (i32.const 0) "ab") (data (i32.const 66) "cd")',
    lengths: [68],
    because: "64 zeros are cheaper than a segment",
  },
  {
    data: '(data (i32.const 0) "ab") (data (i32.const 67) "cd")',
    lengths: [2, 2],
    because: "65 zeros are not",
  },
  {
    data: '(data (i32.const 0) "abcd") (data (i32.const 2) "ef")',
    lengths: [4, 2],
    because: "the second writes over the first",
  },
  {
    data: '(data (i32.const 8) "x") (data (i32.const 0) "ab") (data (i32.const 9) "cd")',
    lengths: [1, 2, 2],
    because: "between them is what was written before",
  },
  {
    data: '(data (i32.const 9) "xyz") (data (i32.const 0) "ab") (data (i32.const 9) "cd")',
    lengths: [3, 11],
    because: "what was written before is written over, or stays behind it",
  },
  {
    data: '(data (i32.const 9) "x") (data (i32.const 0) "ab") (data (i32.const 8) "cd") (data (i32.const 11) "e")',
    lengths: [1, 10, 1],
    because: "behind what was written over, more may be",
  },
  {
    data: '(data (i32.const 0) "abcd") (data (i32.const 2) "x") (data (i32.const 5) "e")',
    lengths: [4, 1, 1],
    because: "the second is within the first",
  },
  {
    data: '(data (global.get 0) "x") (data (i32.const 0) "ab") (data (i32.const 3) "cd")',
    lengths: [1, 2, 2],
    because: "the first may be anywhere",
  },
  {
    data: '(data (i32.const 0) "a") (data "passive") (data (i32.const 1) "b")',
    lengths: [1, 7, 1],
    because: "a passive segment stays by itself",
  },
  {
    data: '(data (i32.const 0) "a") (data (memory 1) (i32.const 1) "b") (data (i32.const 1) "c")',
    lengths: [1, 1, 1],
    because: "they are of different memories",
  },
];
for (const { data, lengths, because } of cases) {
  test(`DataSegments makes ${lengths.length} of ${data}: ${because}`, async () => {
    const text = `(module (import "a" "g" (global i32)) (memory 1) (memory 1) ${data})`;
    const { merged } = new DataSegments(readLayout(await assembleText(text)));
    assert.deepEqual(
      merged.map(({ length }) => length),
      lengths,
    );
  });
}

test("DataSegments leaves the segments of an imported memory apart", async () => {
  const text = '(module (import "a" "m" (memory 1)) (data (i32.const 0) "a") (data (i32.const 1) "b"))';
  assert.equal(new DataSegments(readLayout(await assembleText(text))).merged.length, 2);
});

test("DataSegments tells where a passive segment is behind merged ones", async () => {
  const data = '(data (i32.const 0) "a") (data (i32.const 1) "b") (data "passive")';
  const segments = new DataSegments(readLayout(await assembleText(`(module (memory 1) ${data})`)));
  assert.equal(segments.indexOf(2), 1);
  assert.equal(segments.indexOf(3), undefined);
  assert.equal(segments.empty, 2);
});
