// Makes the link plan of a component, with the components that it depends on linked in.

import { readComponent } from "../binary/read-component.ts";
import type { ComponentPlan, ExportedItem } from "../plan.ts";
import { hostProvider, provide } from "./declared.ts";
import { type Importer, instantiate } from "./instantiate.ts";
import { PlanBuilder } from "./plan-builder.ts";
import type { Item } from "./scope.ts";

/**
 * @throws MalformedComponentError
 * @throws UnsupportedComponentError
 */
export function planComponent(bytes: Uint8Array): ComponentPlan {
  const plan = new PlanBuilder();
  const component = readComponent(bytes);
  const provider = hostProvider(plan, undefined);
  const importNames: string[] = [];
  const give: Importer = ({ name, extern, offset }) => {
    importNames.push(name);
    return provide(plan, provider, extern, { interface: undefined, name, offset });
  };
  const exports = instantiate(plan, { component, outer: undefined, give, checksNested: true });
  return plan.build({ importNames, exports: exportedItems(plan, exports) });
}

function exportedItems(plan: PlanBuilder, exports: ReadonlyMap<string, Item>): ExportedItem[] {
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
