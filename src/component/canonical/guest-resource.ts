// A resource that a component defines, in the hands of the host or on its way to another component.

import type { ResourceType } from "../types.ts";
import { CanonicalError } from "./canonical-error.ts";

/** What a resource's home can tell of it. */
export interface ResourceHome {
  /** Changes when the slot is restored: resources of before are then gone. */
  readonly generation: number;
  destroy(resource: ResourceType, rep: number): void | Promise<void>;
}

/**
 * Owned, or lent for the length of a call. The host that owns one may drop it, or pass it to a component
 * once; what it does neither with vanishes when the slot is restored.
 */
export class GuestResource {
  readonly resource: ResourceType;
  readonly #home: ResourceHome;
  readonly #generation: number;
  readonly #rep: number;
  #isOwned: boolean;

  constructor(
    home: ResourceHome,
    resource: ResourceType,
    details: { readonly rep: number; readonly own: boolean },
  ) {
    this.#home = home;
    this.#generation = home.generation;
    this.resource = resource;
    this.#rep = details.rep;
    this.#isOwned = details.own;
  }

  /** Runs the component's destructor; it returns a promise if the guest is suspended in there. */
  drop(): void | Promise<void> {
    return this.#home.destroy(this.resource, this.take(this.#home, this.resource));
  }

  /** The component's number for it, which then is for somebody else to let go. */
  take(home: ResourceHome, resource: ResourceType): number {
    const rep = this.lend(home, resource);
    if (!this.#isOwned) throw new CanonicalError("the resource is not owned, or was given away before");
    this.#isOwned = false;
    return rep;
  }

  lend(home: ResourceHome, resource: ResourceType): number {
    if (home !== this.#home || home.generation !== this.#generation)
      throw new CanonicalError("the resource is of another instance or of an earlier call");
    if (resource !== this.resource) throw new CanonicalError("the resource is of another type");
    return this.#rep;
  }
}
