// Tells the operator of requests that were refused for want of room: in a flood a line for each would be
// a flood of its own, so they are counted and told once a second.

import type { HttpLogEntry } from "./failure.ts";

const INTERVAL_MS = 1000;

export class Refusals {
  readonly #log: (entry: HttpLogEntry) => void;
  /** By reason. The reasons are few: they are those of the trigger and of the engine. */
  readonly #counts = new Map<string, number>();

  constructor(log: (entry: HttpLogEntry) => void) {
    this.#log = log;
  }

  add(reason: string): void {
    if (this.#counts.size === 0) setTimeout(() => this.#tell(), INTERVAL_MS).unref();
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  #tell(): void {
    for (const [reason, count] of this.#counts) {
      const requests = count === 1 ? "1 request" : `${count} requests`;
      this.#log({ severity: "warning", message: `Refused ${requests} with 503: ${reason}` });
    }
    this.#counts.clear();
  }
}
