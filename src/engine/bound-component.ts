// A component in one slot: its handles, and how values reach its functions.

import type { ComponentState } from "../component/mod.ts";

export interface BoundComponent {
  readonly state: ComponentState;
  /** Makes the core arguments of a lifted function, in the guest's memory where they do not fit. */
  lower(lifted: number, values: readonly unknown[]): readonly (number | bigint)[];
  lift(lifted: number, result: number | bigint | undefined): unknown;
}
