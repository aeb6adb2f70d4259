// Generates JavaScript that lifts and lowers values.
//
// For each layout that needs it there are functions, named by what they do and the layout's number:
//
//     lift7(cx, a0, a1, ...)      flat core values to a value
//     load7(cx, view, at)         memory to a value
//     list7(cx, at, length)       memory to the elements of a list
//     name7(index)                number of a case to its name
//     flags7(bits)                bits to an object of booleans
//     flat7(cx, value, out, at)   a value to flat core values, put at out[at] and following
//     store7(cx, value, at)       a value to memory, whose place is checked and marked
//     place7(cx, value)           the elements of a list to memory that it allocates; returns the pointer
//     index7(name)                name of a case to its number
//     bits7(value)                an object of booleans to bits
//
// Functions call those of their parts, so that the code of a type is as long as its description, however
// often parts are shared. Names from a component get into code as string literals only.

import type { ByteLists, ResourceType } from "../types.ts";
import { CHECKS } from "./checks.ts";
import {
  type FlatType,
  type Layout,
  LayoutTable,
  type ListLayout,
  type NamesLayout,
  type VariantLayout,
} from "./layout.ts";

const INTEGERS = { 1: "Uint8", 2: "Uint16", 4: "Uint32" } as const;

/** How `DataView` calls the types that it knows. */
const VIEW_TYPES: Readonly<Record<string, string>> = {
  s8: "Int8",
  u8: "Uint8",
  s16: "Int16",
  u16: "Uint16",
  s32: "Int32",
  u32: "Uint32",
  s64: "BigInt64",
  u64: "BigUint64",
  f32: "Float32",
  f64: "Float64",
};

/** Methods of the context. */
const BYTE_LISTS = {
  arrays: { lift: "liftBytes", lower: "lowerBytes" },
  text: { lift: "liftByteText", lower: "lowerByteText" },
} as const satisfies Record<ByteLists, unknown>;

type Operation = "lift" | "load" | "list" | "name" | "flags" | "flat" | "store" | "place" | "index" | "bits";

/** The code of one plan. */
export class ValueCode {
  readonly layouts = new LayoutTable();
  /** What generated code may call by name. */
  readonly #library: Record<string, unknown>;
  readonly #resources = new Map<ResourceType, string>();
  /** What all code may use. */
  readonly #common: readonly string[];
  /** Declarations that are not compiled yet, and what they use besides. */
  readonly #pending = new Map<string, string>();
  readonly #used = new Set<string>();
  readonly #byteLists: ByteLists;
  #results = 0;

  constructor(library: Readonly<Record<string, unknown>>, byteLists: ByteLists) {
    this.#byteLists = byteLists;
    this.#library = { ...CHECKS, ...library };
    this.#common = Object.keys(this.#library);
  }

