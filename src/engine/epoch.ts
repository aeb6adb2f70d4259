// The epoch: a word in shared memory that a timer thread sets when a guest has had its turn.
//
// Guests look at it at function entries and loop headers. The host counts turns: each begins with the
// word at zero. The thread wakes each millisecond, and when it sees the same turn again, it puts that
// turn's number into the word. It sleeps for good while no guest runs (ticking on would cost 3 % of a
// core) and is woken by the next call.

import { Worker } from "node:worker_threads";

/** Time between two looks of the thread. A turn lasts one to two of them: it is to be short, and a look costs a few µs. */
export const TICK_MS = 1;
/** The same while guests compute for long: others wait for the ends of their turns. */
const BUSY_TICK_MS = 0.25;
/** Looks until the thread takes its time again, after a guest gave way. */
const BUSY_LOOKS = 64;

/** Looks without a running guest after which the thread parks. */
const IDLE_LOOKS_MAX = 20;

/** Words of the shared memory. The guests read the first. */
const WORD = { TICK: 0, TURN: 1, PARKED: 2, STOP: 3, BUSY: 4 } as const;

const TIMER_SOURCE = `
const { workerData } = require("node:worker_threads");
const words = new Int32Array(workerData.buffer);
const [TICK, TURN, PARKED, STOP, BUSY] = [${Object.values(WORD)}];
let idle = 0;
let seen = 0;
while (Atomics.load(words, STOP) === 0) {
  const busy = Atomics.load(words, BUSY);
  Atomics.wait(words, STOP, 0, busy > 0 ? ${BUSY_TICK_MS} : ${TICK_MS});
  if (busy > 0) Atomics.store(words, BUSY, busy - 1);
  const turn = Atomics.load(words, TURN);
  if (turn !== 0 && turn === seen) Atomics.store(words, TICK, turn);
  seen = turn;
  idle = turn === 0 ? idle + 1 : 0;
  if (idle < ${IDLE_LOOKS_MAX}) continue;
  Atomics.store(words, PARKED, 1);
  // A call that began just before PARKED was set has set TURN: look again before sleeping.
  if (Atomics.load(words, TURN) === 0) Atomics.wait(words, PARKED, 1);
  Atomics.store(words, PARKED, 0);
  idle = 0;
}
`;

export class EpochClock implements Disposable {
  /** Imported by every rewritten module. */
  readonly memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  readonly #words = new Int32Array(this.memory.buffer);
  #turn = TURN_MAX;
  #worker: Worker | undefined;

  /** A guest begins to run, or goes on after a wait: a turn begins. */
  enter(): void {
    this.#turn = this.#turn >= TURN_MAX ? 1 : this.#turn + 2;
    this.#words[WORD.TURN] = this.#turn;
    this.#words[WORD.TICK] = 0;
    if (this.#worker === undefined) this.#start();
    else if (Atomics.load(this.#words, WORD.PARKED) === 1) this.#wake();
  }

  /** The guest has returned, or waits. */
  leave(): void {
    this.#words[WORD.TURN] = 0;
  }

  /**
   * Whether a tick is meant for the present turn. The thread may set the word just after a turn has
   * ended: then it is cleared here, and the tick is none.
   */
  takeTick(): boolean {
    const isMeant = this.#words[WORD.TICK] === this.#turn;
    if (!isMeant) this.#words[WORD.TICK] = 0;
    return isMeant;
  }

  /** A guest has given way, and will go on: for a while turns are shorter. */
  hurry(): void {
    this.#words[WORD.BUSY] = BUSY_LOOKS;
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

/** Turns are counted in odd numbers: 0 says that no guest runs, and guests look at the lowest byte only. */
const TURN_MAX = 2 ** 31 - 1;
