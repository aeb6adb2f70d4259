// The part of a slot that the component model adds: handle tables, and who may be entered or left.
//
// A trap may leave anything here as it was in the midst of a call: after a trap a slot is restored or
// thrown away. Hence nothing here is put right in a `finally`.

import type { ComponentPlan } from "../plan.ts";
import type { SlotAccess } from "../slot-access.ts";
import type { ResourceType } from "../types.ts";
import { trap } from "./canonical-error.ts";
import { GuestResource } from "./guest-resource.ts";
import { type Handle, HandleTable } from "./handle-table.ts";
import { mayCall, refuseEntry } from "./reentrance.ts";

/** One per slot. */
export class ComponentState {
  readonly access: SlotAccess;
  readonly #plan: ComponentPlan;
  readonly #instances: readonly InstanceState[];
  #generation = 0;

  /** Told of each resource of the host that a component drops, or that is left in a table when the slot is restored. */
  onDrop: (resource: ResourceType, object: unknown) => void = () => {};

  constructor(plan: ComponentPlan, access: SlotAccess) {
    this.access = access;
    this.#plan = plan;
    this.#instances = Array.from(
      { length: plan.componentInstances },
      (_, number) => new InstanceState(this, number),
    );
  }

  get generation(): number {
    return this.#generation;
  }

  instance(number: number): InstanceState {
    const instance = this.#instances[number];
    if (instance === undefined) throw new Error(`The plan has no component instance ${number}`);
    return instance;
  }

  /** Keeps the state as the one of a fresh slot. No call may be in progress. */
  save(): void {
    for (const instance of this.#instances) instance.handles.save();
  }

  /** Goes back to the state that was saved. What `onDrop` throws is thrown, and the state is then of no use. */
  restore(): void {
    this.#generation++;
    for (const instance of this.#instances) instance.restore();
  }

  /** Lets go of a resource that no handle owns any more; `from` is the instance that dropped it, if one did. */
  destroy(resource: ResourceType, rep: unknown, from?: InstanceState): void | Promise<void> {
    if (resource.kind === "imported") return this.onDrop(resource, rep);
    const owner = this.instance(resource.owner);
    if (owner !== from) this.#checkEnter(owner, from);
    if (resource.destructor === undefined) return undefined;
    // Resources that components define are known by numbers.
    const args = [rep as number];
    if (owner === from) return finished(this.access.callSuspendable(resource.destructor, args));
    owner.mayEnter = false;
    const result = this.access.callSuspendable(resource.destructor, args);
    if (result instanceof Promise) return result.then(() => owner.exit());
    owner.exit();
  }

  #checkEnter(owner: InstanceState, from: InstanceState | undefined): void {
    owner.checkEnter();
    if (from && !mayCall(this.#plan, { caller: from.number, callee: owner.number })) refuseEntry();
  }
}

/** Forgets the value of what may be a promise. */
function finished(result: unknown): void | Promise<void> {
  if (result instanceof Promise) return result.then(() => undefined);
}

/** The state of one component instance of a slot. */
export class InstanceState {
  readonly handles = new HandleTable();
  mayEnter = true;
  /** False while an allocator or a post-return runs: they may call nothing outside. */
  mayLeave = true;

  readonly number: number;
  readonly #state: ComponentState;
  /** Collects what is lent, while the arguments of a call that has to give it back are lifted. */
  #lent: Handle[] | undefined;

  constructor(state: ComponentState, number: number) {
    this.#state = state;
    this.number = number;
  }

  restore(): void {
    this.mayEnter = true;
    this.mayLeave = true;
    this.#lent = undefined;
    this.handles.restore((resource, rep) => {
      if (resource.kind === "imported") this.#state.onDrop(resource, rep);
    });
  }

  checkEnter(): void {
    if (!this.mayEnter) refuseEntry();
  }

  checkLeave(): void {
    if (!this.mayLeave) trap("cannot leave component instance");
  }

  enter(): void {
    this.checkEnter();
    this.mayEnter = false;
  }

  exit(): void {
    this.mayEnter = true;
  }

  checkBorrows(): void {
    if (this.handles.borrows > 0) trap("borrow handles still remain at the end of the call");
  }

  /** From here to `stopLending`, handles that are lifted as borrows are lent. */
  startLending(): void {
    this.#lent = [];
  }

  /** Returns what was lent, for `endLoan` once the call is over. */
  stopLending(): readonly Handle[] {
    const lent = this.#lent ?? [];
    this.#lent = undefined;
    return lent;
  }

  liftOwn(index: number, resource: ResourceType): unknown {
    const rep = this.handles.take(index, resource);
    return resource.kind === "imported" ? rep : this.#guestResource(resource, { rep, own: true });
  }

  liftBorrow(index: number, resource: ResourceType): unknown {
    const handle = this.handles.get(index, resource);
    if (this.#lent !== undefined) {
      handle.lends++;
      this.#lent.push(handle);
    }
    const { rep } = handle;
    return resource.kind === "imported" ? rep : this.#guestResource(resource, { rep, own: false });
  }

  #guestResource(resource: ResourceType, { rep, own }: { readonly rep: unknown; readonly own: boolean }) {
    // Handles of resources that components define hold their numbers.
    return new GuestResource(this.#state, resource, { rep: rep as number, own });
  }

  lowerOwn(value: unknown, resource: ResourceType): number {
    if (resource.kind === "imported") return this.handles.addOwn(resource, checked(value, resource));
    return this.handles.addOwn(resource, guestResource(value).take(this.#state, resource));
  }

  /** A component is lent its own resource by its own number, all others by a handle that it must drop before it returns. */
  lowerBorrow(value: unknown, resource: ResourceType): number {
    if (resource.kind === "imported") return this.handles.addBorrow(resource, checked(value, resource));
    const rep = guestResource(value).lend(this.#state, resource);
    return resource.owner === this.number ? rep : this.handles.addBorrow(resource, rep);
  }
}

/** Gives back what was lent to a call that is over. */
export function endLoan(lent: readonly Handle[]): void {
  for (const handle of lent) handle.lends--;
}

function checked(value: unknown, resource: ResourceType): unknown {
  if (value === undefined) throw new TypeError(`Expected a resource "${resource.name}", got undefined`);
  return value;
}

function guestResource(value: unknown): GuestResource {
  if (value instanceof GuestResource) return value;
  throw new TypeError("Expected a resource that a component defines");
}
