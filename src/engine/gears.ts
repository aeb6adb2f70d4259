// Which gear a component's next call begins in.
//
// A call that shifts has run twice. So a component that shifted starts in second gear for a while, the
// longer the oftener it shifted in a row, and tries first gear again now and then.

/** Calls that start in second gear after one shift, and at most. */
const SKIP_MIN = 16;
const SKIP_MAX = 4096;

export type Gearing = "adaptive" | "first" | "second";

export class GearPolicy {
  readonly #gearing: Gearing;
  #skip = 0;
  #penalty = SKIP_MIN;

  constructor(gearing: Gearing) {
    this.#gearing = gearing;
  }

  startsInFirst(): boolean {
    if (this.#gearing === "second") return false;
    if (this.#skip === 0) return true;
    this.#skip--;
    return false;
  }

  shifted(): void {
    if (this.#gearing === "first") return;
    this.#skip = this.#penalty;
    this.#penalty = Math.min(this.#penalty * 2, SKIP_MAX);
  }

  stayed(): void {
    this.#penalty = SKIP_MIN;
  }
}
