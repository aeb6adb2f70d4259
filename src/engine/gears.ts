// Which gear a component's next call begins in.
//
// A call that shifts has run twice. So a component that shifted starts in second gear for a while, the
// longer the oftener it shifted in a row, and tries first gear again now and then.

/** What made a call shift. */
export type ShiftCause = "wait" | "tick";

/** Calls that start in second gear after one shift. A tick alone may come of a busy machine, or of code that is not optimized yet. */
const SKIP_MIN: Readonly<Record<ShiftCause, number>> = { wait: 16, tick: 4 };
/** The same after many in a row. */
const SKIP_MAX = 4096;

/** V8 compiles a function when it is first called: the first call of modules that are larger takes longer than a tick. */
const LARGE_BYTES_MIN = 1024 * 1024;

export type Gearing = "adaptive" | "first" | "second";

export class GearPolicy {
  readonly #gearing: Gearing;
  #skip: number;
  #penalty = 0;

  constructor(gearing: Gearing, codeBytes = 0) {
    this.#gearing = gearing;
    this.#skip = codeBytes > LARGE_BYTES_MIN ? 1 : 0;
  }

  startsInFirst(): boolean {
    if (this.#gearing !== "adaptive") return this.#gearing === "first";
    if (this.#skip === 0) return true;
    this.#skip--;
    return false;
  }

  shifted(cause: ShiftCause): void {
    if (this.#gearing === "first") return;
    this.#skip = Math.max(this.#penalty, SKIP_MIN[cause]);
    this.#penalty = Math.min(this.#skip * 2, SKIP_MAX);
  }

  stayed(): void {
    this.#penalty = 0;
  }
}
