// The epoch: a counter in shared memory that a timer thread advances while guests run.
//
// Guests compare it with their deadline at function entries and loop headers. The thread sleeps for
// good while no guest runs (ticking on would cost 3 % of a core) and is woken by the next call.

import { Worker } from "node:worker_threads";

/** Time between two ticks. A turn of the event loop is to be short, and a tick costs a few µs. */
export const TICK_MS = 1;

/** Ticks without a running guest after which the thread parks. */
const IDLE_TICKS_MAX = 20;

/** Words of the shared memory. The guests read the first. */
const WORD = { EPOCH: 0, RUNNING: 1, PARKED: 2, STOP: 3 } as const;

const TIMER_SOURCE = `
const { workerData } = require("node:worker_threads");
const words = new Int32Array(workerData.buffer);
const [EPOCH, RUNNING, PARKED, STOP] = [${WORD.EPOCH}, ${WORD.RUNNING}, ${WORD.PARKED}, ${WORD.STOP}];
let idle = 0;
while (Atomics.load(words, STOP) === 0) {
  Atomics.wait(words, STOP, 0, ${TICK_MS});
  Atomics.add(words, EPOCH, 1);
  idle = Atomics.load(words, RUNNING) === 0 ? idle + 1 : 0;
  if (idle < ${IDLE_TICKS_MAX}) continue;
  Atomics.store(words, PARKED, 1);
  // A call that began just before PARKED was set has set RUNNING: look again before sleeping.
  if (Atomics.load(words, RUNNING) === 0) Atomics.wait(words, PARKED, 1);
  Atomics.store(words, PARKED, 0);
  idle = 0;
}
`;

export class EpochClock implements Disposable {
  /** Imported by every rewritten module. */
  readonly memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  readonly #words = new Int32Array(this.memory.buffer);
  #worker: Worker | undefined;

  /** The present epoch. It wraps around: compare by signed difference. */
  get now(): number {
    return this.#words[WORD.EPOCH] as number;
  }

  /** A guest begins to run, or goes on after a wait. */
  enter(): void {
    this.#words[WORD.RUNNING] = 1;
    if (this.#worker === undefined) this.#start();
    else if (Atomics.load(this.#words, WORD.PARKED) === 1) this.#wake();
  }

  /** The guest has returned, or waits. */
  leave(): void {
    this.#words[WORD.RUNNING] = 0;
  }

  #wake(): void {
    Atomics.store(this.#words, WORD.PARKED, 0);
    Atomics.notify(this.#words, WORD.PARKED);
  }

  #start(): void {
    this.#worker = new Worker(TIMER_SOURCE, {
      eval: true,
      name: "spindle-epoch",
      // Plain data and a loop: the smallest heap will do.
      resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
      workerData: { buffer: this.memory.buffer },
      execArgv: [],
      env: {},
    });
    this.#worker.unref();
  }

  [Symbol.dispose](): void {
    Atomics.store(this.#words, WORD.STOP, 1);
    Atomics.notify(this.#words, WORD.STOP);
    this.#wake();
    void this.#worker?.terminate();
  }
}
