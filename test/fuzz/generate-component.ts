// Components to damage: those that forward values of random types, those of the tests, and towers of
// components in components that multiply with each storey.

import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { randomType, Random as TypeRandom } from "../../src/component/canonical/random-value.ts";
import type { ValueType } from "../../src/component/mod.ts";
import { ByteWriter, isComponent } from "../../src/wasm/mod.ts";
import { THING, writeForwarder } from "../component/forwarder.ts";
import type { Random } from "./random.ts";

const FOLDERS = ["src/component/fixtures", "test/suites"].map((path) =>
  join(import.meta.dirname, "../..", path),
);
const TYPE_DEPTH = 3;
const STOREYS_MAX = 120;
const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00];

/** The components of the tests. */
export async function readComponents(): Promise<Uint8Array[]> {
  const lists = FOLDERS.map(async (cwd) =>
    (await Array.fromAsync(glob("*.wasm", { cwd }))).toSorted().map((name) => readFile(join(cwd, name))),
  );
  const files = await Promise.all((await Promise.all(lists)).flat());
  return files.filter((bytes) => isComponent(bytes));
}

/** A valid component, or a tower. */
export async function generateComponent(random: Random): Promise<Uint8Array> {
  if (random.oneIn(8)) return tower(random.between(1, STOREYS_MAX), random.between(0, 3));
  const types = new TypeRandom(random.u32());
  const made: ValueType[] = types.many(4, () => randomType(types, TYPE_DEPTH));
  if (random.oneIn(3)) made.push({ kind: random.pick(["own", "borrow"]), resource: THING });
  return writeForwarder(made, { stringEncoding: random.pick(["utf8", "utf16", "latin1+utf16"]) });
}

/** A component that holds a component that holds a component; each instantiates the one in it so many times. */
function tower(storeys: number, times: number): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(HEADER);
  for (let storey = 0; storey < storeys; storey++) {
    const instances = new ByteWriter().u32(times);
    for (let left = times; left > 0; left--) instances.u8(0x00).u32(0).u32(0);
    const writer = new ByteWriter()
      .u8(...HEADER)
      .u8(0x04)
      .sized(bytes);
    bytes = writer.u8(0x05).sized(instances.take()).take();
  }
  return bytes;
}
