// No request sees what an earlier one has left, however that ended, and wherever in its call.
//
// A control shows of each attack that it succeeds where nobody restores the instance.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Engine, type EngineOptions, TrapError } from "../../src/engine/mod.ts";
import { mountDirectory } from "../../src/mounts/mod.ts";
import { assembleText } from "../../src/wasm/mod.ts";
import { ATTACKS, compose, ENDINGS, type Ending, FILE } from "./attacks.ts";
import { notRecyclable } from "./not-recyclable.ts";
import { PlainInstance } from "./plain-instance.ts";
import { newTemplate, newWasi, PLACES, type Seen, Slots } from "./slots.ts";

const GEARS: Readonly<Record<string, EngineOptions>> = {
  "first gear": { gearing: "first" },
  "second gear": { gearing: "second" },
  "a shift at the first host call": { gearing: "first", forcesShift: (hostCall) => hostCall === 0 },
};

const owned = new AsyncDisposableStack();
after(() => owned.disposeAsync());
const directory = await mkdtemp(join(tmpdir(), "spindle-isolation-"));
owned.defer(() => rm(directory, { recursive: true }));
await writeFile(join(directory, FILE.name), FILE.contents);
const mounted = owned.use(
  await mountDirectory({ guestPath: "/", hostPath: directory, kind: "live", access: "write" }),
);
const template = newTemplate([mounted]);
const engines = Object.entries(GEARS).map(([gear, options]) => ({
  gear,
  engine: owned.use(new Engine(options)),
}));

/** How a call is seen to end. */
function endingOf({ result, error }: Seen): Ending {
  if (result === "exited") return "exit";
  if (error === undefined) return "return";
  const cause = error instanceof TrapError ? error.cause : error;
  if (cause instanceof WebAssembly.Exception) return "throw";
  const isOverflow = error instanceof TrapError && error.reason === "stack-overflow";
  if (isOverflow || cause instanceof RangeError) return "overflow";
  assert.ok(cause instanceof WebAssembly.RuntimeError, String(cause));
  return "trap";
}

async function check(bytes: Uint8Array): Promise<void> {
  for (const { gear, engine } of engines) {
    using slots = await Slots.create(bytes, { engine, template });
    for (const ending of ENDINGS) {
      for (const place of PLACES) {
        const where = `${gear}, ${ending} in ${place}`;
        assert.equal(endingOf(await slots.call(`soil, ${ending}`, { place })), ending, where);
        assert.deepEqual(await slots.call("look"), { result: 0 }, where);
      }
    }
    assert.ok(slots.live <= 2, "Slots are used again");
  }
}

for (const attack of ATTACKS) {
  test(`${attack.name}: a recycled slot shows none of it`, async () => {
    await check(await assembleText(compose(attack)));
  });

  test(`${attack.name}: a fresh instance on pooled memory shows none of it`, async () => {
    await check(await notRecyclable(await assembleText(compose(attack))));
  });

  test(`${attack.name}: an instance that nobody restores shows it`, async () => {
    const bytes = await assembleText(compose(attack));
    for (const ending of ENDINGS) {
      using wasi = newWasi(template);
      const instance = new PlainInstance(bytes, wasi);
      assert.equal(endingOf(instance.call(`soil, ${ending}`)), ending);
      const { result, error } = instance.call("look");
      // Some looks trap where a segment is gone.
      assert.ok(result === 1 || error instanceof WebAssembly.RuntimeError, `${ending}: ${result ?? error}`);
    }
  });

  test(`${attack.name}: a new instance shows nothing`, async () => {
    using wasi = newWasi(template);
    const bytes = await assembleText(compose(attack));
    assert.deepEqual(new PlainInstance(bytes, wasi).call("look"), { result: 0 });
  });
}