  /**
   * The value of an expression, which may use what the other methods returned. All that was asked for is
   * compiled when the first value is: once for many functions is much quicker than many times for one.
   */
  later(expression: string): () => unknown {
    const name = `result${this.#results++}`;
    this.#pending.set(name, `const ${name} = ${expression};`);
    return () => {
      if (this.#pending.size > 0) this.#compile();
      return this.#library[name];
    };
  }

  #compile(): void {
    const names = [...this.#pending.keys()];
    const source = [
      `"use strict"; const {${[...this.#common, ...this.#used].join()}} = library;`,
      ...this.#pending.values(),
      `return {${names.join()}};`,
    ].join("\n");
    Object.assign(this.#library, new Function("library", source)(this.#library));
    this.#pending.clear();
    this.#used.clear();
  }

  /** An expression for the value that flat core values stand for. */
  lift(layout: Layout, args: readonly string[]): string {
    const [a = ""] = args;
    switch (layout.kind) {
      case "bool":
        return `(${a} !== 0)`;
      case "s8":
        return `(${a} << 24 >> 24)`;
      case "u8":
        return `(${a} & 0xff)`;
      case "s16":
        return `(${a} << 16 >> 16)`;
      case "u16":
        return `(${a} & 0xffff)`;
      case "u32":
        return `(${a} >>> 0)`;
      case "u64":
        return `BigInt.asUintN(64, ${a})`;
      case "s32":
      case "s64":
      case "f32":
      case "f64":
        return a;
      case "record":
      case "variant":
        return `${this.#function("lift", layout)}(cx, ${args.join()})`;
      case "list":
        if (layout.length !== undefined) return `${this.#function("lift", layout)}(cx, ${args.join()})`;
        return this.#liftList(layout, args);
      default:
        return this.#liftWord(layout, args);
    }
  }

  /** An expression for the value at an address in memory. */
  load(layout: Layout, at: string): string {
    switch (layout.kind) {
      case "record":
      case "variant":
        return `${this.#function("load", layout)}(cx, view, ${at})`;
      case "list":
        if (layout.length !== undefined) return `${this.#function("load", layout)}(cx, view, ${at})`;
        return this.#liftList(layout, [get("Uint32", at), get("Uint32", `${at} + 4`)]);
      case "string":
        return this.#liftWord(layout, [get("Uint32", at), get("Uint32", `${at} + 4`)]);
      case "bool":
        return `(${get("Uint8", at)} !== 0)`;
      case "enum":
      case "flags":
      case "char":
      case "own":
      case "borrow":
        return this.#liftWord(layout, [get(integerType(layout), at)]);
      default:
        return get(VIEW_TYPES[layout.kind] ?? "", at);
    }
  }

  #liftList(layout: Layout & ListLayout, args: readonly string[]): string {
    if (layout.element.kind === "u8") return `cx.${BYTE_LISTS[this.#byteLists].lift}(${args.join()})`;
    return `${this.#function("list", layout)}(cx, ${args.join()})`;
  }

  /** What is lifted alike from a register and from memory. */
  #liftWord(layout: Layout, args: readonly string[]): string {
    switch (layout.kind) {
      case "string":
        return `cx.liftString(${args.join()})`;
      case "char":
        return `liftChar(${args.join()})`;
      case "enum":
        return `${this.#function("name", layout)}(${args.join()})`;
      case "flags":
        return `${this.#function("flags", layout)}(${args.join()})`;
      case "own":
        return `cx.instance.liftOwn(${args.join()}, ${this.#resource(layout.resource)})`;
      case "borrow":
        return `cx.instance.liftBorrow(${args.join()}, ${this.#resource(layout.resource)})`;
      default:
        throw new Error(`A ${layout.kind} is not one word`);
    }
  }

  /** A statement that puts the core values of `value`, a variable, at `out[at]` and following. */
  flatten(layout: Layout, value: string, at: string): string {
    switch (layout.kind) {
      case "string":
        return `out[${at}] = cx.lowerString(${value}); out[${at} + 1] = cx.units;`;
      case "list":
        if (layout.length !== undefined)
          return `${this.#function("flat", layout)}(cx, ${value}, out, ${at});`;
        return `out[${at}] = ${this.#place(layout, value)}; out[${at} + 1] = ${value}.length;`;
      case "record":
      case "variant":
        return `${this.#function("flat", layout)}(cx, ${value}, out, ${at});`;
      default:
        return `out[${at}] = ${this.#lowerWord(layout, value)};`;
    }
  }

  /** An expression for the one core value of `value`, if that is easily said. */
  lowerOne(layout: Layout, value: string): string | undefined {
    const isPlain = layout.kind !== "record" && layout.kind !== "variant" && layout.kind !== "list";
    return isPlain && layout.flat?.length === 1 ? this.#lowerWord(layout, value) : undefined;
  }

