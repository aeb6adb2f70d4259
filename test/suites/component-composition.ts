// Plans a component of a script: its imports are the host's of all scripts, and instances that the script has named.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readComponent } from "../../src/component/binary/read-component.ts";
import { anyProvider, hostProvider, match, provide } from "../../src/component/link/declared.ts";
import { exportedItems } from "../../src/component/link/exported-items.ts";
import { type Importer, instantiate } from "../../src/component/link/instantiate.ts";
import { PlanBuilder } from "../../src/component/link/plan-builder.ts";
import type { Item } from "../../src/component/link/scope.ts";
import type { ComponentPlan } from "../../src/component/mod.ts";

/** Exports all that scripts may import of their host. */
const HOST = readFileSync(join(import.meta.dirname, "component-host.wasm"));

/** @throws MalformedComponentError or UnsupportedComponentError */
export function validateComponent(bytes: Uint8Array): void {
  const plan = new PlanBuilder().rehearsal();
  const give: Importer = ({ name, extern, offset }) =>
    provide(plan, anyProvider, extern, { interface: undefined, name, offset });
  instantiate(plan, { component: readComponent(bytes), outer: undefined, give, checksNested: true });
}

type Exports = ReadonlyMap<string, Item>;

/**
 * @param named The components of the instances that may be imported, by name. Each is instantiated anew.
 * @throws MalformedComponentError or UnsupportedComponentError
 */
export function planScript(bytes: Uint8Array, named: ReadonlyMap<string, Uint8Array>): ComponentPlan {
  const plan = new PlanBuilder();
  const provider = hostProvider(plan, undefined);
  const importNames = new Set<string>();
  const made = new Map<string, Exports>();
  const make = (component: Uint8Array): Exports =>
    instantiate(plan, { component: readComponent(component), outer: undefined, give, checksNested: true });
  const once = (name: string, component: Uint8Array): Exports => {
    const exports = made.get(name) ?? make(component);
    made.set(name, exports);
    return exports;
  };
  const offered = (name: string): Item | undefined => {
    const component = named.get(name);
    return component ? { kind: "instance", exports: once(name, component) } : once("", HOST).get(name);
  };
  const give: Importer = ({ name, extern, offset }) => {
    const item = offered(name);
    if (item) return match(plan, extern, item, { name, offset });
    importNames.add(name);
    return provide(plan, provider, extern, { interface: undefined, name, offset });
  };
  const exports = make(bytes);
  return plan.build({ importNames: [...importNames], exports: exportedItems(plan, exports) });
}
