// `fields`: headers or trailers, as a guest sees and makes them.
//
// Names are in lower case, as in Spin. Values hold one character per byte; to guests they are bytes, which
// the component model lifts and lowers as such texts for this interface.

import { err, ok, type Result } from "../../wasi/mod.ts";
import { HeldBytes } from "./held-bytes.ts";

export type FieldEntry = readonly [name: string, value: string];
export type HeaderError = { readonly tag: "invalid-syntax" | "forbidden" | "immutable" };
type FieldsResult = Result<undefined, HeaderError>;

/**
 * Fields that belong to the connection: guests do not see them, and cannot set them
 * (`DEFAULT_FORBIDDEN_HEADERS` in `crates/wasi-http/src/lib.rs` of Wasmtime).
 */
const FORBIDDEN: ReadonlySet<string> = new Set([
  "connection",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** Names and values of one object together; more than any server takes. Beyond, the guest traps. */
const FIELDS_BYTES_MAX = 128 * 1024;
/** Entries of one object; servers take some hundreds. Beyond, the guest traps. */
const ENTRIES_MAX = 4096;
/** What an entry costs besides its text, and an object besides its entries. */
const ENTRY_BYTES = 64;
const OBJECT_BYTES = 256;

/** A token (RFC 9110, 5.6.2). */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Anything but control characters. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

const DONE: FieldsResult = ok();
const INVALID: Result<never, HeaderError> = err({ tag: "invalid-syntax" });
const IS_FORBIDDEN: Result<never, HeaderError> = err({ tag: "forbidden" });
const IS_IMMUTABLE: Result<never, HeaderError> = err({ tag: "immutable" });

export class Fields {
  /** Name, value, name, value, ... */
  #list: string[];
  #isMutable: boolean;
  #bytes: number;
  /** Pays for what a guest makes. What was received is limited by whoever received it. */
  readonly held: HeldBytes | undefined;
  #isReleased = false;

  private constructor(list: string[], held: HeldBytes | undefined) {
    this.#list = list;
    this.#isMutable = held !== undefined;
    this.#bytes = textBytes(list);
    held?.add(this.#heldBytes);
    this.held = held;
  }

  static empty(held = new HeldBytes()): Fields {
    return new Fields([], held);
  }

  /** What came off the wire, but for what guests do not see. @param list name, value, name, value, ... */
  static received(list: readonly string[]): Fields {
    const visible: string[] = [];
    for (let at = 0; at + 1 < list.length; at += 2) {
      // The loop stays inside of an array that holds only strings.
      const name = (list[at] as string).toLowerCase();
      if (!FORBIDDEN.has(name)) visible.push(name, list[at + 1] as string);
    }
    return new Fields(visible, undefined);
  }

  static fromEntries(entries: readonly FieldEntry[], held = new HeldBytes()): Result<Fields, HeaderError> {
    const fields = Fields.empty(held);
    for (const [name, value] of entries) {
      const appended = fields.append(name, value);
      if (appended.tag === "ok") continue;
      fields.release();
      return appended;
    }
    return ok(fields);
  }

  /** Name, value, name, value, ... */
  get list(): readonly string[] {
    return this.#list;
  }

  /** No guest changes it any more. */
  freeze(): this {
    this.#isMutable = false;
    return this;
  }

  /** A copy that can be changed. */
  copy(held = new HeldBytes()): Fields {
    return new Fields([...this.#list], held);
  }

  /** To be called when the handle of a guest is dropped: fields of a message are held by the message. */
  [Symbol.dispose](): void {
    if (this.#isMutable) this.release();
  }

  /** Nobody holds the fields any more. */
  release(): void {
    if (!this.#isReleased) this.held?.remove(this.#heldBytes);
    this.#isReleased = true;
  }

  get #heldBytes(): number {
    return OBJECT_BYTES + this.#bytes + (ENTRY_BYTES * this.#list.length) / 2;
  }

  /** The first value. */
  first(lowerCaseName: string): string | undefined {
    const { list } = this;
    for (let at = 0; at < list.length; at += 2) if (list[at] === lowerCaseName) return list[at + 1];
    return undefined;
  }

  has(name: string): boolean {
    return this.first(name.toLowerCase()) !== undefined;
  }

  get(name: string): string[] {
    const wanted = name.toLowerCase();
    const values: string[] = [];
    for (const [at, text] of this.#list.entries()) {
      if (at % 2 === 1 && this.#list[at - 1] === wanted) values.push(text);
    }
    return values;
  }

  entries(): FieldEntry[] {
    const entries: FieldEntry[] = [];
    for (let at = 0; at + 1 < this.#list.length; at += 2) {
      // As in `received`.
      entries.push([this.#list[at] as string, this.#list[at + 1] as string]);
    }
    return entries;
  }

  /** Errors: `invalid-syntax`, `forbidden`, `immutable`. */
  append(name: string, value: string): FieldsResult {
    const refused = this.#refused(name);
    if (refused) return refused;
    if (!VALUE.test(value)) return INVALID;
    this.#add(name.toLowerCase(), value);
    return DONE;
  }

  /** Without values, the field is removed. Errors: as `append`, and nothing has changed then. */
  set(name: string, values: readonly string[]): FieldsResult {
    const refused = this.#refused(name);
    if (refused) return refused;
    if (!values.every((text) => VALUE.test(text))) return INVALID;
    this.#remove(name.toLowerCase());
    for (const text of values) this.#add(name.toLowerCase(), text);
    return DONE;
  }

  /** Errors: `invalid-syntax`, `forbidden`, `immutable`. */
  delete(name: string): FieldsResult {
    const refused = this.#refused(name);
    if (!refused) this.#remove(name.toLowerCase());
    return refused ?? DONE;
  }

  #refused(name: string): Result<never, HeaderError> | undefined {
    if (!NAME.test(name)) return INVALID;
    if (FORBIDDEN.has(name.toLowerCase())) return IS_FORBIDDEN;
    return this.#isMutable ? undefined : IS_IMMUTABLE;
  }

  /** @throws Error at the limit, which ends the guest */
  #add(name: string, value: string): void {
    const bytes = name.length + value.length;
    if (this.#bytes + bytes > FIELDS_BYTES_MAX) {
      throw new Error(`The guest made headers of more than ${FIELDS_BYTES_MAX} bytes`);
    }
    if (this.#list.length >= 2 * ENTRIES_MAX) {
      throw new Error(`The guest made more than ${ENTRIES_MAX} headers in one object`);
    }
    this.held?.add(ENTRY_BYTES + bytes);
    this.#bytes += bytes;
    this.#list.push(name, value);
  }

  #remove(name: string): void {
    const before = this.#heldBytes;
    const isKept = (at: number) => this.#list[at - (at % 2)] !== name;
    this.#list = this.#list.filter((_, at) => isKept(at));
    this.#bytes = textBytes(this.#list);
    this.held?.remove(before - this.#heldBytes);
  }
}

function textBytes(list: readonly string[]): number {
  return list.reduce((sum, text) => sum + text.length, 0);
}
