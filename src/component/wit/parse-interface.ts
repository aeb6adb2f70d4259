// Reads the WIT text of one interface of the host.
//
// It knows what interfaces of WASI 0.2 are written in: types, resources and functions. Packages, worlds,
// nested includes, streams and futures are not. Names may be used before they are defined.

import type { Case, Field, FunctionType, ResourceType, ValueType } from "../types.ts";
import { type Token, tokens, witError } from "./tokens.ts";

type HostResource = Extract<ResourceType, { readonly kind: "imported" }>;

export interface HostInterfaceType {
  /** Full name with its version. */
  readonly name: string;
  /** By the names that a component imports: `get-stdin`, `[method]input-stream.read`, `[constructor]fields`. */
  readonly functions: ReadonlyMap<string, FunctionType>;
  /** Resources that this interface defines. */
  readonly resources: ReadonlyMap<string, HostResource>;
  /** Types by their names in this interface, those that it uses from others included; a resource is its own handle. */
  readonly types: ReadonlyMap<string, ValueType>;
}

/**
 * @param resolve Finds the interfaces that this one uses, by their full names
 * @throws WitError with the place of the first mistake
 *
 * @example
 * parseInterface(`interface wasi:random/random@0.2.12 {
 *   get-random-bytes: func(len: u64) -> list<u8>;
 * }`, () => undefined);
 */
export function parseInterface(
  text: string,
  resolve: (interfaceName: string) => HostInterfaceType | undefined,
): HostInterfaceType {
  return new InterfaceParser(text, resolve).parse();
}

/** A type whose names are looked up once all of them are known. */
type Late<T> = () => T;

const PRIMITIVES = new Map<string, ValueType>([
  ["bool", { kind: "bool" }],
  ["s8", { kind: "s8" }],
  ["u8", { kind: "u8" }],
  ["s16", { kind: "s16" }],
  ["u16", { kind: "u16" }],
  ["s32", { kind: "s32" }],
  ["u32", { kind: "u32" }],
  ["s64", { kind: "s64" }],
  ["u64", { kind: "u64" }],
  ["f32", { kind: "f32" }],
  ["f64", { kind: "f64" }],
  // The names of both before WASI 0.2.0.
  ["float32", { kind: "f32" }],
  ["float64", { kind: "f64" }],
  ["char", { kind: "char" }],
  ["string", { kind: "string" }],
]);

class InterfaceParser {
  readonly #text: string;
  readonly #resolve: (interfaceName: string) => HostInterfaceType | undefined;
  readonly #tokens: readonly Token[];
  #position = 0;
  #name = "";
  readonly #types = new Map<string, Late<ValueType>>();
  readonly #resources = new Map<string, HostResource>();
  readonly #functions = new Map<string, Late<FunctionType>>();

  constructor(text: string, resolve: (interfaceName: string) => HostInterfaceType | undefined) {
    this.#text = text;
    this.#resolve = resolve;
    this.#tokens = [...tokens(text)];
  }