  /** A statement that writes `value`, a variable, to memory. `view` is up to date before and after it. */
  store(layout: Layout, value: string, at: string): string {
    switch (layout.kind) {
      case "string":
        return storePair(`cx.lowerString(${value})`, "cx.units", at);
      case "list":
        if (layout.length === undefined) return storePair(this.#place(layout, value), `${value}.length`, at);
        return `${this.#function("store", layout)}(cx, ${value}, ${at}); view = cx.memory.view;`;
      case "record":
      case "variant": {
        const refresh = layout.hasSequence ? "view = cx.memory.view;" : "";
        return `${this.#function("store", layout)}(cx, ${value}, ${at}); ${refresh}`;
      }
      case "bool":
      case "enum":
      case "flags":
      case "char":
      case "own":
      case "borrow":
        return set(integerType(layout), at, this.#lowerWord(layout, value));
      default:
        return set(VIEW_TYPES[layout.kind] ?? "", at, this.#lowerWord(layout, value));
    }
  }

  #place(layout: Layout & ListLayout, value: string): string {
    if (layout.element.kind === "u8") return `cx.${BYTE_LISTS[this.#byteLists].lower}(${value})`;
    return `${this.#function("place", layout)}(cx, ${value})`;
  }

  #lowerWord(layout: Layout, value: string): string {
    switch (layout.kind) {
      case "enum":
        return `${this.#function("index", layout)}(${value})`;
      case "flags":
        return `${this.#function("bits", layout)}(${value})`;
      case "own":
        return `cx.instance.lowerOwn(${value}, ${this.#resource(layout.resource)})`;
      case "borrow":
        return `cx.instance.lowerBorrow(${value}, ${this.#resource(layout.resource)})`;
      default:
        // The check of each other type has its name.
        return `${layout.kind}(${value})`;
    }
  }

  #resource(resource: ResourceType): string {
    const name = this.#resources.get(resource) ?? `resource${this.#resources.size}`;
    this.#resources.set(resource, name);
    return this.#constant(name, resource);
  }

  #constant(name: string, value: unknown): string {
    this.#library[name] = value;
    this.#used.add(name);
    return name;
  }

  /** The name of a function, which is generated when it is asked for first. */
  #function(operation: Operation, layout: Layout): string {
    const name = `${operation}${layout.id}`;
    if (name in this.#library) this.#used.add(name);
    else if (!this.#pending.has(name))
      this.#pending.set(name, `function ${name}${this.#body(operation, layout)}`);
    return name;
  }

  #body(operation: Operation, layout: Layout): string {
    switch (operation) {
      case "lift":
        return this.#liftBody(layout);
      case "load":
        return this.#loadBody(layout);
      case "flat":
        return this.#flatBody(layout);
      case "store":
        return this.#storeBody(layout);
    }
    if (layout.kind === "list")
      return operation === "list" ? this.#listBody(layout) : this.#placeBody(layout);
    if (layout.kind !== "enum" && layout.kind !== "flags") throw new Error(`A ${layout.kind} has no names`);
    return namesBody(operation, layout);
  }

  #liftBody(layout: Layout): string {
    const flat = layout.flat ?? [];
    const args = flat.map((_, index) => `a${index}`);
    const head = `(cx, ${args.join()})`;
    if (layout.kind === "variant") {
      const cases = layout.cases.map(({ payload }) =>
        payload === undefined ? undefined : this.lift(payload, narrowed(flat, payload)),
      );
      return `${head} { ${liftCases(layout, "a0", cases)} }`;
    }
    let next = 0;
    const parts = partsOf(layout).map((part) => {
      const { length } = part.flat ?? [];
      next += length;
      return this.lift(part, args.slice(next - length, next));
    });
    return `${head} { return ${gathered(layout, parts)}; }`;
  }

  #loadBody(layout: Layout): string {
    const head = "(cx, view, at)";
    switch (layout.kind) {
      case "variant": {
        const at = `at + ${layout.payloadOffset}`;
        const cases = layout.cases.map(({ payload }) =>
          payload === undefined ? undefined : this.load(payload, at),
        );
        const index = get(INTEGERS[layout.discriminantBytes], "at");
        return `${head} { ${liftCases(layout, index, cases)} }`;
      }
      case "record": {
        const parts = layout.fields.map((field, index) => this.load(field, `at + ${layout.offsets[index]}`));
        return `${head} { return ${gathered(layout, parts)}; }`;
      }
      case "list": {
        const { element, length, size } = layout;
        const charge = `cx.chargeElements(${length}, ${element.kind === "u8" ? 1 : element.liftCost});`;
        if (element.kind === "u8") return `${head} { ${charge} return cx.copy(at, at + ${size}); }`;
        return `${head} { ${charge} ${this.#loadElements(element, String(length))} }`;
      }
      default:
        throw new Error(`A ${layout.kind} is loaded in place`);
    }
  }

  #listBody({ element }: ListLayout): string {
    const range = `at = cx.elements(at, length, ${this.#constant(`layout${element.id}`, element)});`;
    return `(cx, at, length) {
      ${range} length >>>= 0; const view = cx.memory.view;
      ${this.#loadElements(element, "length")}
    }`;
  }

  #loadElements(element: Layout, length: string): string {
    return `const out = new Array(${length});
      for (let i = 0; i < ${length}; i++, at += ${element.size}) out[i] = ${this.load(element, "at")};
      return out;`;
  }

  #flatBody(layout: Layout): string {
    const head = "(cx, value, out, at)";
    if (layout.kind === "variant") {
      const cases = layout.cases.map(({ payload }, index) => {
        const lower = payload === undefined ? "" : this.flatten(payload, "payload", "at + 1");
        return `out[at] = ${index}; ${lower} ${widen(layout.flat ?? [], payload?.flat ?? [])}`;
      });
      return `${head} { ${lowerCases(layout, cases)} }`;
    }
    let next = 0;
    const parts = partsOf(layout).map((part) => {
      const at = `at + ${next}`;
      next += part.flat?.length ?? 0;
      return this.flatten(part, "part", at);
    });
    return `${head} { ${scattered(layout, parts)} }`;
  }

  #storeBody(layout: Layout): string {
    const head = "(cx, value, at)";
    const view = "let view = cx.memory.view;";
    switch (layout.kind) {
      case "variant": {
        const at = `at + ${layout.payloadOffset}`;
        const cases = layout.cases.map(({ payload }, index) => {
          const tag = set(INTEGERS[layout.discriminantBytes], "at", String(index));
          return `${tag} ${payload === undefined ? "" : this.store(payload, "payload", at)}`;
        });
        return `${head} { ${view} ${lowerCases(layout, cases)} }`;
      }
      case "record": {
        const parts = layout.fields.map((field, index) =>
          this.store(field, "part", `at + ${layout.offsets[index]}`),
        );
        return `${head} { ${view} ${scattered(layout, parts)} }`;
      }
      case "list":
        return `${head} { list(value, ${layout.length}); ${view} ${this.#storeElements(layout.element)} }`;
      default:
        throw new Error(`A ${layout.kind} is stored in place`);
    }
  }

  #placeBody({ element }: ListLayout): string {
    return `(cx, value) {
      list(value, undefined);
      const start = cx.allocateElements(value.length, ${this.#constant(`layout${element.id}`, element)});
      let at = start; let view = cx.memory.view;
      ${this.#storeElements(element)}
      return start;
    }`;
  }

  #storeElements(element: Layout): string {
    return `for (let i = 0; i < value.length; i++, at += ${element.size}) {
      const part = value[i]; ${this.store(element, "part", "at")}
    }`;
  }
}

