// How a type lies in linear memory, and as which core values it is passed.
//
// Types of a component form a graph in which a type may be shared many times over, so that writing one
// out can take exponential space. Hence each distinct type of a plan has one layout, found by what it
// is made of, and all that is computed from types is computed once for each layout.

import type { PrimitiveKind, ResourceType, ValueType } from "../types.ts";
import { trap } from "./canonical-error.ts";

export type FlatType = "i32" | "i64" | "f32" | "f64";

/** More parameters than these are passed in memory. */
export const FLAT_PARAMS_MAX = 16;
/** More results than this are passed in memory. */
export const FLAT_RESULTS_MAX = 1;
/** Bytes of a value, not counting what it points to. The specification's, and its reason: no overflow. */
const VALUE_BYTES_MAX = 2 ** 28;
/** Types within types; generated code and the code that generates it recurse as deep. */
const TYPE_DEPTH_MAX = 100;
/** Flags are one core value. */
const FLAGS_MAX = 32;

const NUMBER_COST = 16;
const OBJECT_COST = 64;
const STRING_COST = 256;
const HANDLE_COST = 1024;
/** A short list of bytes takes the longest of all that is as short: more than a microsecond. */
const LIST_COST = 1536;

interface Extent {
  readonly size: number;
  readonly alignment: number;
  /** The core values that it is passed as; `undefined` if there are more than may be. */
  readonly flat: readonly FlatType[] | undefined;
}

interface Contents {
  readonly depth: number;
  /** Whether it holds a string or list, whose size the type does not tell or is large. To lower one may call the guest's allocator, which may move its memory. */
  readonly hasSequence: boolean;
  readonly hasOwn: boolean;
  readonly hasBorrow: boolean;
  /** What an element of a list of these costs to lift, besides the bytes that it has in guest memory. */
  readonly liftCost: number;
}

export type RecordLayout = Extent & {
  readonly kind: "record";
  /** `undefined` for a tuple. */
  readonly names: readonly string[] | undefined;
  readonly fields: readonly Layout[];
  readonly offsets: readonly number[];
};

export type VariantLayout = Extent & {
  readonly kind: "variant";
  /** What the values are in JavaScript. A `bare` option is its payload or `undefined`. */
  readonly form: "tagged" | "bare";
  readonly cases: readonly { readonly name: string; readonly payload: Layout | undefined }[];
  readonly discriminantBytes: 1 | 2 | 4;
  readonly payloadOffset: number;
};

export type ListLayout = Extent & {
  readonly kind: "list";
  readonly element: Layout;
  readonly length: number | undefined;
};

export type NamesLayout = Extent & {
  readonly kind: "enum" | "flags";
  readonly names: readonly string[];
};

export type Layout = { readonly id: number } & Contents &
  (
    | (Extent & { readonly kind: PrimitiveKind })
    | RecordLayout
    | VariantLayout
    | ListLayout
    | NamesLayout
    | (Extent & { readonly kind: "own" | "borrow"; readonly resource: ResourceType })
  );

/** A layout before it is known whether there is an equal one. */
type Shape =
  | (Extent & { readonly kind: PrimitiveKind })
  | RecordLayout
  | VariantLayout
  | ListLayout
  | NamesLayout
  | (Extent & { readonly kind: "own" | "borrow"; readonly resource: ResourceType });

/** The layouts of all types of a plan. */
export class LayoutTable {
  readonly #byType = new Map<ValueType, Layout>();
  readonly #byKey = new Map<string, Layout>();
  readonly #resources = new Map<ResourceType, number>();

  /** @throws CanonicalError if the type is larger or deeper than any may be */
  of(type: ValueType, depth = 0): Layout {
    const known = this.#byType.get(type);
    if (known !== undefined) return known;
    if (depth > TYPE_DEPTH_MAX) trap(`types nest deeper than ${TYPE_DEPTH_MAX}`);
    const layout = this.#intern(this.#shape(type, depth + 1));
    this.#byType.set(type, layout);
    return layout;
  }

  /** The layout of parameters that are passed together, in memory or flat. */
  tuple(types: readonly ValueType[]): Layout & RecordLayout {
    const fields = types.map((type) => this.of(type));
    // A tuple's shape gives a layout of the same kind.
    return this.#intern(recordShape(fields, undefined)) as Layout & RecordLayout;
  }

  #intern(shape: Shape): Layout {
    const key = this.#key(shape);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const { kind, size } = shape;
    if (size >= VALUE_BYTES_MAX) trap(`a ${kind} of ${size} bytes is larger than any value may be`);
    const layout: Layout = { id: this.#byKey.size, ...contents(shape), ...shape };
    if (layout.depth > TYPE_DEPTH_MAX) trap(`types nest deeper than ${TYPE_DEPTH_MAX}`);
    this.#byKey.set(key, layout);
    return layout;
  }

