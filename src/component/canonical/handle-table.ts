// The handles of one component instance: numbers by which its core code names resources.
//
// The order in which indices are given out is the specification's: upwards from 1, those set free last
// first. Entries are used again and again, so that a table that has grown once allocates nothing.

import type { ResourceType } from "../types.ts";
import { trap } from "./canonical-error.ts";

/** Live handles of one component instance. A guest that wants more leaks them. */
export const HANDLES_MAX = 2 ** 16;
/** Entries that a restored table keeps for reuse, so that one large call does not cost memory for ever. */
const SPARE_ENTRIES_MAX = 1024;

export class Handle {
  /** `undefined`: free. */
  resource: ResourceType | undefined;
  /** The host's object, or the number by which the defining component knows it. */
  rep: unknown;
  own = true;
  /** Calls in progress to which this handle is lent. */
  lends = 0;
}

interface Snapshot {
  readonly entries: readonly Readonly<Handle>[];
  readonly length: number;
  readonly free: readonly number[];
}

const EMPTY: Snapshot = { entries: [], length: 1, free: [] };

export class HandleTable {
  /** Index 0 is never given out. Those at `#length` and beyond are spare. */
  readonly #entries: Handle[] = [new Handle()];
  #length = 1;
  readonly #free: number[] = [];
  #saved = EMPTY;

  /** Borrowed handles that are live. They belong to the call in progress: an instance is entered by one at a time. */
  borrows = 0;

  addOwn(resource: ResourceType, rep: unknown): number {
    return this.#add(resource, rep, true);
  }

  addBorrow(resource: ResourceType, rep: unknown): number {
    this.borrows++;
    return this.#add(resource, rep, false);
  }

  #add(resource: ResourceType, rep: unknown, own: boolean): number {
    const index = this.#free.pop() ?? this.#grow();
    // Free indices and the new one name entries.
    const entry = this.#entries[index] as Handle;
    entry.resource = resource;
    entry.rep = rep;
    entry.own = own;
    return index;
  }

  #grow(): number {
    if (this.#length > HANDLES_MAX) trap(`more than ${HANDLES_MAX} handles`);
    if (this.#length === this.#entries.length) this.#entries.push(new Handle());
    return this.#length++;
  }

  /** @throws CanonicalError if there is no such handle, or one of another type */
  get(index: number, resource: ResourceType): Handle {
    const entry = this.#entries[index >>> 0];
    if (entry === undefined || entry.resource !== resource) return this.#refuse(index >>> 0, resource);
    return entry;
  }

  #refuse(index: number, expected: ResourceType): never {
    const found = this.#entries[index]?.resource;
    if (found === undefined) trap(`unknown handle index ${index}`);
    trap(
      `handle index ${index} used with the wrong type, expected ${describe(expected)} but found ${describeOther(found)}`,
    );
  }

  /** Takes a handle out, which must not be lent; returns its entry, good until the next `add`. */
  remove(index: number, resource: ResourceType): Handle {
    const entry = this.get(index, resource);
    if (entry.lends > 0) trap("cannot remove owned resource while borrowed");
    if (!entry.own) this.borrows--;
    entry.resource = undefined;
    this.#free.push(index >>> 0);
    return entry;
  }

  /** Takes the resource out of a handle that owns it. */
  take(index: number, resource: ResourceType): unknown {
    if (!this.get(index, resource).own) trap("cannot lift own resource from a borrow");
    const entry = this.remove(index, resource);
    const { rep } = entry;
    entry.rep = undefined;
    return rep;
  }

  save(): void {
    const entries = this.#entries.slice(0, this.#length).map((entry) => ({ ...entry }));
    this.#saved = this.#length === 1 ? EMPTY : { entries, length: this.#length, free: [...this.#free] };
  }

  /** Makes the table what it was when saved; tells the resources that it owned besides those of then. */
  restore(dropped: (resource: ResourceType, rep: unknown) => void): void {
    this.borrows = 0;
    if (this.#length === 1 && this.#saved === EMPTY) return;
    const { entries, length, free } = this.#saved;
    const left: Handle[] = [];
    for (let index = 1; index < this.#length; index++) {
      // `#length` is at most the number of entries.
      const entry = this.#entries[index] as Handle;
      const before = entries[index];
      const isKept = before?.resource !== undefined && before.rep === entry.rep;
      if (entry.resource !== undefined && entry.own && !isKept) left.push({ ...entry });
      entry.resource = before?.resource;
      entry.rep = before?.rep;
      entry.own = before?.own ?? true;
      entry.lends = 0;
    }
    this.#entries.length = Math.min(this.#entries.length, length + SPARE_ENTRIES_MAX);
    this.#length = length;
    this.#free.length = 0;
    this.#free.push(...free);
    for (const { resource, rep } of left) if (resource !== undefined) dropped(resource, rep);
  }
}

function describe(resource: ResourceType): string {
  return resource.kind === "imported"
    ? `resource "${resource.name}" of "${resource.interface}"`
    : "guest-defined resource";
}

function describeOther(resource: ResourceType): string {
  return resource.kind === "imported" ? describe(resource) : `a different ${describe(resource)}`;
}
