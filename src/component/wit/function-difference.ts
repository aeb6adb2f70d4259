// Compares the type of a function as a component imports it with that of the host's.
//
// Names of parameters do not count: nobody sees them. Names of fields and cases do, and their order.

import type { FunctionType, ResourceType, ValueType } from "../types.ts";
import { describeFunction, describeType } from "./describe.ts";

export type SameResource = (guest: ResourceType, host: ResourceType) => boolean;

/**
 * Where two function types differ first, in words; `undefined` if they are equal.
 *
 * @example
 * "parameter 2, field "size": the component has u32, the host u64"
 */
export function functionDifference(
  guest: FunctionType,
  host: FunctionType,
  sameResource: SameResource,
): string | undefined {
  if (guest.params.length !== host.params.length)
    return told(describeFunction(guest), describeFunction(host));
  for (const [index, { type }] of guest.params.entries()) {
    const difference = typeDifference(type, host.params[index]?.type, sameResource);
    if (difference !== undefined) return `parameter ${index + 1}${difference}`;
  }
  const difference = typeDifference(guest.result, host.result, sameResource);
  return difference === undefined ? undefined : `result${difference}`;
}

/** The difference with the way that leads to it, each step behind a comma. */
function typeDifference(
  guest: ValueType | undefined,
  host: ValueType | undefined,
  sameResource: SameResource,
): string | undefined {
  if (guest === undefined && host === undefined) return undefined;
  const differ = () => `: ${told(shown(guest), shown(host))}`;
  if (guest === undefined || host === undefined) return differ();
  const [a, b] = [partsOf(guest), partsOf(host)];
  const isAlike =
    guest.kind === host.kind && a.length === b.length && a.every(({ name }, at) => name === b[at]?.name);
  if (!isAlike || !isSameAlone(guest, host, sameResource)) return differ();
  for (const [index, { name, type }] of a.entries()) {
    const difference = typeDifference(type, b[index]?.type, sameResource);
    if (difference !== undefined) return `, ${name}${difference}`;
  }
}

function shown(type: ValueType | undefined): string {
  return type === undefined ? "nothing" : describeType(type);
}

function told(guest: string, host: string): string {
  return `the component has ${guest}, the host ${host}`;
}

/** Compares what types have besides parts. Both are of the same kind. */
function isSameAlone(guest: ValueType, host: ValueType, sameResource: SameResource): boolean {
  if (guest.kind === "list" && host.kind === "list") return guest.length === host.length;
  const isGuestHandle = guest.kind === "own" || guest.kind === "borrow";
  const isHostHandle = host.kind === "own" || host.kind === "borrow";
  return !isGuestHandle || !isHostHandle || sameResource(guest.resource, host.resource);
}

interface Part {
  readonly name: string;
  readonly type?: ValueType | undefined;
}

function partsOf(type: ValueType): readonly Part[] {
  switch (type.kind) {
    case "record":
      return type.fields.map(({ name, type: part }) => ({ name: `field "${name}"`, type: part }));
    case "variant":
      return type.cases.map(({ name, type: part }) => ({ name: `case "${name}"`, type: part }));
    case "enum":
    case "flags":
      return type.names.map((name) => ({ name }));
    case "tuple":
      return type.elements.map((part, index) => ({ name: `element ${index + 1}`, type: part }));
    case "list":
      return [{ name: "element", type: type.element }];
    case "option":
      return [{ name: "payload", type: type.payload }];
    case "result":
      return [
        { name: "ok", type: type.ok },
        { name: "error", type: type.error },
      ];
    default:
      return [];
  }
}
