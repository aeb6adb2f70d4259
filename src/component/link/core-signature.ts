// The core function type that a function of a component has on the inside, and what it needs to be called.
//
// The rules are those of `flatten_functype` in the canonical ABI.

import type { FunctionType as CoreFunctionType, ValueType as CoreValueType } from "../../wasm/mod.ts";
import { FLAT_PARAMS_MAX, FLAT_RESULTS_MAX, type Layout, type LayoutTable } from "../canonical/layout.ts";
import type { FunctionType } from "../types.ts";

export interface CoreSignature {
  readonly type: CoreFunctionType;
  readonly needsMemory: boolean;
  readonly needsRealloc: boolean;
}

export type Direction = "lift" | "lower";

export function coreSignature(
  layouts: LayoutTable,
  { params, result }: FunctionType,
  direction: Direction,
): CoreSignature {
  const given = layouts.tuple(params.map(({ type }) => type));
  const returned = result && layouts.of(result);
  const flat = fits(given, FLAT_PARAMS_MAX);
  const flatResult = returned ? fits(returned, FLAT_RESULTS_MAX) : [];
  const results: readonly CoreValueType[] = flatResult ?? (direction === "lift" ? ["i32"] : []);
  const returnPointer: readonly CoreValueType[] = flatResult || direction === "lift" ? [] : ["i32"];
  const isSpilled = flat === undefined || flatResult === undefined;
  const points = hasPointer(given) || (returned !== undefined && hasPointer(returned));
  // What goes into the core code may need room there: parameters of a lifted function, results of a lowered one.
  const inward = direction === "lift" ? given : returned;
  return {
    type: { params: [...(flat ?? ["i32" as const]), ...returnPointer], results },
    needsMemory: isSpilled || points,
    needsRealloc:
      (inward !== undefined && hasPointer(inward)) || (direction === "lift" && flat === undefined),
  };
}

/** Layouts share parts many times over, so each is looked at once. */
const pointing = new WeakMap<Layout, boolean>();

/** Whether values of the type point to more of themselves: to strings, or lists of any length. */
function hasPointer(layout: Layout): boolean {
  if (!layout.hasSequence) return false;
  const known = pointing.get(layout) ?? findPointer(layout);
  pointing.set(layout, known);
  return known;
}

function findPointer(layout: Layout): boolean {
  switch (layout.kind) {
    case "string":
      return true;
    case "list":
      return layout.length === undefined || hasPointer(layout.element);
    case "record":
      return layout.fields.some(hasPointer);
    case "variant":
      return layout.cases.some(({ payload }) => payload !== undefined && hasPointer(payload));
    default:
      return false;
  }
}

function fits(layout: Layout, most: number): readonly CoreValueType[] | undefined {
  return layout.flat !== undefined && layout.flat.length <= most ? layout.flat : undefined;
}
