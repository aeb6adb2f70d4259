// Compares a module in the engine with the same module in a plain instance for each call.
//
// The engine runs all calls in the slots of one component: what an earlier call left would show in what
// the observers see before the next one.

import { type HarnessInstance, instantiate } from "../suites/wasm-harness.ts";
import { type Script, type ScriptedCall, writeScript } from "./call-script.ts";
import { EngineRun } from "./engine-run.ts";
import { hostStep } from "./host-functions.ts";
import { difference, OUT_OF_BOUNDS, type Outcome, returned, thrown } from "./outcome.ts";
import { PlainRun } from "./plain-run.ts";

/** Host calls at which a shift may be forced. */
const SHIFTS_MAX = 6;

export class Differential implements Disposable {
  readonly #first = new EngineRun("first");
  readonly #second = new EngineRun("second");

  /** In what a module differs that `generateModule` made, called as the seed says; undefined if in nothing. */
  async check(bytes: Uint8Array, seed: number): Promise<string | undefined> {
    const script = writeScript(bytes, seed);
    const { calls } = script;
    const plain = new PlainRun(script);
    const expected = calls.map((call) => plain.call(call));
    const compare = async (way: string, run: (calls: readonly ScriptedCall[]) => Outcomes) => {
      const found = await run(calls);
      for (const [index, outcome] of expected.entries()) {
        const what = disagreement(outcome, found[index]);
        const call = calls[index];
        if (what === undefined || !call) continue;
        // A memory that an earlier call has grown stays grown, so that accesses beyond its size do not trap.
        if (outcome?.ending === OUT_OF_BOUNDS && !disagreement(outcome, (await run([call]))[0])) continue;
        return `${way}, call ${index} of ${call.name}(${call.args}): ${what}`;
      }
      return undefined;
    };
    const shiftAt = seed % SHIFTS_MAX;
    return (
      (await compare("ticking", (some) => runTicking(script, some))) ??
      (await compare("first gear", (some) => this.#first.run(script, some))) ??
      (await compare("second gear", (some) => this.#second.run(script, some))) ??
      (await compare(`shift at ${shiftAt}`, (some) => this.#first.run(script, some, { shiftAt })))
    );
  }

  [Symbol.dispose](): void {
    this.#first[Symbol.dispose]();
    this.#second[Symbol.dispose]();
  }
}

type Outcomes = Promise<(Outcome | undefined)[]> | (Outcome | undefined)[];

function disagreement(expected: Outcome | undefined, found: Outcome | undefined): string | undefined {
  if (expected && found) return difference(expected, found);
  const failed = (outcome: Outcome | undefined) => !outcome || outcome.ending.startsWith("trap");
  if (failed(expected) && failed(found)) return undefined;
  return expected ? "it cannot be instantiated" : "it can be instantiated";
}

/** Every check of the epoch ticks, and each call has an instance of its own. */
function runTicking(script: Script, calls: readonly ScriptedCall[]): (Outcome | undefined)[] {
  let notes: number[] = [];
  let harness: HarnessInstance | undefined;
  const host = (value: number): number => {
    notes.push(value);
    const { answer, write } = hostStep(value, notes);
    const memory = harness?.memories[0];
    if (write && memory) {
      new DataView(memory.memory.buffer).setUint32(write.address, write.word, true);
      for (const at of [write.address, write.address + 3]) memory.marks[at >> 12] = 1;
    }
    return answer;
  };
  const start = () => {
    try {
      return instantiate(
        script.bytes,
        { host: { note: host, wait: host } },
        { poll: () => notes.length & 1 },
      );
    } catch (error) {
      thrown(error);
      return undefined;
    }
  };
  return calls.map((call) => {
    notes = [];
    harness = start();
    // What a start function notes belongs to the call.
    if (!harness) return undefined;
    harness.tickAlways();
    return runInHarness(harness, script, { call, notes });
  });
}

function runInHarness(
  harness: HarnessInstance,
  { observers }: Script,
  { call, notes }: { readonly call: ScriptedCall; readonly notes: readonly number[] },
): Outcome {
  const observe = () => observers.map((observer) => String(harness.call(observer)));
  const before = observe();
  try {
    const ending = returned(harness.call(call.name, ...call.args));
    return { ending, notes, before, after: observe() };
  } catch (error) {
    return { ending: thrown(error), notes, before, after: [] };
  }
}
