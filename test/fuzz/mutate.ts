// Damages modules: a little, so that much of them stays valid, or thoroughly.

import type { Random } from "./random.ts";

/** How many changes there may be. One alone often leaves a module valid. */
const CHANGES = [1, 1, 1, 2, 3, 6];
const RANGE_BYTES_MAX = 64;
const HEADER_BYTES = 8;

/** Bytes that mean something: opcodes, types, the ends of integers. */
const TELLING = [
  0x00, 0x01, 0x02, 0x03, 0x04, 0x0b, 0x10, 0x20, 0x21, 0x36, 0x3f, 0x40, 0x41, 0x60, 0x63, 0x64,
];
const TELLING_TOO = [0x6b, 0x6f, 0x70, 0x7b, 0x7e, 0x7f, 0x80, 0xc0, 0xfb, 0xfc, 0xfd, 0xfe, 0xff];
/** Integers at their edges, in as many bytes as they may have, and in more. */
const INTEGERS = [
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0x80, 0x80, 0x80, 0x80, 0x08],
  [0x80, 0x80, 0x80, 0x80, 0x00],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
  [0xff, 0xff, 0x03],
];

/** Opcodes that take and give the same. What else has such a byte is most often an index or a constant. */
const KINDRED = [
  [0x02, 0x03],
  [0x0c, 0x0d, 0x0f, 0x00],
  [0x10, 0x12],
  [0x21, 0x22, 0x20],
  [0x28, 0x2c, 0x2d, 0x2e, 0x2f],
  [0x29, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35],
  [0x36, 0x3a, 0x3b],
  [0x37, 0x3c, 0x3d, 0x3e],
  [0x46, 0x47, 0x48, 0x49, 0x4c, 0x4e, 0x6a, 0x6b, 0x6c, 0x6d, 0x70, 0x71, 0x72, 0x74, 0x76],
  [0x51, 0x52, 0x54, 0x57, 0x5a],
  [0x7c, 0x7d, 0x7e, 0x83, 0x84, 0x86, 0x88],
];

export function mutate(bytes: Uint8Array, random: Random, donor: Uint8Array): Uint8Array {
  let mutated: Uint8Array = bytes.slice();
  for (let left = random.pick(CHANGES); left > 0; left--) mutated = change(mutated, random, donor);
  return mutated;
}

function change(bytes: Uint8Array, random: Random, donor: Uint8Array): Uint8Array {
  const at = random.oneIn(20) ? random.below(bytes.length) : random.between(HEADER_BYTES, bytes.length);
  const length = random.between(1, RANGE_BYTES_MAX);
  const from = random.below(donor.length);
  switch (random.below(16)) {
    case 0:
    case 1:
      return replaced(bytes, at, [(bytes[at] ?? 0) ^ (1 << random.below(8))]);
    case 2:
    case 3:
      return replaced(bytes, at, [random.pick(random.oneIn(2) ? TELLING : TELLING_TOO)]);
    case 4:
      return replaced(bytes, at, [random.between(0x45, 0xc4)]);
    case 5:
      return spliced(bytes, { at, remove: random.below(3), insert: random.pick(INTEGERS) });
    case 6:
      return spliced(bytes, {
        at,
        remove: random.oneIn(2) ? length : 0,
        insert: donor.subarray(from, from + length),
      });
    case 7:
      return spliced(bytes, { at, remove: length, insert: [] });
    case 8:
      return withSectionMoved(bytes, random);
    case 9:
      return random.oneIn(3) ? bytes.slice(0, at) : replaced(bytes, at, [random.u32() & 0xff]);
    default:
      return withKindredOpcode(bytes, at, random);
  }
}

function withKindredOpcode(bytes: Uint8Array, from: number, random: Random): Uint8Array {
  for (let at = from; at < bytes.length; at++) {
    const kindred = KINDRED.find((opcodes) => opcodes.includes(bytes[at] ?? -1));
    if (kindred) return replaced(bytes, at, [random.pick(kindred)]);
  }
  return bytes;
}

function replaced(bytes: Uint8Array, at: number, by: readonly number[]): Uint8Array {
  if (at < bytes.length) bytes.set(by, at);
  return bytes;
}

function spliced(
  bytes: Uint8Array,
  {
    at,
    remove,
    insert,
  }: { readonly at: number; readonly remove: number; readonly insert: ArrayLike<number> },
): Uint8Array {
  return Uint8Array.from([...bytes.subarray(0, at), ...Array.from(insert), ...bytes.subarray(at + remove)]);
}

/** Leaves a section out, or has it twice, or puts it elsewhere. */
function withSectionMoved(bytes: Uint8Array, random: Random): Uint8Array {
  const sections = sectionsOf(bytes);
  if (sections.length === 0) return bytes;
  const index = random.below(sections.length);
  const [section] = random.oneIn(2) ? sections.splice(index, 1) : [sections[index]];
  if (section && random.oneIn(2)) sections.splice(random.below(sections.length + 1), 0, section);
  return Uint8Array.from([...bytes.subarray(0, HEADER_BYTES), ...sections.flatMap((each) => [...each])]);
}

function sectionsOf(bytes: Uint8Array): Uint8Array[] {
  const sections: Uint8Array[] = [];
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    let [size, shift, next] = [0, 0, at + 1];
    for (let byte = 0x80; byte >= 0x80 && shift < 35; shift += 7) {
      byte = bytes[next++] ?? 0;
      size += (byte & 0x7f) * 2 ** shift;
    }
    const end = Math.min(next + size, bytes.length);
    sections.push(bytes.subarray(at, end));
    at = end;
  }
  return sections;
}
