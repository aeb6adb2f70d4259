// What a host function does for a request that has ended never reaches a request that comes after.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Caller, Engine, TrapError } from "../../src/engine/mod.ts";
import { assembleText } from "../../src/wasm/mod.ts";
import { type CallData, newTemplate, Slots } from "./slots.ts";

const ANSWER = 0x5eed;
const ADDRESS = 8;

// `wait` asks its host for a number, which the host writes to memory too; `look` shows what is there.
const WAITER = `(module
  (import "test" "wait" (func $wait (result i32)))
  (import "test" "call back" (func $call_back))
  (memory (export "memory") 1)
  (func (export "nothing"))
  (func (export "be called back") (call $call_back))
  (func (export "wait") (result i32) (call $wait))
  (func (export "look") (result i32) (i32.load (i32.const ${ADDRESS}))))`;

const bytes = await assembleText(WAITER);
const engine = new Engine();
after(() => engine[Symbol.dispose]());

/** A careless host: it looks at no signal, and writes whenever it is done. */
class CarelessHost {
  readonly #waiting: (() => void)[] = [];

  async slots(): Promise<Slots> {
    return await Slots.create(bytes, {
      engine,
      template: newTemplate(),
      link: (linker) =>
        void linker.suspending("test", "wait", "-> i32", (caller: Caller<CallData>) => {
          caller.shift();
          return this.#answer(caller);
        }),
    });
  }

  async #answer({ memory }: Caller<CallData>): Promise<number> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    memory.writeU32(ADDRESS, ANSWER);
    return ANSWER;
  }

  /** Lets the oldest call of `wait` go on, and the host function end. */
  async answerOne(): Promise<void> {
    this.#waiting.shift()?.();
    await nextTurn();
  }
}

test("A request gets the answer that it waits for", async () => {
  const host = new CarelessHost();
  using slots = await host.slots();
  const waiting = slots.call("wait");
  await host.answerOne();
  assert.deepEqual(await waiting, { result: ANSWER });
  assert.deepEqual(await slots.call("look"), { result: 0 });
});

test("A host function that goes on after its request was ended reaches no other", async () => {
  const host = new CarelessHost();
  using slots = await host.slots();
  const abort = new AbortController();
  const ended = slots.call("wait", { signal: abort.signal });
  abort.abort();
  assert.ok((await ended).error instanceof TrapError);
  const waiting = slots.call("wait");
  await host.answerOne();
  assert.deepEqual(await slots.call("look"), { result: 0 });
  await host.answerOne();
  assert.deepEqual(await waiting, { result: ANSWER });
  assert.deepEqual(await slots.call("look"), { result: 0 });
});

for (const place of ["lower", "lift", "host function"] as const) {
  test(`A host function for which its guest cannot wait in ${place} reaches no other request`, async () => {
    const host = new CarelessHost();
    using slots = await host.slots();
    const { error } = await slots.call("wait", { place });
    assert.match(String(error), /cannot be suspended/);
    await host.answerOne();
    assert.deepEqual(await slots.call("look"), { result: 0 });
  });
}

test("In an instance that nobody restores, a request sees what came for the one before", async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const memory = () => instance.exports.memory;
  const wait = async () => {
    const answer = await promise;
    const shared = memory();
    if (shared instanceof WebAssembly.Memory) new DataView(shared.buffer).setUint32(ADDRESS, answer, true);
    return answer;
  };
  const module = new WebAssembly.Module(new Uint8Array(bytes));
  const instance = new WebAssembly.Instance(module, {
    test: { wait: new WebAssembly.Suspending(wait), "call back"() {} },
  });
  const { wait: waits, look } = instance.exports;
  assert.ok(typeof waits === "function" && typeof look === "function");
  // Nobody waits for this one any more.
  void WebAssembly.promising(waits)();
  resolve(ANSWER);
  await nextTurn();
  assert.equal(look(), ANSWER);
});
