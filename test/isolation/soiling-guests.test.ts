// Programs in C that soil what C libraries keep: heap, stdio, environment, descriptors, directories.
//
// Their answers tell all that they find. They are the same for each request, in slots of both kinds and in
// every gear; in an instance that nobody restores, they are not.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { EngineOptions, Invocation } from "../../src/engine/mod.ts";
import { mountDirectory } from "../../src/mounts/mod.ts";
import type { ExecutionContext, RuntimeContext } from "../../src/runtime/mod.ts";
import type { StdoutSink } from "../../src/wasi/mod.ts";
import { COMPONENT_ID, guestContext } from "../guest-context.ts";
import { notRecyclable } from "./not-recyclable.ts";
import { PlainInstance } from "./plain-instance.ts";
import { newTemplate, newWasi } from "./slots.ts";

const CALLS = 4;
const GUESTS = join(import.meta.dirname, "../../guests");

const directory = await mkdtemp(join(tmpdir(), "spindle-isolation-"));
after(() => rm(directory, { recursive: true }));
await writeFile(join(directory, "é.txt"), "🦀");

const GEARS: Readonly<Record<string, EngineOptions>> = {
  "first gear": { gearing: "first" },
  "second gear": { gearing: "second" },
  "a shift at the third host call": { gearing: "first", forcesShift: (hostCall) => hostCall === 2 },
};

/** Keeps what is printed. */
function printed(): { readonly sink: StdoutSink & { held: true }; text(): string } {
  const pieces: Buffer[] = [];
  const write = (bytes: Uint8Array) => void pieces.push(Buffer.from(bytes));
  return {
    sink: { held: true, write, reset: () => void pieces.splice(0) },
    text: () => Buffer.concat(pieces).toString(),
  };
}

/** Arguments of a handler of the Spin ABI, generation B, for a request without URI, headers and body. */
const REQUEST = [0, 8, 0, 8, 0, 8, 0, 0, 8, 0];
/** Where pointer and length of the body are in what it returns. */
const BODY = { pointer: 20, length: 24 } as const;

const HANDLE: Invocation<RuntimeContext<undefined>, string> = {
  exportName: "handle-http-request",
  lower: () => REQUEST,
  lift({ memory }, result) {
    const area = Number(result);
    return memory.read(memory.readU32(area + BODY.pointer), memory.readU32(area + BODY.length)).toString();
  },
};

const RUN: Invocation<RuntimeContext<undefined>, void> = {
  exportName: "_start",
  lower: () => [],
  lift() {},
  exited() {},
};

type Ask = (context: ExecutionContext<undefined>) => Promise<string>;

const handle: Ask = async (context) => {
  const { sink, text } = printed();
  using prepared = context.prepare(COMPONENT_ID, undefined, { stdout: sink });
  const answer = await prepared.run(HANDLE);
  assert.equal(text(), "", "what an earlier request left in the buffers of stdio is not printed");
  return answer;
};

const run: Ask = async (context) => {
  const { sink, text } = printed();
  using prepared = context.prepare(COMPONENT_ID, undefined, { stdout: sink });
  await prepared.run(RUN);
  return text();
};

const PROGRAMS = [
  { name: "isolation", ask: handle },
  { name: "isolation-wagi", ask: run },
] as const;

for (const { name, ask } of PROGRAMS) {
  for (const kind of ["recycled slot", "fresh instance"] as const) {
    test(`c/${name} answers the same for each request in a ${kind}, in every gear`, async () => {
      const answers = new Set<string>();
      const path = await pathOf(name, kind);
      for (const engine of Object.values(GEARS)) {
        using context = await guestContext(path, {
          environment: { KEEP: "kept" },
          mounts: [{ guestPath: "/", hostPath: directory, kind: "live", access: "write" }],
          engine,
        });
        for (let left = CALLS; left > 0; left--) answers.add(await ask(context));
        assert.ok(context.slots(COMPONENT_ID).live < CALLS, "Slots are used again");
      }
      const [answer, ...others] = answers;
      assert.match(answer ?? "", /pages \d+\nstack/);
      assert.deepEqual(others, []);
    });
  }
}

/** The guest as it is committed, or one that needs a fresh instance. */
async function pathOf(name: string, kind: "recycled slot" | "fresh instance"): Promise<string> {
  const path = join(GUESTS, `c/${name}.wasm`);
  if (kind === "recycled slot") return path;
  const changed = join(directory, `${name}.wasm`);
  await writeFile(changed, await notRecyclable(await readFile(path)));
  return changed;
}

test("c/isolation finds what it left in an instance that nobody restores", async () => {
  using mounted = await mountDirectory({
    guestPath: "/",
    hostPath: directory,
    kind: "live",
    access: "write",
  });
  using wasi = newWasi(newTemplate([mounted], { KEEP: "kept" }));
  const instance = new PlainInstance(await readFile(join(GUESTS, "c/isolation.wasm")), wasi);
  instance.call("_initialize");
  assert.doesNotMatch(ask(instance), /left:/);
  const second = ask(instance);
  for (const what of ["counter", "zeroed block", "literal", "variable", "marks in memory", "strtok", "input"])
    assert.match(second, new RegExp(`left: .*${what}`));
});

function ask(instance: PlainInstance): string {
  const area = Number(instance.call("handle-http-request", ...REQUEST).result);
  const { memory } = instance;
  const at = memory.readU32(area + BODY.pointer);
  return memory.read(at, memory.readU32(area + BODY.length)).toString();
}
