// Reads the encodings that all parts of a component's binary share.
//
// A budget for the whole component limits what is read: each element of a list costs one. Nesting, of
// components and of types in each other, is limited because it is read by recursion.

import type { ByteReader } from "../../wasm/mod.ts";
import type { CoreSort, ItemIndex, Sort } from "./component.ts";
import { UnsupportedComponentError } from "./component-error.ts";

/** Elements of all lists in a component. Real ones have some ten thousand; each costs about 100 bytes. */
const ELEMENTS_MAX = 1_000_000;
/** Components in components, types in types. Compositions nest three or four deep. */
const NESTING_MAX = 100;

const CORE_SORTS: ReadonlyMap<number, CoreSort> = new Map([
  [0x00, "func"],
  [0x01, "table"],
  [0x02, "memory"],
  [0x03, "global"],
  [0x04, "tag"],
  [0x10, "type"],
  [0x11, "module"],
  [0x12, "instance"],
]);

const SORTS: ReadonlyMap<number, Sort> = new Map([
  [0x01, "func"],
  [0x02, "value"],
  [0x03, "type"],
  [0x04, "component"],
  [0x05, "instance"],
]);

/** What may still be read. */
interface Budget {
  elements: number;
}

export class Cursor {
  readonly bytes: ByteReader;
  readonly #nesting: number;
  readonly #budget: Budget;

  constructor(bytes: ByteReader, state?: { readonly nesting: number; readonly budget: Budget }) {
    this.bytes = bytes;
    this.#nesting = state?.nesting ?? 0;
    this.#budget = state?.budget ?? { elements: ELEMENTS_MAX };
    if (this.#nesting > NESTING_MAX) {
      this.fail(`components or types are nested more than ${NESTING_MAX} deep`);
    }
  }

  /** Reads other bytes of the same component. */
  over(bytes: ByteReader): Cursor {
    return new Cursor(bytes, { nesting: this.#nesting, budget: this.#budget });
  }

  /** Reads the same bytes, one level deeper. */
  nested(): Cursor {
    return new Cursor(this.bytes, { nesting: this.#nesting + 1, budget: this.#budget });
  }

  get offset(): number {
    return this.bytes.offset;
  }

  fail(reason: string, offset = this.offset): never {
    this.bytes.fail(reason, offset);
  }

  unsupported(feature: string, offset = this.offset): never {
    throw new UnsupportedComponentError(feature, offset);
  }

  u8(): number {
    return this.bytes.u8();
  }

  u32(): number {
    return this.bytes.u32();
  }

  name(): string {
    return this.bytes.name();
  }

  list<T>(what: string, read: () => T): T[] {
    const start = this.offset;
    const count = this.bytes.count(what);
    this.#budget.elements -= count;
    if (this.#budget.elements < 0) this.fail(`more than ${ELEMENTS_MAX} elements in all lists`, start);
    return Array.from({ length: count }, read);
  }

  /** A list that must have an element. */
  filledList<T>(what: string, read: () => T): T[] {
    const start = this.offset;
    const elements = this.list(what, read);
    if (elements.length === 0) this.fail(`no ${what}`, start);
    return elements;
  }

  optional<T>(read: () => T): T | undefined {
    return this.flag("an option") ? read() : undefined;
  }

  /** A byte that is 0 or 1. */
  flag(what: string): boolean {
    const byte = this.u8();
    if (byte > 1) this.fail(`${hex(byte)} for ${what}`, this.offset - 1);
    return byte === 1;
  }

  /** A byte that can be nothing else. */
  expect(byte: number, what: string): void {
    const found = this.u8();
    if (found !== byte) this.fail(`${hex(found)} for ${what}`, this.offset - 1);
  }

  sort(): Sort {
    const start = this.offset;
    const byte = this.u8();
    const sort = byte === 0 ? this.coreSort() : SORTS.get(byte);
    return sort ?? this.fail(`${hex(byte)} is not a sort`, start);
  }

  coreSort(): `core ${CoreSort}` {
    const byte = this.u8();
    const sort = CORE_SORTS.get(byte);
    if (sort === undefined) this.fail(`${hex(byte)} is not a core sort`, this.offset - 1);
    return `core ${sort}`;
  }

  item(): ItemIndex {
    return { sort: this.sort(), index: this.u32() };
  }

  coreItem(): ItemIndex {
    return { sort: this.coreSort(), index: this.u32() };
  }

  /** The name of an import or export of a component. What newer binaries say about it besides is passed over. */
  externName(): string {
    const kind = this.u8();
    if (kind > 2) this.fail(`${hex(kind)} is not a kind of name`, this.offset - 1);
    const name = this.name();
    if (kind === 2) this.list("attributes", () => this.#skipAttribute());
    return name;
  }

  #skipAttribute(): void {
    const kind = this.u8();
    if (kind > 2) this.fail(`${hex(kind)} is not an attribute of a name`, this.offset - 1);
    this.name();
  }
}

export function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}