  parse(): HostInterfaceType {
    this.#expect("interface");
    this.#name = this.#path();
    this.#expect("{");
    while (!this.#accept("}")) this.#item();
    if (this.#next.kind !== "end") this.#fail("the end of the text");
    return {
      name: this.#name,
      functions: resolved(this.#functions),
      resources: this.#resources,
      types: resolved(this.#types),
    };
  }

  #item(): void {
    const start = this.#next;
    const name = this.#word();
    if (this.#accept(":")) this.#addFunction(name, this.#function([]), start);
    else if (name === "use") this.#use();
    else if (name === "type") this.#alias();
    else if (name === "record") this.#define(() => this.#record());
    else if (name === "variant") this.#define(() => this.#variant());
    else if (name === "enum" || name === "flags") this.#define(() => this.#names(name));
    else if (name === "resource") this.#resource();
    else throw witError(`"${name}" begins no item of an interface`, this.#text, start.offset);
  }

  /** `use wasi:io/error@0.2.0.{error, other as name};` or `use types.{...};` of the same package. */
  #use(): void {
    const start = this.#next;
    const path = start.kind === "path" ? this.#path() : this.#sibling(this.#word());
    const used = this.#resolve(path);
    if (used === undefined) throw witError(`there is no interface "${path}"`, this.#text, start.offset);
    this.#expect(".");
    this.#expect("{");
    this.#list("}", () => {
      const at = this.#next;
      const name = this.#word();
      const type = used.types.get(name);
      if (type === undefined) throw witError(`"${path}" has no type "${name}"`, this.#text, at.offset);
      this.#addType(this.#accept("as") ? this.#word() : name, () => type, at);
    });
    this.#expect(";");
  }

  #sibling(name: string): string {
    return this.#name.replace(/\/[^@]+/, `/${name}`);
  }

  #alias(): void {
    const start = this.#next;
    const name = this.#word();
    this.#expect("=");
    const type = this.#type();
    this.#expect(";");
    this.#addType(name, type, start);
  }

  #define(body: () => Late<ValueType>): void {
    const start = this.#next;
    const name = this.#word();
    this.#expect("{");
    this.#addType(name, body(), start);
  }

  #record(): Late<ValueType> {
    const fields = this.#list("}", () => this.#field());
    return () => ({ kind: "record", fields: fields.map((field) => field()) });
  }

