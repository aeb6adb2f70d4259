// A second of the fuzzer, the same in every run, and all that it has ever found.

import assert from "node:assert/strict";
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { Fuzzer } from "./fuzzer.ts";

const CASES = 60;
const CORPUS = join(import.meta.dirname, "corpus");

const fuzzer = await Fuzzer.create();
after(() => fuzzer[Symbol.dispose]());

test(`${CASES} modules and components, made at random or damaged, run in the engine as they do in V8, or are refused as they are there`, async () => {
  for (let seed = 0; seed < CASES; seed++)
    assert.equal((await fuzzer.run(seed))?.what, undefined, `seed ${seed}`);
});

for await (const name of glob("*.wasm", { cwd: CORPUS })) {
  test(`What the fuzzer found in ${name} does not come back`, async () => {
    const bytes = await readFile(join(CORPUS, name));
    // Several seeds, for the arguments of calls; even ones compare with V8, which only modules of our own can.
    for (const seed of name.startsWith("generated-") ? [0, 2, 4, 6] : [1, 3, 5, 7])
      assert.equal(await fuzzer.check(bytes, seed), undefined, `seed ${seed}`);
  });
}
