// Reads aliases, which stand among definitions and in types.

import type { AliasDefinition, Sort } from "./component.ts";
import { type Cursor, hex } from "./cursor.ts";

/** What a component may take from those around it: things without state. */
const OUTER_SORTS: ReadonlySet<Sort> = new Set(["core module", "core type", "type", "component"]);

export function readAlias(cursor: Cursor): AliasDefinition {
  const start = cursor.offset;
  const sort = cursor.sort();
  const target = cursor.u8();
  switch (target) {
    case 0x00:
      return {
        kind: "alias",
        sort,
        target: { kind: "export", instance: cursor.u32(), name: cursor.name() },
      };
    case 0x01:
      return {
        kind: "alias",
        sort,
        target: { kind: "core export", instance: cursor.u32(), name: cursor.name() },
      };
    case 0x02:
      if (!OUTER_SORTS.has(sort)) cursor.fail(`an outer alias of a ${sort}`, start);
      return { kind: "alias", sort, target: { kind: "outer", scopes: cursor.u32(), index: cursor.u32() } };
    default:
      cursor.fail(`${hex(target)} is not a target of an alias`, start);
  }
}