function get(type: string, at: string): string {
  return `view.get${type}(${at}, true)`;
}

function set(type: string, at: string, value: string): string {
  return `view.set${type}(${at}, ${value}, true);`;
}

/** A string or list is a pointer and a length. To lower it may move the memory. */
function storePair(pointer: string, length: string, at: string): string {
  const place = `const start = ${pointer}; view = cx.memory.view;`;
  return `{ ${place} ${set("Uint32", at, "start")} ${set("Uint32", `${at} + 4`, length)} }`;
}

function integerType({ size }: Layout): string {
  return size === 1 ? INTEGERS[1] : size === 2 ? INTEGERS[2] : INTEGERS[4];
}

/** What a record, tuple or list of fixed length consists of, in order. */
function partsOf(layout: Layout): readonly Layout[] {
  if (layout.kind === "record") return layout.fields;
  if (layout.kind !== "list") throw new Error(`A ${layout.kind} has no parts`);
  return Array.from({ length: layout.length ?? 0 }, () => layout.element);
}

/** An expression for a record, tuple or list made of the values of its parts. */
function gathered(layout: Layout, parts: readonly string[]): string {
  if (layout.kind === "record" && layout.names !== undefined) {
    const { names } = layout;
    return `{ ${parts.map((part, index) => `${key(names[index])}: ${part}`).join()} }`;
  }
  const isBytes = layout.kind === "list" && layout.element.kind === "u8";
  return isBytes ? `Uint8Array.of(${parts.join()})` : `[${parts.join()}]`;
}

