// No request sees what an earlier one has left: guests look for it, and soil all they can.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Invocation } from "../../src/engine/mod.ts";
import type { MountSource } from "../../src/manifest/mod.ts";
import type { ExecutionContext, RuntimeContext } from "../../src/runtime/mod.ts";
import { COMPONENT_ID, guestContext } from "../guest-context.ts";

const CALLS = 4;

const directory = await mkdtemp(join(tmpdir(), "spindle-test-"));
await writeFile(join(directory, "é.txt"), "🦀");
after(() => rm(directory, { recursive: true }));
const MOUNT: MountSource = { guestPath: "/", hostPath: directory, kind: "snapshot", access: "read" };

type GuestInvocation<R> = Invocation<RuntimeContext<undefined>, R>;

/** Calls one export several times, one after the other; the answers. */
async function callOften<R>(path: string, invocation: GuestInvocation<R>): Promise<R[]> {
  using context = await guestContext(path, { environment: { KEEP: "kept" }, mounts: [MOUNT] });
  const answers: R[] = [];
  for (let i = 0; i < CALLS; i++) answers.push(await call(context, invocation));
  assert.ok(context.slots(COMPONENT_ID).live < CALLS, "Slots are used again");
  return answers;
}

async function call<R>(context: ExecutionContext<undefined>, invocation: GuestInvocation<R>): Promise<R> {
  using prepared = context.prepare(COMPONENT_ID, undefined);
  return await prepared.run(invocation);
}

const RUN: GuestInvocation<unknown> = {
  exportName: "run",
  lower: () => [],
  lift: (_caller, result) => result,
};

/** Calls a handler of the Spin ABI, generation B, without a URI, headers or a body; the answer's body. */
const HANDLE: GuestInvocation<Buffer> = {
  exportName: "handle-http-request",
  lower: () => [0, 8, 0, 8, 0, 8, 0, 0, 8, 0],
  lift({ memory }, result) {
    const area = Number(result);
    return Buffer.from(memory.read(memory.readU32(area + 20), memory.readU32(area + 24)));
  },
};

const MODULES = [
  { path: "wat/atomics", because: "atomic stores mark what they change" },
  {
    path: "wat/bulk-memory",
    because: "bulk instructions mark all that they write, and a dropped segment returns",
  },
  { path: "wat/elem-drop", because: "a module that drops elements gets a new instance" },
  { path: "wat/globals", because: "globals of every type are restored bit by bit" },
  { path: "wat/grow", because: "what a memory grew is taken back" },
  { path: "wat/memory64", because: "a memory with 64-bit addresses is restored too" },
  { path: "wat/multi-memory", because: "each memory has cards of its own" },
  { path: "wat/simd", because: "vector stores mark every page that they touch" },
  { path: "wat/start", because: "the effect of a start function is part of a fresh state" },
  { path: "wat/table-set", because: "a module that changes a table gets a new instance" },
  { path: "wat/tail-calls", because: "tail calls leave nothing behind" },
];
for (const { path, because } of MODULES) {
  test(`${path} finds everything as its module defines it, in each call: ${because}`, async () => {
    assert.deepEqual(await callOften(path, RUN), Array(CALLS).fill(0));
  });
}

test("An initialiser that reads clock and randomness runs anew for each call", async () => {
  const answers = await callOften("wat/initialize-clock", HANDLE);
  const clocks = new Set(answers.map((bytes) => bytes.readBigUInt64LE(0)));
  const randoms = new Set(answers.map((bytes) => bytes.readBigUInt64LE(8)));
  assert.deepEqual([clocks.size, randoms.size], [CALLS, CALLS]);
});

for (const path of ["go/spin", "rust/spin", "c/spin-b", "c/spin-b-noinit"]) {
  test(`${path} answers the same in each call`, async () => {
    const answers = (await callOften(path, HANDLE)).map(String);
    assert.ok(answers[0] && answers[0].length > 0);
    assert.deepEqual(answers, Array(CALLS).fill(answers[0]));
  });
}
