// Hands out the places of requests that run at once, fairly among components.
//
// While places are free a request takes one at the cost of two additions. Otherwise it waits in the
// lane of its component, and a free place goes to the lane that holds fewest: a component whose
// requests are slow or many can use what others leave, but cannot keep them out.

export interface AdmissionLimits {
  readonly activeMax: number;
  readonly waitingMax: number;
}

/** The requests of one component. */
export class Lane<T> {
  active = 0;
  /** When this lane was last given a place, as a count of places given; decides among equals. */
  servedAt = 0;
  /** In the order of arrival. */
  readonly waiting = new Set<T>();
}

/** More that waited start in the next turn of the event loop, so that sockets get their turn too. */
const STARTS_PER_TURN = 16;

export class Admission<T> {
  readonly #limits: AdmissionLimits;
  readonly #start: (item: T, lane: Lane<T>) => void;
  readonly #lanes: Lane<T>[] = [];
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

  createLane(): Lane<T> {
    const lane = new Lane<T>();
    this.#lanes.push(lane);
    return lane;
  }

  /** Takes a place if one is free and nobody waits for it. Whoever gets true calls leave() once. */
  enter(lane: Lane<T>): boolean {
    if (this.#active >= this.#limits.activeMax || this.#waiting > 0) return false;
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
      lane.waiting.add(item);
      this.#waiting++;
      return undefined;
    }
    const longest = this.#lanes.reduce((a, b) => (b.waiting.size > a.waiting.size ? b : a), lane);
    const youngest = [...longest.waiting].at(-1);
    if (longest.waiting.size <= lane.waiting.size + 1 || youngest === undefined) return item;
    longest.waiting.delete(youngest);
    lane.waiting.add(item);
    return youngest;
  }

  /** Takes an item out of its lane. Says whether it was still waiting. */
  cancel(lane: Lane<T>, item: T): boolean {
    const waited = lane.waiting.delete(item);
    if (waited) this.#waiting--;
    return waited;
  }

  #scheduleStart(): void {
    if (this.#isStartScheduled) return;
    this.#isStartScheduled = true;
    setImmediate(() => {
      this.#isStartScheduled = false;
      for (let i = 0; i < STARTS_PER_TURN && this.#canStart; i++) this.#startNext();
      if (this.#canStart) this.#scheduleStart();
    });
  }

  get #canStart(): boolean {
    return this.#waiting > 0 && this.#active < this.#limits.activeMax;
  }

  #startNext(): void {
    const lane = this.#lanes.filter((each) => each.waiting.size > 0).reduce(fairest);
    for (const item of lane.waiting) {
      lane.waiting.delete(item);
      this.#waiting--;
      this.#active++;
      lane.active++;
      lane.servedAt = ++this.#served;
      this.#start(item, lane);
      return;
    }
  }
}

function fairest<T>(a: Lane<T>, b: Lane<T>): Lane<T> {
  if (a.active !== b.active) return a.active < b.active ? a : b;
  return a.servedAt <= b.servedAt ? a : b;
}