  /** Equal for equal types, and only for them. Names are quoted, so that none can pass for something else. */
  #key(shape: Shape): string {
    switch (shape.kind) {
      case "record":
        return JSON.stringify(["record", shape.names ?? 0, shape.fields.map(({ id }) => id)]);
      case "variant":
        return JSON.stringify([
          "variant",
          shape.form,
          shape.cases.map(({ name, payload }) => [name, payload?.id]),
        ]);
      case "list":
        return JSON.stringify(["list", shape.element.id, shape.length]);
      case "enum":
      case "flags":
        return JSON.stringify([shape.kind, shape.names]);
      case "own":
      case "borrow":
        return JSON.stringify([shape.kind, this.#resourceNumber(shape.resource)]);
      default:
        return shape.kind;
    }
  }

  #resourceNumber(resource: ResourceType): number {
    const number = this.#resources.get(resource) ?? this.#resources.size;
    this.#resources.set(resource, number);
    return number;
  }

  #shape(type: ValueType, depth: number): Shape {
    switch (type.kind) {
      case "record": {
        const fields = type.fields.map((field) => this.of(field.type, depth));
        return recordShape(
          notEmpty(fields, type.kind),
          type.fields.map(({ name }) => camelCase(name)),
        );
      }
      case "tuple":
        return recordShape(
          notEmpty(
            type.elements.map((element) => this.of(element, depth)),
            type.kind,
          ),
          undefined,
        );
      case "variant":
        return this.#variant("tagged", notEmpty(type.cases, type.kind), depth);
      case "option": {
        const form = type.payload.kind === "option" ? "tagged" : "bare";
        return this.#variant(form, [{ name: "none" }, { name: "some", type: type.payload }], depth);
      }
      case "result":
        return this.#variant(
          "tagged",
          [
            { name: "ok", type: type.ok },
            { name: "err", type: type.error },
          ],
          depth,
        );
      case "list":
        return listShape(this.of(type.element, depth), type.length);
      case "enum":
        return { kind: "enum", names: notEmpty(type.names, "enum"), ...discriminant(type.names.length) };
      case "flags":
        return flagsShape(notEmpty(type.names, "flags"));
      case "own":
      case "borrow":
        return { kind: type.kind, resource: type.resource, size: 4, alignment: 4, flat: ["i32"] };
      default:
        return { kind: type.kind, ...PRIMITIVES[type.kind] };
    }
  }

  #variant(
    form: "tagged" | "bare",
    types: readonly { readonly name: string; readonly type?: ValueType | undefined }[],
    depth: number,
  ): VariantLayout {
    const cases = types.map(({ name, type }) => ({
      name,
      payload: type === undefined ? undefined : this.of(type, depth),
    }));
    const payloads = cases.flatMap(({ payload }) => payload ?? []);
    const { size: discriminantBytes } = discriminant(cases.length);
    const payloadAlignment = largest(1, payloads, ({ alignment }) => alignment);
    const payloadOffset = alignTo(discriminantBytes, payloadAlignment);
    const alignment = Math.max(discriminantBytes, payloadAlignment);
    const payloadBytes = largest(0, payloads, ({ size }) => size);
    const size = alignTo(payloadOffset + payloadBytes, alignment);
    const flat = joined(payloads);
    return { kind: "variant", form, cases, discriminantBytes, payloadOffset, size, alignment, flat };
  }
}

const PRIMITIVES: Readonly<Record<PrimitiveKind, Extent>> = {
  bool: { size: 1, alignment: 1, flat: ["i32"] },
  s8: { size: 1, alignment: 1, flat: ["i32"] },
  u8: { size: 1, alignment: 1, flat: ["i32"] },
  s16: { size: 2, alignment: 2, flat: ["i32"] },
  u16: { size: 2, alignment: 2, flat: ["i32"] },
  s32: { size: 4, alignment: 4, flat: ["i32"] },
  u32: { size: 4, alignment: 4, flat: ["i32"] },
  s64: { size: 8, alignment: 8, flat: ["i64"] },
  u64: { size: 8, alignment: 8, flat: ["i64"] },
  f32: { size: 4, alignment: 4, flat: ["f32"] },
  f64: { size: 8, alignment: 8, flat: ["f64"] },
  char: { size: 4, alignment: 4, flat: ["i32"] },
  string: { size: 8, alignment: 4, flat: ["i32", "i32"] },
};

function recordShape(fields: readonly Layout[], names: readonly string[] | undefined): RecordLayout {
  const offsets: number[] = [];
  let end = 0;
  let alignment = 1;
  for (const field of fields) {
    const offset = alignTo(end, field.alignment);
    offsets.push(offset);
    end = offset + field.size;
    alignment = Math.max(alignment, field.alignment);
  }
  const flat = bounded(fields.map((field) => field.flat));
  return { kind: "record", names, fields, offsets, size: alignTo(end, alignment), alignment, flat };
}

