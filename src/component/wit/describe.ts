// Types as text for people, much like WIT.

import type { FunctionType, ResourceType, ValueType } from "../types.ts";

/** Beyond these, a description says `...`: types can be larger than anybody reads. */
const DEPTH_MAX = 3;
const MEMBERS_MAX = 12;

const COMPOUND: ReadonlySet<ValueType["kind"]> = new Set([
  "record",
  "variant",
  "list",
  "tuple",
  "option",
  "result",
]);

/** `func(self: borrow<fields>, name: string) -> list<list<u8>>` */
export function describeFunction({ params, result }: FunctionType): string {
  const list = members(params, ({ name, type }) => `${name}: ${describeType(type)}`);
  return `func(${list})${result === undefined ? "" : ` -> ${describeType(result)}`}`;
}

export function describeType(type: ValueType, depth = 0): string {
  if (depth > DEPTH_MAX && COMPOUND.has(type.kind)) return "...";
  const inner = (part: ValueType) => describeType(part, depth + 1);
  switch (type.kind) {
    case "record":
      return `record { ${members(type.fields, ({ name, type: part }) => `${name}: ${inner(part)}`)} }`;
    case "variant":
      return `variant { ${members(type.cases, ({ name, type: part }) => (part ? `${name}(${inner(part)})` : name))} }`;
    case "list":
      return `list<${inner(type.element)}${type.length === undefined ? "" : `, ${type.length}`}>`;
    case "tuple":
      return `tuple<${members(type.elements, inner)}>`;
    case "flags":
    case "enum":
      return `${type.kind} { ${members(type.names, (name) => name)} }`;
    case "option":
      return `option<${inner(type.payload)}>`;
    case "result":
      return describeResult(type.ok && inner(type.ok), type.error && inner(type.error));
    case "own":
      return describeResource(type.resource);
    case "borrow":
      return `borrow<${describeResource(type.resource)}>`;
    default:
      return type.kind;
  }
}

function describeResult(ok: string | undefined, error: string | undefined): string {
  if (error !== undefined) return `result<${ok ?? "_"}, ${error}>`;
  return ok === undefined ? "result" : `result<${ok}>`;
}

function describeResource({ name }: ResourceType): string {
  return name ?? "resource";
}

function members<T>(all: readonly T[], describe: (member: T) => string): string {
  const shown = all.slice(0, MEMBERS_MAX).map(describe);
  return [...shown, ...(all.length > MEMBERS_MAX ? ["..."] : [])].join(", ");
}
