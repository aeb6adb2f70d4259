// Runs calls of a module in the engine, one after another in the same slots.

import { type Caller, Engine, InstancePre, Linker, Store } from "../../src/engine/mod.ts";
import type { Script, ScriptedCall } from "./call-script.ts";
import { hostStep } from "./host-functions.ts";
import { type Outcome, returned, thrown } from "./outcome.ts";

interface CallData {
  readonly notes: number[];
}

/** Modules that an engine compiles before it is thrown away: it never forgets one. */
const MODULES_MAX = 300;

/** Most time of one call. Generated code ends by itself in milliseconds. */
const WALL_TIME_MS = 20_000;

export class EngineRun implements Disposable {
  readonly #linker = new Linker<CallData>();
  readonly #gearing: "first" | "second";
  #shiftAt = -1;
  #engine: Engine | undefined;
  #compiled = 0;

  constructor(gearing: "first" | "second") {
    this.#gearing = gearing;
    this.#linker.func("host", "note", "i32 -> i32", answerHost);
    this.#linker.suspending("host", "wait", "i32 -> i32", (caller, value: number) => {
      caller.shift();
      const answer = answerHost(caller, value);
      return caller.canSuspend && value % 2 === 0 ? Promise.resolve(answer) : answer;
    });
  }

  /**
   * Runs calls of the script; undefined for what could not even be instantiated.
   *
   * @param options.shiftAt at which host call each call is made to shift
   */
  async run(
    { bytes, observers }: Script,
    calls: readonly ScriptedCall[],
    options: { readonly shiftAt?: number } = {},
  ): Promise<(Outcome | undefined)[]> {
    this.#shiftAt = options.shiftAt ?? -1;
    const engine = this.#currentEngine();
    const compiled = await engine.compile(bytes);
    let pre: InstancePre<CallData>;
    try {
      pre = InstancePre.ofModule({ engine, linker: this.#linker }, compiled, {
        name: "generated",
        hooks: {
          rewind: (data) => void data.notes.splice(0),
          commit() {},
          initialData: () => ({ notes: [] }),
        },
      });
    } catch (error) {
      thrown(error);
      return calls.map(() => undefined);
    }
    using _ = pre;
    const outcomes: (Outcome | undefined)[] = [];
    for (const call of calls) outcomes.push(await runCall(pre, observers, call));
    return outcomes;
  }

  #currentEngine(): Engine {
    if (this.#compiled++ > MODULES_MAX) this[Symbol.dispose]();
    this.#engine ??= new Engine({
      gearing: this.#gearing,
      forcesShift: (hostCall) => hostCall === this.#shiftAt,
    });
    return this.#engine;
  }

  [Symbol.dispose](): void {
    this.#engine?.[Symbol.dispose]();
    this.#engine = undefined;
    this.#compiled = 0;
  }
}

function answerHost(caller: Caller<CallData>, value: number): number {
  const { notes } = caller.data;
  notes.push(value);
  const { answer, write } = hostStep(value, notes);
  if (write) caller.memory.writeU32(write.address, write.word);
  return answer;
}

async function runCall(
  pre: InstancePre<CallData>,
  observers: readonly string[],
  { name, args }: ScriptedCall,
): Promise<Outcome> {
  const data: CallData = { notes: [] };
  let before: readonly string[] = [];
  let after: readonly string[] = [];
  const observe = (caller: Caller<CallData>) => observers.map((observer) => String(caller.call(observer)));
  using instance = pre.instantiate(new Store(data, { wallTimeMs: WALL_TIME_MS }));
  try {
    const ending = await instance.run({
      exportName: name,
      lower(caller) {
        before = observe(caller);
        return args;
      },
      lift(caller, result) {
        after = observe(caller);
        return returned(result);
      },
    });
    return { ending, notes: data.notes, before, after };
  } catch (error) {
    return { ending: thrown(error), notes: data.notes, before, after: [] };
  }
}
