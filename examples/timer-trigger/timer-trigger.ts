// A trigger that is not part of Spindle: fires components on an interval.
//
// It shows what a trigger of one's own takes: its options are read from `[[trigger.timer]]`, its host function
// is added to the Builder's linker, and `Tick` is what it keeps for each call. Every tick gets an instance in a
// fresh state, as every request of the HTTP trigger does.

import { setTimeout as sleep } from "node:timers/promises";
import type { Invocation } from "spindle/engine";
import type { Trigger } from "spindle/manifest";
import {
  Builder,
  type ExecutionContext,
  type ExecutionContextConfiguration,
  type RuntimeContext,
} from "spindle/runtime";

/** What one call of a component keeps. */
export interface Tick {
  /** Counted from 1. */
  readonly number: number;
}

interface Timer {
  readonly componentId: string;
  readonly intervalMs: number;
}

/** Timers of Node.js hold no more than 31 bits. */
const INTERVAL_MS_MAX = 2 ** 31 - 1;

/** The export that is called at each tick: `() -> i32`, where other than 0 stops the timer. */
const HANDLE_TIMER: Invocation<RuntimeContext<Tick>, "continue" | "stop"> = {
  exportName: "handle-timer",
  lower: () => [],
  lift: (_caller, result) => (result === 0 ? "continue" : "stop"),
};

export class TimerTrigger implements Disposable {
  readonly #timers: readonly Timer[];
  readonly #context: ExecutionContext<Tick>;

  private constructor(timers: readonly Timer[], context: ExecutionContext<Tick>) {
    this.#timers = timers;
    this.#context = context;
  }

  /**
   * Compiles and links the components that timers fire.
   *
   * @throws SpindleError if one of them cannot run
   */
  static async create(configuration: ExecutionContextConfiguration<Tick>): Promise<TimerTrigger> {
    const triggers = configuration.application.triggers.filter(({ type }) => type === "timer");
    const timers = triggers.map(readTimer);
    const builder = new Builder<Tick>({
      ...configuration,
      componentIds: timers.map(({ componentId }) => componentId),
    });
    builder.linker.func("timer", "tick", "-> i32", (caller) => caller.data.data.number);
    return new TimerTrigger(timers, await builder.build());
  }

  /** Runs until every timer was stopped by its component, or the signal ends all of them. */
  async run(options: { readonly signal: AbortSignal }): Promise<void> {
    await Promise.all(this.#timers.map((timer) => this.#runTimer(timer, options.signal)));
  }

  async #runTimer({ componentId, intervalMs }: Timer, signal: AbortSignal): Promise<void> {
    for (let number = 1; ; number++) {
      await sleep(intervalMs, undefined, { signal });
      using prepared = this.#context.prepare(componentId, { number }, { signal });
      if ((await prepared.run(HANDLE_TIMER)) === "stop") return;
    }
  }

  [Symbol.dispose](): void {
    this.#context[Symbol.dispose]();
  }
}

function readTimer({ id, componentId, options }: Trigger): Timer {
  const intervalMs = options.interval_ms;
  if (componentId === undefined) throw new Error(`Timer "${id}" names no component`);
  if (typeof intervalMs !== "number" || !(intervalMs >= 1 && intervalMs <= INTERVAL_MS_MAX)) {
    throw new Error(`Timer "${id}" needs interval_ms, a number from 1 to ${INTERVAL_MS_MAX}`);
  }
  return { componentId, intervalMs };
}
