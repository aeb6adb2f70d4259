// What a component exports, for a plan.

import type { ExportedItem } from "../plan.ts";
import type { PlanBuilder } from "./plan-builder.ts";
import type { Item } from "./scope.ts";

export function exportedItems(plan: PlanBuilder, exports: ReadonlyMap<string, Item>): ExportedItem[] {
  return [...exports].map(([name, item]): ExportedItem => {
    switch (item.kind) {
      case "func":
        return plan.exported(name, item);
      case "instance":
        return { kind: "instance", name, items: exportedItems(plan, item.exports) };
      case "core module":
        return { kind: "other", name, what: "module" };
      case "component":
      case "type":
      case "value":
        return { kind: "other", name, what: item.kind };
      default:
        throw new Error(`A component does not export a ${item.kind}`);
    }
  });
}
