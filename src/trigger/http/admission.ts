// Hands out the places of requests that run at once, fairly among components.
//
// While places are free a request takes one at the cost of a few additions. Otherwise it waits in the
// lane of its component, and a free place goes to the lane that holds fewest for its weight: a component
// whose requests are slow or many can use what others leave, but cannot keep them out. Nor can it take
// the last places: some stay free for a component that has none.

import { fairRoom } from "../../engine/mod.ts";

export interface AdmissionLimits {
  readonly activeMax: number;
  readonly waitingMax: number;
}

/** The requests of one component. */
export class Lane<T> {
  readonly weight: number;
  active = 0;
  /** When this lane was last given a place, as a count of places given; decides among equals. */
  servedAt = 0;
  /** In the order of arrival. */
  readonly waiting = new Set<T>();

  constructor(weight: number) {
    this.weight = weight;
  }
}

/** More that waited start in the next turn of the event loop, so that sockets get their turn too. */
const STARTS_PER_TURN = 16;

export class Admission<T> {
  readonly #limits: AdmissionLimits;
  readonly #start: (item: T, lane: Lane<T>) => void;
  /** Those in which somebody waits. */
  readonly #queue = new Set<Lane<T>>();
  #lanes = 0;
  #active = 0;
  #waiting = 0;
  #served = 0;
  #isStartScheduled = false;

  /** `start` is called for an item that waited, when a place has been taken for it. */
  constructor(limits: AdmissionLimits, start: (item: T, lane: Lane<T>) => void) {
    this.#limits = limits;
    this.#start = start;
  }

  get active(): number {
    return this.#active;
  }

  get waiting(): number {
    return this.#waiting;
  }

  createLane(weight = 1): Lane<T> {
    this.#lanes++;
    return new Lane<T>(weight);
  }

  /** Takes a place if one is free and nobody waits for it. Whoever gets true calls leave() once. */
  enter(lane: Lane<T>): boolean {
    if (!this.#hasRoom(lane) || (this.#waiting > 0 && this.#next() !== undefined)) return false;
    this.#active++;
    lane.active++;
    return true;
  }

  /** Gives a place back. */
  leave(lane: Lane<T>): void {
    this.#active--;
    lane.active--;
    if (this.#waiting > 0) this.#scheduleStart();
  }

  /**
   * Lets an item wait for a place. Gives back the item that cannot: none if there is room, this one if
   * its lane is the longest, else the youngest of the longest lane, which has to make room.
   */
  wait(lane: Lane<T>, item: T): T | undefined {
    if (this.#waiting < this.#limits.waitingMax) {
      this.#append(lane, item);
      return undefined;
    }
    const longest = [...this.#queue].reduce((a, b) => (b.waiting.size > a.waiting.size ? b : a), lane);
    const youngest = [...longest.waiting].at(-1);
    if (longest.waiting.size <= lane.waiting.size + 1 || youngest === undefined) return item;
    this.#remove(longest, youngest);
    this.#append(lane, item);
    return youngest;
  }

  /** Takes an item out of its lane. Says whether it was still waiting. */
  cancel(lane: Lane<T>, item: T): boolean {
    return this.#remove(lane, item);
  }

  #append(lane: Lane<T>, item: T): void {
    lane.waiting.add(item);
    this.#queue.add(lane);
    this.#waiting++;
  }

  #remove(lane: Lane<T>, item: T): boolean {
    const waited = lane.waiting.delete(item);
    if (waited) this.#waiting--;
    if (lane.waiting.size === 0) this.#queue.delete(lane);
    return waited;
  }

  /** Whether a lane may have one of the places that are free now. */
  #hasRoom({ active, weight }: Lane<T>): boolean {
    const free = this.#limits.activeMax - this.#active;
    return this.#lanes === 1 ? free > 0 : fairRoom({ free, held: active, weight }) > 0;
  }

  #scheduleStart(): void {
    if (this.#isStartScheduled) return;
    this.#isStartScheduled = true;
    setImmediate(() => {
      this.#isStartScheduled = false;
      for (let i = 0; i < STARTS_PER_TURN; i++) {
        const lane = this.#next();
        if (lane === undefined) return;
        this.#startFirst(lane);
      }
      this.#scheduleStart();
    });
  }

  /** The lane that the next place goes to. */
  #next(): Lane<T> | undefined {
    let next: Lane<T> | undefined;
    for (const lane of this.#queue) {
      if (this.#hasRoom(lane) && (next === undefined || isBefore(lane, next))) next = lane;
    }
    return next;
  }

  #startFirst(lane: Lane<T>): void {
    for (const item of lane.waiting) {
      this.#remove(lane, item);
      this.#active++;
      lane.active++;
      lane.servedAt = ++this.#served;
      this.#start(item, lane);
      return;
    }
  }
}

function isBefore<T>(a: Lane<T>, b: Lane<T>): boolean {
  const [heldByA, heldByB] = [a.active / a.weight, b.active / b.weight];
  return heldByA === heldByB ? a.servedAt < b.servedAt : heldByA < heldByB;
}
