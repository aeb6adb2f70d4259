// Which instances of a component may call each other.
//
// To enter an instance is to enter those around it. Whoever calls is inside of those around itself, so it
// may not call them, nor what they have made. Instantiation makes no cycles: siblings never meet again.

import type { ComponentPlan } from "../plan.ts";
import { trap } from "./canonical-error.ts";

/** Whether the callee is neither the caller, nor what made it, nor what it has made. */
export function mayCall(
  { parents }: Pick<ComponentPlan, "parents">,
  { caller, callee }: { readonly caller: number; readonly callee: number },
): boolean {
  return !isWithin(parents, caller, callee) && !isWithin(parents, callee, caller);
}

export function refuseEntry(): never {
  trap("cannot enter component instance");
}

/** Whether `outer` is the instance, or made it, or made what did. */
function isWithin(parents: ComponentPlan["parents"], instance: number, outer: number): boolean {
  let around: number | undefined = instance;
  while (around !== undefined && around !== outer) around = parents[around];
  return around === outer;
}
