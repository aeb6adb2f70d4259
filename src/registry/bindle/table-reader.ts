// Reads tables that came as TOML or JSON: every field has its type, no field is unknown.

export type Table = Readonly<Record<string, unknown>>;

/** A value that is not what the format says. The message is the state that was found, with its place. */
export class ShapeError extends Error {}

/** Where a value is, for messages; built only when one is wrong. */
export interface Place {
  readonly name: string | number;
  readonly inside?: Place;
}

/** One table, whose fields are asked for by name. `null`, which JSON has for what is absent, is absence. */
export class TableReader {
  readonly #table: Table;
  readonly #place: Place;

  /** @throws ShapeError if `value` is no table, or has other fields than `known` (if that is given) */
  constructor(value: unknown, place: Place, known?: ReadonlySet<string>) {
    this.#table = readTable(value, place);
    this.#place = place;
    if (!known) return;
    for (const name in this.#table) {
      if (!known.has(name)) throw new ShapeError(`unknown field "${pathOf({ name, inside: place })}"`);
    }
  }

  string(name: string): string {
    return this.optionalString(name) ?? this.#missing(name);
  }

  optionalString(name: string): string | undefined {
    const value = this.#value(name);
    if (value === undefined || typeof value === "string") return value;
    throw wrong(this.placeOf(name), "it must be a string");
  }

  optionalBoolean(name: string): boolean | undefined {
    const value = this.#value(name);
    if (value === undefined || typeof value === "boolean") return value;
    throw wrong(this.placeOf(name), "it must be true or false");
  }

  /** A whole number, not negative. */
  count(name: string): number {
    return this.optionalCount(name) ?? this.#missing(name);
  }

  optionalCount(name: string): number | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    throw wrong(this.placeOf(name), "it must be a whole number, not negative");
  }

  optionalStrings(name: string): readonly string[] | undefined {
    const items = this.optionalArray(name);
    const stranger = items?.findIndex((item) => typeof item !== "string") ?? -1;
    if (stranger >= 0) throw wrong({ name: stranger, inside: this.placeOf(name) }, "it must be a string");
    // All items are strings: the search for one that is not found none.
    return items as readonly string[] | undefined;
  }

  optionalArray(name: string): readonly unknown[] | undefined {
    const value = this.#value(name);
    if (value === undefined || Array.isArray(value)) return value;
    throw wrong(this.placeOf(name), "it must be an array");
  }

  /** An array whose items are tables, each read by `read`. One without items is absent. */
  optionalTables<T>(name: string, read: (value: unknown, place: Place) => T): readonly T[] | undefined {
    const inside = this.placeOf(name);
    const items = this.optionalArray(name) ?? [];
    return items.length === 0 ? undefined : items.map((value, index) => read(value, { name: index, inside }));
  }

  optionalTable<T>(name: string, read: (value: unknown, place: Place) => T): T | undefined {
    const value = this.#value(name);
    return value === undefined ? undefined : read(value, this.placeOf(name));
  }

  table<T>(name: string, read: (value: unknown, place: Place) => T): T {
    return read(this.#value(name) ?? this.#missing(name), this.placeOf(name));
  }

  placeOf(name: string): Place {
    return { name, inside: this.#place };
  }

  #value(name: string): unknown {
    // A table from a file may have any field, but never one that it inherits.
    return Object.hasOwn(this.#table, name) ? (this.#table[name] ?? undefined) : undefined;
  }

  #missing(name: string): never {
    throw new ShapeError(`the field "${pathOf(this.placeOf(name))}" is missing`);
  }
}

export function readTable(value: unknown, place: Place = { name: "" }): Table {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Date) {
    throw wrong(place, "it must be a table");
  }
  // An object that is no array has fields.
  return value as Table;
}

/** A table whose fields are named freely; they are put in the order of their names. */
export function readMap<T>(
  value: unknown,
  place: Place,
  read: (value: unknown, place: Place) => T,
): Readonly<Record<string, T>> {
  // Made of entries, so that "__proto__" is a field like any other.
  const fields = Object.entries(readTable(value, place)).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(fields.map(([name, field]) => [name, read(field, { name, inside: place })]));
}

export function readString(value: unknown, place: Place): string {
  if (typeof value === "string") return value;
  throw wrong(place, "it must be a string");
}

/** Leaves out the fields that are undefined, so that what was absent stays absent. */
export function present<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  const result: Partial<T> = {};
  for (const name in fields) {
    const value = fields[name];
    if (value !== undefined) result[name] = value;
  }
  // Whatever is not here was undefined, which only T's optional fields can be.
  return result as T;
}

export function wrong(place: Place, expectation: string): ShapeError {
  const path = pathOf(place);
  return new ShapeError(path === "" ? expectation : `"${path}": ${expectation}`);
}

/** `parcel[3].label.size`. */
function pathOf({ name, inside }: Place): string {
  if (inside === undefined) return String(name);
  const before = inside.name === "" ? "" : pathOf(inside);
  if (typeof name === "number") return `${before}[${name}]`;
  return before === "" ? name : `${before}.${name}`;
}