function listShape(element: Layout, length: number | undefined): ListLayout {
  if (length === undefined)
    return { kind: "list", element, length, size: 8, alignment: 4, flat: ["i32", "i32"] };
  if (length === 0) trap("a list of a fixed length has no elements");
  const isShort = length <= FLAT_PARAMS_MAX;
  const flat = isShort ? bounded(Array.from({ length }, () => element.flat)) : undefined;
  return { kind: "list", element, length, size: length * element.size, alignment: element.alignment, flat };
}

function flagsShape(names: readonly string[]): NamesLayout {
  if (names.length > FLAGS_MAX) trap(`${names.length} flags are more than ${FLAGS_MAX}`);
  const size = names.length <= 8 ? 1 : names.length <= 16 ? 2 : 4;
  return { kind: "flags", names: names.map(camelCase), size, alignment: size, flat: ["i32"] };
}

function discriminant(cases: number): Extent & { readonly size: 1 | 2 | 4 } {
  const size = cases <= 0x100 ? 1 : cases <= 0x10000 ? 2 : 4;
  return { size, alignment: size, flat: ["i32"] };
}

/** The core values of a variant: those of all cases share places, each wide enough for all of them. */
function joined(payloads: readonly Layout[]): readonly FlatType[] | undefined {
  const flat: FlatType[] = ["i32"];
  for (const payload of payloads) {
    if (payload.flat === undefined) return undefined;
    for (const [index, type] of payload.flat.entries()) flat[index + 1] = join(flat[index + 1] ?? type, type);
  }
  return flat.length > FLAT_PARAMS_MAX ? undefined : flat;
}

function join(a: FlatType, b: FlatType): FlatType {
  if (a === b) return a;
  const isNarrow = (type: FlatType) => type === "i32" || type === "f32";
  return isNarrow(a) && isNarrow(b) ? "i32" : "i64";
}

function bounded(flats: readonly (readonly FlatType[] | undefined)[]): readonly FlatType[] | undefined {
  const all: FlatType[] = [];
  for (const flat of flats) {
    if (flat === undefined || all.length + flat.length > FLAT_PARAMS_MAX) return undefined;
    all.push(...flat);
  }
  return all;
}

function contents(shape: Shape): Contents {
  const parts = partsOf(shape);
  return {
    depth: 1 + largest(0, parts, ({ depth }) => depth),
    hasSequence: isSequence(shape) || parts.some(({ hasSequence }) => hasSequence),
    hasOwn: shape.kind === "own" || parts.some(({ hasOwn }) => hasOwn),
    hasBorrow: shape.kind === "borrow" || parts.some(({ hasBorrow }) => hasBorrow),
    liftCost: liftCost(shape),
  };
}

/**
 * About the bytes that a value occupies in JavaScript, and more for what takes long to make: a limit on
 * the sum is one on the memory and on the time that a lift takes. Elements of lists are charged for when
 * they are lifted.
 */
function liftCost(shape: Shape): number {
  switch (shape.kind) {
    case "record":
      return shape.fields.reduce((sum, field) => sum + field.liftCost, OBJECT_COST);
    case "variant":
      return OBJECT_COST + largest(0, partsOf(shape), (payload) => payload.liftCost);
    case "flags":
      return OBJECT_COST + NUMBER_COST * shape.names.length;
    case "list":
      return LIST_COST;
    case "string":
      return STRING_COST;
    case "own":
    case "borrow":
      return HANDLE_COST;
    case "u64":
    case "s64":
      return OBJECT_COST;
    default:
      return NUMBER_COST;
  }
}

function isSequence(shape: Shape): boolean {
  return shape.kind === "string" || shape.kind === "list";
}

function partsOf(shape: Shape): readonly Layout[] {
  switch (shape.kind) {
    case "record":
      return shape.fields;
    case "variant":
      return shape.cases.flatMap(({ payload }) => payload ?? []);
    case "list":
      return [shape.element];
    default:
      return [];
  }
}

/** `Math.max` takes no more arguments than a stack holds; a variant may have more cases. */
function largest(least: number, layouts: readonly Layout[], measure: (layout: Layout) => number): number {
  return layouts.reduce((most, layout) => Math.max(most, measure(layout)), least);
}

function alignTo(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

function notEmpty<T>(members: readonly T[], kind: string): readonly T[] {
  if (members.length === 0) trap(`a ${kind} has no members`);
  return members;
}

/** `content-type` is `contentType` in JavaScript, `HTTP-version` is `httpVersion`. */
export function camelCase(name: string): string {
  const [first = "", ...rest] = name.toLowerCase().split("-");
  return first + rest.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}