  #field(): Late<Field> {
    const name = this.#word();
    this.#expect(":");
    const type = this.#type();
    return () => ({ name, type: type() });
  }

  #variant(): Late<ValueType> {
    const cases = this.#list("}", (): Late<Case> => {
      const name = this.#word();
      if (!this.#accept("(")) return () => ({ name });
      const type = this.#type();
      this.#expect(")");
      return () => ({ name, type: type() });
    });
    return () => ({ kind: "variant", cases: cases.map((one) => one()) });
  }

  #names(kind: "enum" | "flags"): Late<ValueType> {
    const names = this.#list("}", () => this.#word());
    return () => ({ kind, names });
  }

  #resource(): void {
    const start = this.#next;
    const name = this.#word();
    const resource: HostResource = { kind: "imported", interface: this.#name, name };
    this.#addType(name, () => ({ kind: "own", resource }), start);
    this.#resources.set(name, resource);
    if (this.#accept(";")) return;
    this.#expect("{");
    while (!this.#accept("}")) this.#method(resource);
  }

  #method(resource: HostResource): void {
    const start = this.#next;
    const name = this.#word();
    if (name === "constructor" && !this.#accept(":")) {
      const made = this.#signature([]);
      this.#expect(";");
      this.#addFunction(
        `[constructor]${resource.name}`,
        () => ({ result: { kind: "own", resource }, ...made() }),
        start,
      );
      return;
    }
    if (name !== "constructor") this.#expect(":");
    const isStatic = this.#accept("static");
    const self: Field = { name: "self", type: { kind: "borrow", resource } };
    const prefix = isStatic ? "[static]" : "[method]";
    this.#addFunction(`${prefix}${resource.name}.${name}`, this.#function(isStatic ? [] : [self]), start);
  }

  #function(leading: readonly Field[]): Late<FunctionType> {
    this.#expect("func");
    const type = this.#signature(leading);
    this.#expect(";");
    return type;
  }

  #signature(leading: readonly Field[]): Late<FunctionType> {
    this.#expect("(");
    const params = this.#list(")", () => this.#field());
    const result = this.#accept("->") ? this.#type() : undefined;
    return () => ({
      params: [...leading, ...params.map((param) => param())],
      ...(result && { result: result() }),
    });
  }

  #type(): Late<ValueType> {
    const start = this.#next;
    const name = this.#word();
    const primitive = PRIMITIVES.get(name);
    if (primitive !== undefined) return () => primitive;
    switch (name) {
      case "list":
        return this.#listType();
      case "option": {
        const payload = this.#argument();
        return () => ({ kind: "option", payload: payload() });
      }
      case "result":
        return this.#resultType();
      case "tuple": {
        this.#expect("<");
        const elements = this.#list(">", () => this.#type());
        return () => ({ kind: "tuple", elements: elements.map((element) => element()) });
      }
      case "own":
      case "borrow":
        return this.#handle(name);
      default:
        return () => this.#named(name, start);
    }
  }

  #argument(): Late<ValueType> {
    this.#expect("<");
    const type = this.#type();
    this.#expect(">");
    return type;
  }

  #listType(): Late<ValueType> {
    this.#expect("<");
    const element = this.#type();
    const length = this.#accept(",") ? Number(this.#word()) : undefined;
    this.#expect(">");
    return () => ({ kind: "list", element: element(), ...(length !== undefined && { length }) });
  }

  /** `result`, `result<T>`, `result<_, E>` or `result<T, E>`. */
  #resultType(): Late<ValueType> {
    if (!this.#accept("<")) return () => ({ kind: "result" });
    const ok = this.#accept("_") ? undefined : this.#type();
    const error = this.#accept(",") ? this.#type() : undefined;
    this.#expect(">");
    return () => ({ kind: "result", ...(ok && { ok: ok() }), ...(error && { error: error() }) });
  }

  #handle(kind: "own" | "borrow"): Late<ValueType> {
    const start = this.#next;
    const type = this.#argument();
    return () => {
      const named = type();
      if (named.kind !== "own") throw witError(`${kind}<...> is of a resource`, this.#text, start.offset);
      return { kind, resource: named.resource };
    };
  }

  #named(name: string, at: Token): ValueType {
    const type = this.#types.get(name);
    if (type === undefined) throw witError(`there is no type "${name}"`, this.#text, at.offset);
    return type();
  }

  /** Named types are made once, so that all who name one share it. */
  #addType(name: string, make: Late<ValueType>, at: Token): void {
    if (this.#types.has(name)) throw witError(`"${name}" is defined twice`, this.#text, at.offset);
    let state: ValueType | "new" | "busy" = "new";
    this.#types.set(name, () => {
      if (state === "busy") throw witError(`"${name}" contains itself`, this.#text, at.offset);
      if (state !== "new") return state;
      state = "busy";
      state = make();
      return state;
    });
  }

  #addFunction(name: string, type: Late<FunctionType>, at: Token): void {
    if (this.#functions.has(name)) throw witError(`"${name}" is defined twice`, this.#text, at.offset);
    this.#functions.set(name, type);
  }

  /** Items with commas between them, and perhaps one behind the last. */
  #list<T>(end: string, item: () => T): T[] {
    const items: T[] = [];
    while (!this.#accept(end)) {
      items.push(item());
      if (this.#accept(",")) continue;
      this.#expect(end);
      break;
    }
    return items;
  }

  get #next(): Token {
    // The last token is the end, and it is never passed.
    return this.#tokens[this.#position] as Token;
  }

  #accept(text: string): boolean {
    const { kind } = this.#next;
    if (kind === "end" || this.#next.text !== text) return false;
    this.#position++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#accept(text)) this.#fail(`"${text}"`);
  }

  #word(): string {
    const { kind, text } = this.#next;
    if (kind !== "word") this.#fail("a name");
    this.#position++;
    return text;
  }

  #path(): string {
    const { kind, text } = this.#next;
    if (kind !== "path") this.#fail("the full name of an interface");
    this.#position++;
    return text;
  }

  #fail(expected: string): never {
    const { text, offset, kind } = this.#next;
    const found = kind === "end" ? text : JSON.stringify(text);
    throw witError(`expected ${expected}, found ${found}`, this.#text, offset);
  }
}

function resolved<T>(late: ReadonlyMap<string, Late<T>>): Map<string, T> {
  return new Map([...late].map(([name, make]) => [name, make()]));
}