/** Statements that do with each part of `value` what `parts` says of the variable `part`. */
function scattered(layout: Layout, parts: readonly string[]): string {
  const names = layout.kind === "record" ? layout.names : undefined;
  const check = names === undefined ? `list(value, ${parts.length});` : "";
  const statements = parts.map((part, index) => {
    const property = names === undefined ? index : literal(names[index]);
    return `{ const part = value[${property}]; ${part} }`;
  });
  return `${check} ${statements.join("\n")}`;
}

/** Statements that return the value of a variant. `payloads` are expressions. */
function liftCases(
  { form, cases }: VariantLayout,
  index: string,
  payloads: readonly (string | undefined)[],
): string {
  const branches = cases.map(({ name }, number) => {
    const payload = payloads[number];
    const tagged = `{ tag: ${literal(name)}${payload === undefined ? "" : `, val: ${payload}`} }`;
    return `case ${number}: return ${form === "tagged" ? tagged : payload};`;
  });
  return `switch (${index}) { ${branches.join("\n")} default: return badCase(); }`;
}

/** Statements that lower the variant `value`, with its payload in the variable `payload`. */
function lowerCases({ form, cases }: VariantLayout, lowers: readonly string[]): string {
  if (form === "bare")
    return `const payload = value; if (payload === undefined) { ${lowers[0]} } else { ${lowers[1]} }`;
  const branches = cases.map(({ name }, number) => `case ${literal(name)}: { ${lowers[number]} break; }`);
  return `const payload = value.val;
    switch (value.tag) { ${branches.join("\n")} default: wrong("the tag of a case", value.tag); }`;
}

function namesBody(operation: Operation, { names }: NamesLayout): string {
  switch (operation) {
    case "name": {
      const branches = names.map((name, index) => `case ${index}: return ${literal(name)};`);
      return `(index) { switch (index) { ${branches.join("\n")} default: return badCase(); } }`;
    }
    case "index": {
      const branches = names.map((name, index) => `case ${literal(name)}: return ${index};`);
      return `(name) { switch (name) { ${branches.join("\n")} default: return wrong("the name of a case", name); } }`;
    }
    case "flags": {
      const flags = names.map((name, index) => `${key(name)}: (bits & ${1 << index}) !== 0`);
      return `(bits) { return { ${flags.join()} }; }`;
    }
    default: {
      const bits = names.map((name, index) => `(value[${literal(name)}] ? ${1 << index} : 0)`);
      return `(value) { return ${bits.join(" | ")}; }`;
    }
  }
}

/** Expressions for the core values of a payload, which are passed in those of the variant. */
function narrowed(flat: readonly FlatType[], payload: Layout): string[] {
  return (payload.flat ?? []).map((want, index) => {
    const have = flat[index + 1];
    const arg = `a${index + 1}`;
    if (have === want) return arg;
    if (want === "f64") return `float64OfBits(${arg})`;
    const word = have === "i64" ? `Number(BigInt.asIntN(32, ${arg}))` : arg;
    return want === "f32" ? `float32OfBits(${word})` : word;
  });
}

/** Statements that turn the core values of a payload into those of the variant. */
function widen(flat: readonly FlatType[], payload: readonly FlatType[]): string {
  const statements = flat.slice(1).map((want, index) => {
    const have = payload[index];
    const place = `out[at + ${index + 1}]`;
    if (have === want) return "";
    if (have === undefined) return `${place} = ${want === "i64" ? "0n" : "0"};`;
    if (have === "f64") return `${place} = bitsOfFloat64(${place});`;
    const word = have === "f32" ? `bitsOfFloat32(${place})` : place;
    return `${place} = ${want === "i64" ? `BigInt(${word} >>> 0)` : word};`;
  });
  return statements.join(" ");
}

function literal(name: string | undefined): string {
  return JSON.stringify(name ?? "");
}

/** As the key of an object literal, where `"__proto__"` would be something else. */
function key(name: string | undefined): string {
  return name === "__proto__" ? '["__proto__"]' : literal(name);
}
